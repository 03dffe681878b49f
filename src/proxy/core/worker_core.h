#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/node_table.h"
#include "bellwether/base/prng.h"
#include "bellwether/cluster/route.h"
#include "bellwether/cluster/view.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"
#include "drain_policy.h"
#include "places.h"
#include "relay_pool.h"
#include "request_ids.h"
#include "send_gate.h"
#include "shared.h"
#include "view_lease.h"

namespace bellwether::proxy {

// What connections and requests of all modes know of their worker: its time and counters, the view, where they may go
// and whether anything may be sent there now, dials and claims. Used on the worker's thread only.
class WorkerCore {
 public:
  // Dials under way at once while the hold is released: a new leader is met with a queue, not with a storm. Each that
  // is answered makes room for one more, so their number doubles with every round trip. Few at first: TLS handshakes
  // under way together end together, and the first answer is what ends the failover for its client.
  static constexpr std::uint64_t kFirstDialing = 2;
  static constexpr std::uint64_t kMaxDialing = 64;

  WorkerCore(const WorkerCore&) = delete;
  WorkerCore& operator=(const WorkerCore&) = delete;

  [[nodiscard]] net::Loop& loop() { return *seat_.loop; }
  [[nodiscard]] const Seat& seat() const { return seat_; }
  [[nodiscard]] TimePoint now() const { return seat_.loop->now(); }
  [[nodiscard]] Shared& shared() { return shared_; }
  [[nodiscard]] const Shared& shared() const { return shared_; }
  [[nodiscard]] const ProxyOptions& options() const { return shared_.options; }
  [[nodiscard]] WorkerCounters& counters() { return seat_.counters; }
  [[nodiscard]] NodeCounters& node_counters(NodeId node) { return *known(node).counters; }
  // How clients of that listener speak to us; null: plain.
  [[nodiscard]] const std::shared_ptr<net::TlsContext>& client_tls(std::size_t listener) const {
    return client_tls_[listener];
  }
  void count_handshake_failure(net::HandshakeFailure failure);
  [[nodiscard]] RelayPool& pool() { return pool_; }
  [[nodiscard]] RequestIds& request_ids() { return request_ids_; }
  [[nodiscard]] Prng& prng() { return prng_; }
  [[nodiscard]] bool is_shutting_down() const { return shutting_down_; }

  // Where requests go.
  [[nodiscard]] const cluster::ViewPtr& view() const { return view_; }  // null before the first
  // Where a request goes now: cluster::choose() by the view, unless the worker may not send by it.
  [[nodiscard]] cluster::Route route(cluster::RouteRequest request) const;
  // The leader, if new requests go to it now.
  [[nodiscard]] std::optional<NodeId> target() const { return cluster::node_of(route({})); }
  // A leader that is merely suspect, for what would have to wait although the hold is full.
  [[nodiscard]] std::optional<NodeId> target_if_hold_is_full() const {
    return cluster::node_of(route({.hold_is_full = true}));
  }
  [[nodiscard]] bool is_for_leader(cluster::Accepts accepts) const;
  // Whether what was chosen as `accepts` may still be sent to that node, which has not had a byte of it.
  [[nodiscard]] bool may_still_go(cluster::Accepts accepts, NodeId node) const {
    return cluster::may_still_go(*view_, accepts, node);
  }
  // For those who waited in vain.
  [[nodiscard]] std::string why_held() const;
  // Nodes: those of the view, those that the next one may have, and those that were removed while they still serve.
  [[nodiscard]] const std::vector<NodeId>& nodes() const { return nodes_.ids(); }
  [[nodiscard]] bool has_node(NodeId node) const { return nodes_.has(node); }
  [[nodiscard]] const NodeOptions& node(NodeId node) const { return known(node).options; }
  // For logs: "none" if there is none, "removed" if it has been forgotten.
  [[nodiscard]] std::string_view node_name(std::optional<NodeId> node) const;
  [[nodiscard]] const net::Address* address(NodeId node) const;  // null: none is known
  [[nodiscard]] Standing standing(NodeId node) const { return known(node).standing; }
  [[nodiscard]] TimePoint standing_since(NodeId node) const { return known(node).since; }
  // Since when the node has left its probes unanswered, if it was replaced and that is `grace` ago (drain_policy.h).
  [[nodiscard]] std::optional<TimePoint> hung_since(NodeId node) const;
  [[nodiscard]] LostNode lost_node(NodeId node) const;
  [[nodiscard]] Cut cut_for(NodeId node, TimePoint last_active, TimePoint now) const;

  // Whether anything may be sent.
  // True if what is at hand must wait until it is resumed: the view is not fresh enough (ViewLease).
  [[nodiscard]] bool must_withhold();
  // Asked before bytes are given to a node that belong to the epoch in view; held while they are.
  [[nodiscard]] SendPermit ask_to_send() { return {shared_.gate, seat_.index, &WorkerCore::on_left_gate, this}; }
  // Another epoch has begun, and its view is on its way here.
  [[nodiscard]] bool is_fenced() const { return shared_.gate.is_closed(seat_.index); }
  // Whether a request that begins now may go to that node over a connection that exists.
  [[nodiscard]] bool takes_requests(NodeId node) {
    return known(node).takes_requests && !is_fenced() && !must_withhold();
  }

  // A dial: from its beginning to the node's first word, or until that is late.
  [[nodiscard]] Counted dial_place() { return Counted(dialing_); }
  [[nodiscard]] bool may_dial_more() const { return dialing_.get() < dial_room_; }
  void make_room_to_dial();  // one has been answered

  // What the control side is told.
  void hint(NodeId node, Epoch epoch, cluster::HintKind kind);
  // The leader of that epoch has served a client.
  void note_success(Epoch epoch) {
    if (epoch > succeeded_epoch_) say_success(epoch);
  }
  // Somebody uses us: said to the tracker at once if it asked little while nobody did, else now and then.
  void note_traffic();
  // A claim of the leader's is wanted that is asked for at `since` or later. Each mode is told when one has come.
  void want_claim(TimePoint since);
  // The newest that we were told of, which is not every one.
  [[nodiscard]] const cluster::Claim& claim() const { return claim_; }

  // Of the worker as a whole, which stands above this room.
  virtual void arm_tick() = 0;
  virtual void resume_accepting() = 0;  // there may be room below maxconn again
  // For a connection of any worker that waits for a place below maxconn: ends what has waited for its client for
  // longest.
  virtual void make_room() = 0;
  // Whoever may have changed it lets us look: while shutting down, the control side is told whether there is a session
  // or an answer left.
  virtual void check_idle() = 0;

 protected:
  WorkerCore(Shared& shared, Seat& seat);
  ~WorkerCore();

  // Dials for those who wait, in order and paced.
  virtual void release() = 0;

  // Opens the gate for `round` if no newer round has closed it.
  void take_view(cluster::ViewPtr view, std::uint64_t round);
  // By the view and the time. When it changes without another view: then a node will have hung for `grace`.
  [[nodiscard]] TimePoint update_standings();
  void take_claim(const cluster::Claim& claim);
  [[nodiscard]] bool wants_claim() const { return claim_.asked < claim_wanted_; }
  void ask_for_wanted_claim() { want_claim(claim_wanted_); }
  // Before the lease is over.
  void keep_lease();
  // True, once, if something was withheld and may be sent now.
  [[nodiscard]] bool takes_up_withheld();
  void set_nodes(WorkerNodes nodes);
  // After a view: those that neither it nor set_nodes() had, once nothing runs there any more. True if there were some.
  bool forget_removed_nodes();
  void set_address(NodeId node, const net::Address& address) { known(node).options.address = address; }
  void set_client_tls(const std::shared_ptr<net::TlsContext>& tls);
  void begin_shutting_down() { shutting_down_ = true; }

  Shared& shared_;
  Seat& seat_;

 private:
  struct Node {
    NodeOptions options;
    std::shared_ptr<NodeCounters> counters = std::make_shared<NodeCounters>();
    Standing standing = Standing::kKeep;
    TimePoint since{};
    bool takes_requests = false;
    bool is_listed = true;  // among the nodes as they were set last
  };

  [[nodiscard]] Node& known(NodeId node) {
    Node* const found = nodes_.find(node);
    return found != nullptr ? *found : forgotten_;
  }
  [[nodiscard]] const Node& known(NodeId node) const {
    const Node* const found = nodes_.find(node);
    return found != nullptr ? *found : forgotten_;
  }
  static void on_left_gate(void* self, std::uint64_t round);
  // Whether `view` is fresh enough to send anything to its leader (ViewLease).
  [[nodiscard]] bool may_send() const { return lease_.is_valid(shared_.control.load(), now()); }
  void on_stopped(Duration lasted);
  void renew_lease(const cluster::View* before);
  void say_success(Epoch epoch);

  NodeTable<Node> nodes_;
  Node forgotten_;                                            // for those who still speak of a node that was removed
  std::vector<std::shared_ptr<net::TlsContext>> client_tls_;  // by listener
  cluster::ViewPtr view_;
  ViewLease lease_;
  RequestIds request_ids_;
  Prng prng_;
  RelayPool pool_;
  Counter dialing_;
  std::uint64_t dial_room_ = kFirstDialing;
  TimePoint traffic_noted_{};
  Epoch succeeded_epoch_ = 0;
  std::uint64_t idle_serial_noted_ = 0;
  struct {
    NodeId node;
    Epoch epoch = 0;
    cluster::HintKind kind{};
    TimePoint at{};
  } last_hint_;
  std::uint64_t left_round_ = 0;  // the newest round that the control side was told we do not send in
  cluster::Claim claim_;
  TimePoint claim_wanted_ = TimePoint::min();  // asked for then or later
  bool claim_is_asked_for_ = false;            // one asking at a time
  bool withholds_ = false;                     // something waits for the lease to be valid again, outside of the hold
  bool shutting_down_ = false;
};

}  // namespace bellwether::proxy
