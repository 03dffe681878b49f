#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/node_table.h"
#include "bellwether/base/prng.h"
#include "bellwether/cluster/tracker.h"
#include "hint_gate.h"
#include "identity.h"
#include "node_state.h"
#include "pacing.h"

namespace bellwether::cluster {

// The rules of DESIGN.md over the state they need. An input's rule, on(), changes the evidence and applies what follows
// from it at once; then settle() applies what follows from time, orders probes and publishes.
class LeaderTracker::Rules {
 public:
  explicit Rules(TrackerOptions options);

  Step apply(const Input& input, TimePoint now);

  [[nodiscard]] const ViewPtr& view() const { return view_; }
  [[nodiscard]] ViewPtr snapshot(TimePoint now) const;

 private:
  // rules.cc: one for each alternative of Input. on(SameServer) is in same_server.cc, on(Reconfigure) in
  // reconfigure.cc.
  void on(const Start& input, TimePoint now);
  void on(const Tick& /*input*/, TimePoint /*now*/) {}
  void on(const ProbeAnswer& answer, TimePoint now);
  void on(const ProbeFailed& failed, TimePoint now);
  void on(const LostSyn& lost, TimePoint now);
  void on(const SameServer& same, TimePoint now);
  void on(const LeaderStatement& statement, TimePoint now);
  void on(const Hint& hint, TimePoint now);
  void on(const LiveAnswer& live, TimePoint now);
  void on(const Traffic& input, TimePoint now);
  void on(const ClaimWanted& wanted, TimePoint now);
  void on(const ExchangesWaiting& exchanges, TimePoint now);
  void on(const LoopLate& loop, TimePoint now);
  void on(const SetAdminState& order, TimePoint now);
  void on(const Repin& order, TimePoint now);
  void on(const Pause& order, TimePoint now);
  void on(const Resume& order, TimePoint now);
  void on(const Reconfigure& change, TimePoint now);

  // Two nodes claim: the leader and this one.
  struct Contest {
    NodeId challenger;
    TimePoint patience_from{};  // the leader's lateness counts from here at the earliest
    TimePoint begun{};
    TimePoint asked_at{};             // /v1/sys/leader, last
    bool leader_claims_anew = false;  // since it began
    bool both_lead = false;           // and they are two servers: a conflict, not a change that it has not told of
  };

  // Why the leader in view is not sent to before it has claimed anew.
  enum class ConfirmReason : std::uint8_t { kWasIdle, kStoodStill };
  // Why new requests wait, the same for people.
  struct HoldState {
    HoldReason reason = HoldReason::kNone;
    std::string why;
  };
  // A demoting leader blocks for 500 ms before it answers reads as a standby: slowness must be looked into well before.
  static constexpr Duration kLongestSlowGap = 100ms;
  [[nodiscard]] HintGate new_hint_gate(Duration longest_gap) const { return {options_.fastinter, longest_gap}; }
  static constexpr const char* kIdentityDispute =
      "the nodes state different cluster_ids and no majority agrees; set cluster_id";

  // rules.cc: evidence
  [[nodiscard]] NodeState& node(NodeId id) { return nodes_.at(id); }
  [[nodiscard]] const NodeState& node(NodeId id) const { return nodes_.at(id); }
  [[nodiscard]] std::string_view name(NodeId id) const { return topology_->name(id); }
  [[nodiscard]] const std::string& url(NodeId id) const { return topology_->nodes.at(id).url; }
  struct EndedProbe {
    NodeId node;
    TimePoint ordered{};
  };
  std::optional<EndedProbe> end_probe(ProbeId probe, TimePoint now, bool answered);
  void on_vault_answer(NodeId id, const ProbeAnswer& answer, TimePoint now);
  void on_silence(NodeId id, const std::string& what, TimePoint now);
  void on_claim(NodeId id, TimePoint sent, TimePoint now);
  void on_denial(NodeId id, TimePoint now);
  void set_admin_state(NodeId id, AdminState state, TimePoint now);
  void on_cluster_id_learned(std::optional<NodeId> by, TimePoint now);
  void expel_strangers(std::optional<NodeId> but, TimePoint now);
  void state_role(NodeId id, Role role, TimePoint now);
  [[nodiscard]] std::string why_foreign(const NodeState& stated) const;

  // leadership.cc: transitions, one place each
  void become_leader(NodeId id, TimePoint claim_sent, const std::string& why, TimePoint now);
  void become_leaderless(const std::string& why, TimePoint now);
  void become_suspect(const std::string& why, TimePoint now);
  void become_confirmed(TimePoint now);
  void await_confirmation(ConfirmReason reason, TimePoint now);
  void elect_waiting_claimant(const std::string& why, TimePoint now);
  [[nodiscard]] bool may_lead(const NodeState& candidate) const;
  [[nodiscard]] bool is_ours(const NodeState& candidate) const;
  [[nodiscard]] bool is_newer_than_leader(const NodeState& candidate) const;
  [[nodiscard]] bool others_were_asked(NodeId claimant, TimePoint now) const;
  // No leader, or a suspect one, since then.
  [[nodiscard]] std::optional<TimePoint> unsettled_since() const {
    return suspect_since_.has_value() ? suspect_since_ : leaderless_since_;
  }
  // Of the present or latest leader.
  [[nodiscard]] std::optional<TimePoint> last_claim() const {
    return leader_claim_sent_ == kLongAgo ? std::nullopt : std::optional(leader_claim_sent_);
  }
  [[nodiscard]] bool is_leader(NodeId id) const { return leader_ == id; }

  // conflict.cc
  void contest(NodeId challenger, TimePoint now);
  void on_claim_in_contest(TimePoint sent, TimePoint now);
  void ask_whom_they_follow(TimePoint now);
  void end_contest(const std::string& outcome, TimePoint now);
  void resolve_contest(TimePoint now);
  [[nodiscard]] bool names(const LeaderStatement& statement, NodeId id) const;
  [[nodiscard]] bool says_it_leads(NodeId id) const;
  [[nodiscard]] bool follows_leader(NodeId id) const;
  [[nodiscard]] int nodes_naming(NodeId id) const;
  [[nodiscard]] bool is_left_behind(NodeId id) const;
  void report_conflict_if_due(TimePoint now);

  // same_server.cc: two names of one server
  void become_same_server(NodeId id, NodeId other, const std::string& why, TimePoint now);
  void forget_same_server(NodeId id);
  [[nodiscard]] bool state_one_identity(NodeId a, NodeId b) const;
  [[nodiscard]] bool claims_and_follows(NodeId id) const;
  void void_claims_of_other_names(NodeId id, TimePoint now);
  void forget_if_contradicted(NodeId id, TimePoint claim_sent);
  [[nodiscard]] int servers() const;

  [[nodiscard]] bool has_not_stood_down(const NodeState& former) const;
  [[nodiscard]] bool all_have_said_whom_they_follow() const;
  [[nodiscard]] std::string evidence() const;
  [[nodiscard]] bool challenger_rose() const;
  [[nodiscard]] Duration contest_patience() const;

  // reconfigure.cc
  void take_over_settings(const TrackerOptions& options, TimePoint now);
  void take_over_nodes(const TopologyPtr& next, TimePoint now);
  void take_over_states(TimePoint now);
  void learn_cluster_from_those_left(TimePoint now);
  [[nodiscard]] AdminState admin_state_for(NodeId id) const;
  void report_renaming(NodeId id, TimePoint now);
  void on_removed(NodeId id, TimePoint now);

  // hold_state.cc: a projection of the state
  [[nodiscard]] HoldState hold_state() const;
  [[nodiscard]] bool has_heard_any_node() const;
  [[nodiscard]] std::string why_leaderless() const;
  [[nodiscard]] std::string why_confirm() const;

  // schedule.cc: time, orders, publication
  [[nodiscard]] Step settle(TimePoint now);
  void notice_lateness(TimePoint now);
  [[nodiscard]] Duration patience_with(const NodeState& candidate) const;
  [[nodiscard]] std::optional<TimePoint> silent_since(const NodeState& candidate, TimePoint now) const;
  [[nodiscard]] bool is_late(const NodeState& candidate, const OutstandingProbe& probe, TimePoint now) const;
  [[nodiscard]] bool has_late_probe(const NodeState& candidate, TimePoint now) const;
  [[nodiscard]] TimePoint order_due(const NodeState& candidate, TimePoint now) const;
  [[nodiscard]] TimePoint contest_due(TimePoint now) const;
  void notice_idleness(TimePoint now);
  void notice_pause_over(TimePoint now);
  void wake_up(TimePoint now);
  void end_pause(const std::string& why, TimePoint now);
  void reset_hints();
  void notice_identity_dispute(TimePoint now);
  void order_probes(TimePoint now);
  void order_probe(NodeId id, TimePoint now);
  void probe_all_now();
  void probe_all_on_hint(TimePoint now);
  [[nodiscard]] TimePoint next_wake(TimePoint now) const;
  [[nodiscard]] PaceContext pace(TimePoint now) const;
  // When no client will have asked for anything for idle_after; kNever if that shall make no difference.
  [[nodiscard]] TimePoint unused_from() const;
  [[nodiscard]] bool is_unused(TimePoint now) const { return unused_from() <= now; }
  void publish(TimePoint now);
  void tell_claim();
  [[nodiscard]] View heading(TimePoint now) const;
  [[nodiscard]] View picture(TimePoint now) const;
  Event& report(EventKind kind, TimePoint now);
  void name_nodes_in_events();
  [[nodiscard]] std::string name_in_event(std::optional<NodeId> id) const;

  TrackerOptions options_;
  Prng prng_;
  ClusterIdentity identity_;
  HintGate hints_;                         // of trouble: refused, reset, redirected, ...
  HintGate slow_hints_;                    // of slowness, which may be the usual thing: it must not silence the others
  TimePoint unhurried_round_at_ = kNever;  // of a hint that came while nobody waited
  TopologyPtr topology_;
  TopologyPtr topology_before_;  // of the call in progress, if that has changed it
  NodeTable<NodeState> nodes_;   // those of topology_, in its order
  ProbeId last_probe_ = 0;

  TimePoint newest_node_since_{};
  std::optional<NodeId> leader_;
  std::optional<NodeId> last_leader_;  // the present or the latest one
  std::string removed_leader_name_;    // ... if that was removed
  Epoch epoch_ = 0;
  TimePoint leader_since_{};
  TimePoint leader_claim_sent_ = kLongAgo;  // newest claim of the present or latest leader
  std::optional<Claim> told_claim_;
  TimePoint lost_at_ = kLongAgo;  // when the latest leader was lost
  std::string lost_why_;
  std::optional<TimePoint> suspect_since_;
  std::string suspect_why_;  // of the present or latest suspicion
  std::optional<TimePoint> leaderless_since_;
  std::optional<Contest> contest_;
  std::optional<NodeId> followed_;  // the present leader, if a majority named it when it was contested last
  bool identity_disputed_ = false;

  TimePoint last_traffic_{};
  bool idle_ = false;
  std::optional<TimePoint> confirm_since_;  // a claim asked for since then is needed
  ConfirmReason confirm_reason_{};          // of that
  std::optional<TimePoint> paused_until_;
  bool stalled_ = false;

  ViewPtr view_;
  Step pending_;  // what the call in progress will return
};

}  // namespace bellwether::cluster
