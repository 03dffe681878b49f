#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "answer_watch.h"
#include "bellwether/cluster/route.h"
#include "bellwether/cluster/view.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"
#include "drain_policy.h"
#include "hold.h"
#include "http_front.h"
#include "intake.h"
#include "places.h"
#include "redirect.h"
#include "relay.h"
#include "request_ids.h"
#include "room_maker.h"
#include "send_gate.h"
#include "session.h"
#include "session_table.h"
#include "shared.h"
#include "view_lease.h"

namespace bellwether::proxy {

// Listeners, sessions and the hold of one thread. Lives on that thread; the control side reaches it by posted work.
class Worker {
 public:
  // Dials under way at once while the hold is released: a new leader is met with a queue, not with a storm. Each that
  // is answered makes room for one more, so their number doubles with every round trip. Few at first: TLS handshakes
  // under way together end together, and the first answer is what ends the failover for its client.
  static constexpr std::uint64_t kFirstDialing = 2;
  static constexpr std::uint64_t kMaxDialing = 64;
  static constexpr int kMaxCutsPerTick = 100;
  // Sessions with nothing under way leave a demoted node at this pace: at most 2,000 a second come back together.
  static constexpr int kMaxQuietCutsPerLeaveTick = 8;

  Worker(Shared& shared, Seat& seat);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // From the control side.
  // `round`: of the gate, which this view opens if no newer round has closed it.
  void set_view(cluster::ViewPtr view, std::uint64_t round);
  void on_claim(const cluster::Claim& claim);
  void set_address(NodeId node, const net::Address& address);
  void set_client_tls(const std::shared_ptr<net::TlsContext>& tls);
  void set_node_tls(const std::shared_ptr<net::TlsContext>& tls) { http_.set_node_tls(tls); }
  void shut_down();
  void resume_accepting();  // there may be room below maxconn again
  // For a connection of any worker that waits for a place below maxconn: ends what has waited for its client for
  // longest.
  void make_room();

  // For sessions and the redirector.
  [[nodiscard]] net::Loop& loop() { return *seat_.loop; }
  [[nodiscard]] const Seat& seat() const { return seat_; }
  [[nodiscard]] TimePoint now() const { return seat_.loop->now(); }
  [[nodiscard]] Shared& shared() { return shared_; }
  [[nodiscard]] const Shared& shared() const { return shared_; }
  [[nodiscard]] const ProxyOptions& options() const { return shared_.options; }
  [[nodiscard]] WorkerCounters& counters() { return seat_.counters; }
  [[nodiscard]] NodeCounters& node_counters(NodeId node) { return seat_.counters.nodes[node.index]; }
  // How clients of that listener speak to us; null: plain.
  [[nodiscard]] const std::shared_ptr<net::TlsContext>& client_tls(std::size_t listener) const {
    return client_tls_[listener];
  }
  void count_handshake_failure(net::HandshakeFailure failure);
  [[nodiscard]] RelayPool& pool() { return pool_; }
  [[nodiscard]] WaitQueue& queue() { return queue_; }
  [[nodiscard]] const cluster::ViewPtr& view() const { return view_; }  // null before the first
  // Whether `view` is fresh enough to send anything to its leader (ViewLease).
  [[nodiscard]] bool may_send() const { return lease_.is_valid(shared_.control.load(), now()); }
  // As above; true if what is at hand must wait until it is resumed.
  [[nodiscard]] bool must_withhold();
  // Asked before bytes are given to a node that belong to the epoch in view; held while they are.
  [[nodiscard]] SendPermit ask_to_send() { return {shared_.gate, seat_.index, &Worker::on_left_gate, this}; }
  // Another epoch has begun, and its view is on its way here.
  [[nodiscard]] bool is_fenced() const { return shared_.gate.is_closed(seat_.index); }
  // Where a request goes now: cluster::choose() by the view, unless the worker may not send by it.
  [[nodiscard]] cluster::Route route(cluster::RouteRequest request) const;
  // The leader, if new requests go to it now.
  [[nodiscard]] std::optional<NodeId> target() const { return cluster::node_of(route({})); }
  // A leader that is merely suspect, for what would have to wait although the hold is full.
  [[nodiscard]] std::optional<NodeId> target_if_hold_is_full() const {
    return cluster::node_of(route({.hold_is_full = true}));
  }
  [[nodiscard]] bool is_for_leader(cluster::Accepts accepts) const;
  // For those who waited in vain.
  [[nodiscard]] std::string why_held() const;
  [[nodiscard]] RequestIds& request_ids() { return request_ids_; }
  [[nodiscard]] const net::Address* address(NodeId node) const;
  [[nodiscard]] Standing standing(NodeId node) const { return nodes_[node.index].standing; }
  [[nodiscard]] TimePoint standing_since(NodeId node) const { return nodes_[node.index].since; }
  // Since when the node has left its probes unanswered, if it was replaced and that is `grace` ago (drain_policy.h).
  [[nodiscard]] std::optional<TimePoint> hung_since(NodeId node) const;
  [[nodiscard]] bool has_parked() const { return !parked_.empty(); }
  [[nodiscard]] bool is_shutting_down() const { return shutting_down_; }
  // Whoever may have changed it lets us look: while shutting down, the control side is told whether there is a session
  // or an answer left.
  void check_idle();
  [[nodiscard]] bool may_dial_more() const { return dialing_.get() < dial_room_; }
  // Whether what was chosen as `accepts` may still be sent to that node, which has not had a byte of it.
  [[nodiscard]] bool may_still_go(cluster::Accepts accepts, NodeId node) const {
    return cluster::may_still_go(*view_, accepts, node);
  }
  // Whether a request that begins now may go to that node over a connection that exists.
  [[nodiscard]] bool takes_requests(NodeId node) {
    return nodes_[node.index].takes_requests && !is_fenced() && !must_withhold();
  }
  [[nodiscard]] LostNode lost_node(NodeId node) const;
  // Sessions are looked at every few milliseconds while one of them is to leave its node.
  void arm_leave_timer();
  [[nodiscard]] Cut cut_for(NodeId node, TimePoint last_active, TimePoint now) const;

  // A dial: from its beginning to the node's first word, or until that is late.
  [[nodiscard]] Counted dial_place() { return Counted(dialing_); }
  void make_room_to_dial();  // one has been answered
  // Dials for those who wait, in order and paced.
  void release();
  void hint(NodeId node, Epoch epoch, cluster::HintKind kind);
  // The leader of that epoch has served a client.
  void note_success(Epoch epoch) {
    if (epoch > succeeded_epoch_) say_success(epoch);
  }
  [[nodiscard]] AnswerWatch<Session>& answers() { return answers_; }
  // Somebody uses us: said to the tracker at once if it asked little while nobody did, else now and then.
  void note_traffic();
  // A claim of the leader's is wanted that is asked for at `since` or later. One that comes is told by on_claim().
  void want_claim(TimePoint since);
  // The newest that we were told of, which is not every one.
  [[nodiscard]] const cluster::Claim& claim() const { return claim_; }
  void retire(Session& session);
  void arm_tick();

 private:
  struct Node {
    std::optional<net::Address> address;
    Standing standing = Standing::kKeep;
    TimePoint since{};
    bool takes_requests = false;
  };

  [[nodiscard]] static std::vector<Node> nodes_of(const ProxyOptions& options);
  static void on_left_gate(void* self, std::uint64_t round);
  void abandon_dials();
  void leave_tick();
  void on_stopped(Duration lasted);
  void renew_lease(const cluster::View* before);
  void resume_withheld();
  void say_success(Epoch epoch);
  void open_listeners();
  void on_accept(Accepted accepted);
  void wait_for_room();
  [[nodiscard]] bool expects_proxy_header(const Accepted& accepted) const;
  void admit(Accepted accepted);
  void start_session(Accepted accepted);
  void give_room_back();
  void after_retire();
  void tick();
  void end_due_sessions();
  void update_standings();
  void on_hung();
  void count_accept_failures();
  [[nodiscard]] std::unique_ptr<Origin> origin_of(const Accepted& accepted) const;
  [[nodiscard]] bool has_work() const;

  Shared& shared_;
  Seat& seat_;
  std::vector<Node> nodes_;
  std::vector<std::shared_ptr<net::TlsContext>> client_tls_;  // by listener
  cluster::ViewPtr view_;
  ViewLease lease_;
  bool withholds_ = false;  // something waits for the lease to be valid again, outside of the hold
  RequestIds request_ids_;
  Counter dialing_;
  RelayPool pool_;
  WaitQueue queue_;
  AnswerWatch<Session> answers_;
  TableOf<Session> table_;
  Intake intake_;
  Redirector redirector_;
  HttpFront http_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<Accepted> parked_;  // accepted, but beyond maxconn: one of each listener at most
  RoomMaker room_maker_;
  net::Timer tick_;
  net::Timer hung_timer_;  // a node that was replaced will have been silent for `grace`
  Duration tick_interval_;
  net::Timer leave_timer_;
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
  std::uint64_t dial_room_ = kFirstDialing;
  cluster::Claim claim_;
  TimePoint claim_wanted_ = TimePoint::min();  // asked for then or later
  bool claim_is_asked_for_ = false;            // one asking at a time
  bool shutting_down_ = false;
  bool told_idle_ = false;  // what the control side was told last
  bool turn_end_due_ = false;
};

}  // namespace bellwether::proxy
