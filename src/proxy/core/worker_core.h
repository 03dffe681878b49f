#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/cluster/route.h"
#include "bellwether/cluster/view.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"
#include "clearance.h"
#include "control_reports.h"
#include "dials.h"
#include "drain_policy.h"
#include "known_listeners.h"
#include "known_nodes.h"
#include "relay_pool.h"
#include "request_ids.h"
#include "shared.h"

namespace bellwether::proxy {

// What connections and requests of all modes know of their worker: its time and counters, the view and where they may
// go by it, the nodes, the clearance to send, the dials under way. Used on the worker's thread only.
class WorkerCore {
 public:
  WorkerCore(const WorkerCore&) = delete;
  WorkerCore& operator=(const WorkerCore&) = delete;

  [[nodiscard]] net::Loop& loop() { return *seat_.loop; }
  [[nodiscard]] TimePoint now() const { return seat_.loop->now(); }
  [[nodiscard]] Shared& shared() const { return shared_; }
  // As they are now: a reference must not outlive the call that it was taken in. What of it a listener may have of its
  // own is asked of listeners().
  [[nodiscard]] const ProxySettings& options() const { return *settings_; }
  [[nodiscard]] WorkerCounters& counters() { return seat_.counters; }
  [[nodiscard]] RelayPool& pool() { return pool_; }
  [[nodiscard]] RequestIds& request_ids() { return request_ids_; }
  [[nodiscard]] Prng& prng() { return prng_; }
  [[nodiscard]] Dials& dials() { return dials_; }
  [[nodiscard]] const KnownNodes& nodes() const { return nodes_; }
  [[nodiscard]] const KnownListeners& listeners() const { return listeners_; }
  [[nodiscard]] const Clearance& clearance() const { return clearance_; }
  [[nodiscard]] bool is_shutting_down() const { return shutting_down_; }

  // Where requests go.
  [[nodiscard]] const cluster::ViewPtr& view() const { return view_; }  // null before the first
  // Where a request goes now: cluster::choose() by the view, unless the worker may not send by it; the claim that ends
  // that is asked for at once.
  [[nodiscard]] cluster::Route route(cluster::RouteRequest request);
  // The leader, if new requests go to it now.
  [[nodiscard]] std::optional<NodeId> target() { return cluster::node_of(route({})); }
  // A leader that is merely suspect, for what would have to wait although the hold is full.
  [[nodiscard]] std::optional<NodeId> target_if_hold_is_full() {
    return cluster::node_of(route({.hold_is_full = true}));
  }
  [[nodiscard]] bool is_for_leader(cluster::Accepts accepts) const;
  // Whether what was chosen as `accepts` may still be sent to that node, which has not had a byte of it.
  [[nodiscard]] bool may_still_go(cluster::Accepts accepts, NodeId node) const {
    return cluster::may_still_go(*view_, accepts, node);
  }
  // For those who waited in vain.
  [[nodiscard]] std::string why_held() const;
  // Since when the node has left its probes unanswered, if it was replaced and that is `grace` ago (drain_policy.h).
  [[nodiscard]] std::optional<TimePoint> hung_since(NodeId node) const;
  [[nodiscard]] LostNode lost_node(NodeId node) const;
  [[nodiscard]] Cut cut_for(NodeId node, TimePoint last_active, TimePoint now, const SessionSettings& settings) const;

  // True if what is at hand must wait until it is resumed: the view is not fresh enough.
  [[nodiscard]] bool must_withhold();
  // Whether a request that begins now may go to that node over a connection that exists.
  [[nodiscard]] bool takes_requests(NodeId node) {
    return nodes_.takes_requests(node) && !clearance_.is_fenced() && !must_withhold();
  }
  // Asked before bytes are given to a node that belong to the epoch in view; held while they are.
  [[nodiscard]] SendPermit ask_to_send() { return clearance_.ask_to_send(); }
  // A claim of the leader's is wanted that is asked for at `since` or later. Each mode is told when one has come.
  void want_claim(TimePoint since) { clearance_.want_claim(since); }
  void make_room_to_dial();  // a dial has been answered
  // A connection that was accepted at that listener is gone, and its place below maxconn is free.
  void release_session(ListenerNumber listener);

  // What the control side is told; ControlReports says how often.
  void hint(NodeId node, Epoch epoch, cluster::HintKind kind) { reports_.hint(node, epoch, kind, now()); }
  void note_success(Epoch epoch) { reports_.note_success(epoch); }
  void note_traffic() { reports_.note_traffic(view_.get(), now()); }

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
  ~WorkerCore() = default;

  // Dials for those who wait, in order and paced.
  virtual void release() = 0;

  // For the worker alone: who else changes these takes away what at-most-once rests on.
  [[nodiscard]] KnownNodes& known_nodes() { return nodes_; }
  [[nodiscard]] KnownListeners& known_listeners() { return listeners_; }
  [[nodiscard]] Clearance& own_clearance() { return clearance_; }
  // Opens the gate for `round` if no newer round has closed it.
  void take_view(cluster::ViewPtr view, std::uint64_t round);
  void take_claim(const cluster::Claim& claim);
  void begin_shutting_down() { shutting_down_ = true; }

  Shared& shared_;
  Seat& seat_;
  std::shared_ptr<const ProxySettings> settings_;  // options()

 private:
  KnownNodes nodes_;
  KnownListeners listeners_;
  cluster::ViewPtr view_;
  Clearance clearance_;
  ControlReports reports_;
  RequestIds request_ids_;
  Prng prng_;
  RelayPool pool_;
  Dials dials_;
  bool shutting_down_ = false;
};

}  // namespace bellwether::proxy
