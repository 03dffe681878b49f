#include "rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

constexpr int kStalledExchanges = 3;

}  // namespace

LeaderTracker::Rules::Rules(TrackerOptions options)
    : options_(std::move(options)),
      prng_(options_.seed),
      identity_(options_.topology->nodes.ids(), options_.cluster_id),
      hints_(new_hint_gate(options_.inter)),
      slow_hints_(new_hint_gate(std::min(options_.inter, kLongestSlowGap))),
      topology_(std::exchange(options_.topology, nullptr)) {
  BW_ASSERT(!topology_->nodes.empty());
  for (const NodeId id : topology_->nodes.ids()) nodes_.add(id);
  BW_ASSERT(options_.fall >= 1 && options_.rise >= 1);
  view_ = std::make_shared<View>(picture(TimePoint{}));
}

Step LeaderTracker::Rules::apply(const Input& input, TimePoint now) {
  std::visit([&](const auto& each) { on(each, now); }, input);
  return settle(now);
}

void LeaderTracker::Rules::on(const Start& /*input*/, TimePoint now) {
  newest_node_since_ = now;
  last_traffic_ = now;
  leaderless_since_ = now;
  for (NodeState& each : nodes_) each.seen.role_since = now;
  probe_all_now();
}

void LeaderTracker::Rules::on(const ProbeAnswer& answer, TimePoint now) {
  const std::optional<EndedProbe> ended = end_probe(answer.probe, now, true);
  if (!ended.has_value()) return;
  const NodeId id = ended->node;
  NodeState& asked = node(id);
  asked.seen.answered_at = answer.received;
  asked.unanswered_since.reset();
  asked.seen.failure.reset();
  if (!asked.seen.same_as) asked.seen.cause = answer.facts.role == Role::kError ? answer.facts.problem : std::string();
  note_latency(asked, answer.received - answer.sent, leader_.has_value() && !suspect_since_.has_value(), options_);
  asked.seen.facts = answer.facts;
  if (answer.facts.role == Role::kError) {
    on_silence(id, answer.facts.problem, now);
  } else {
    asked.answered_sent = std::max(asked.answered_sent, answer.sent);
    if (!answer.facts.cluster_id.empty() || answer.facts.role == Role::kActive)
      asked.cluster_id = answer.facts.cluster_id;
    if (answer.facts.role == Role::kUninitialized) asked.cluster_id.clear();  // it belongs to no cluster any more
    if (identity_.learn(id, answer.facts.cluster_id)) on_cluster_id_learned(id, now);
    on_vault_answer(id, answer, now);
  }
}

void LeaderTracker::Rules::on(const ProbeFailed& failed, TimePoint now) {
  const std::optional<EndedProbe> ended = end_probe(failed.probe, now, false);
  if (!ended.has_value()) return;
  NodeState& asked = node(ended->node);
  if (is_overtaken(asked, ended->ordered)) {
    asked.probe_now = true;
    return;
  }
  const std::string failure(to_text(failed.failure));
  asked.seen.failure = failed.failure;
  if (!asked.seen.same_as) asked.seen.cause = failed.cause.empty() ? failure : failed.cause;
  on_silence(ended->node, failure, now);
}

void LeaderTracker::Rules::on(const LostSyn& lost, TimePoint /*now*/) {
  if (NodeState* const silent = nodes_.find(lost.node)) silent->seen.failure = ProbeFailure::kConnectTimeout;
}

void LeaderTracker::Rules::on(const LeaderStatement& statement, TimePoint /*now*/) {
  if (!nodes_.has(statement.node)) return;
  NodeState& witness = node(statement.node);
  witness.statement = statement;
  witness.seen.names_leader =
      statement.is_self && statement.leader_address.empty() ? url(statement.node) : statement.leader_address;
  if (contest_.has_value() && contest_->challenger == statement.node && follows_leader(statement.node))
    witness.probe_now = true;
}

void LeaderTracker::Rules::on(const Hint& hint, TimePoint now) {
  HintGate& gate = hint.kind == HintKind::kSlow ? slow_hints_ : hints_;
  if (hint.epoch == epoch_ && gate.admit(now)) probe_all_on_hint(now);
}

void LeaderTracker::Rules::on(const LiveAnswer& live, TimePoint /*now*/) {
  if (!nodes_.has(live.node)) return;
  NodeState& alive = node(live.node);
  alive.live_sent = std::max(alive.live_sent, live.request_sent);
  if (alive.unanswered_since.has_value() && live.request_sent > *alive.unanswered_since) alive.unanswered_since.reset();
}

void LeaderTracker::Rules::on(const Traffic& /*input*/, TimePoint now) { wake_up(now); }

void LeaderTracker::Rules::wake_up(TimePoint now) {
  if (is_unused(now)) probe_all_now();
  last_traffic_ = now;
  if (!idle_) return;
  idle_ = false;
  await_confirmation(ConfirmReason::kWasIdle, now);
}

void LeaderTracker::Rules::on(const ClaimWanted& wanted, TimePoint now) {
  if (leader_.has_value()) {
    NodeState& leader = node(*leader_);
    const bool is_asked = std::any_of(leader.outstanding.begin(), leader.outstanding.end(),
                                      [&](const OutstandingProbe& probe) { return probe.ordered >= wanted.since; });
    if (leader_claim_sent_ >= wanted.since) {
      told_claim_.reset();  // it came before the wish did
    } else if (!is_asked) {
      leader.probe_now = true;
    }
  }
  wake_up(now);
}

void LeaderTracker::Rules::on(const ExchangesWaiting& exchanges, TimePoint now) {
  const bool none_completes = exchanges.waiting >= kStalledExchanges && !exchanges.any_completed;
  const bool stalled = leader_.has_value() && !suspect_since_.has_value() && none_completes;
  if (stalled == stalled_) return;
  stalled_ = stalled;
  Event& event = report(stalled ? EventKind::kStalled : EventKind::kStallEnded, now);
  event.node = leader_;
  if (!stalled) return;
  event.why = fmt::format("{} exchanges wait and none completes, though health says active", exchanges.waiting);
}

// What is known is as old as the stop, and what arrived meanwhile may be as old: all nodes are asked, and nothing is
// sent before the leader has claimed anew. A node that waited for us was not silent.
void LeaderTracker::Rules::on(const LoopLate& loop, TimePoint now) {
  for (NodeState& each : nodes_) {
    for (OutstandingProbe& probe : each.outstanding) probe.late_from = now;
    if (each.unanswered_since.has_value()) each.unanswered_since = now;
  }
  if (contest_.has_value()) contest_->patience_from = now;
  report(EventKind::kLoopLate, now).why = fmt::format("stood still for {:.0f} ms", to_millis(loop.late));
  if (loop.late >= options_.suspect_after) {
    probe_all_now();
    if (leader_.has_value()) await_confirmation(ConfirmReason::kStoodStill, now);
  }
}

void LeaderTracker::Rules::on(const SetAdminState& order, TimePoint now) {
  const NodeId id = order.node;
  const AdminState state = order.state;
  if (!nodes_.has(id)) {
    pending_.refused = Error{ErrorKind::kInvalid, "the node has been removed"};
    return;
  }
  NodeState& target = node(id);
  if (target.seen.admin == state) return;
  const bool leads = is_leader(id);
  if (leads && state != AdminState::kReady && !order.force) {
    const bool another = std::any_of(nodes_.begin(), nodes_.end(), [&](const NodeState& other) {
      return &other != &target && may_lead(other) && other.seen.role == Role::kActive;
    });
    if (!another) {
      constexpr std::string_view kWhy =
          "{} is the only node that leads: {} would be an outage; step it down first, or use --force";
      pending_.refused = Error{ErrorKind::kInvalid, fmt::format(kWhy, name(id), to_text(state))};
      return;
    }
  }
  set_admin_state(id, state, now);
  probe_all_now();
}

void LeaderTracker::Rules::set_admin_state(NodeId id, AdminState state, TimePoint now) {
  if (node(id).seen.admin == state) return;
  node(id).seen.admin = state;
  Event& event = report(EventKind::kAdminStateChanged, now);
  event.node = id;
  event.why = to_text(state);
  if (state == AdminState::kReady) return;
  if (is_leader(id)) become_leaderless(fmt::format("{} was set to {}", name(id), to_text(state)), now);
  if (contest_.has_value() && contest_->challenger == id) end_contest("the challenger was taken out", now);
}

void LeaderTracker::Rules::on(const Repin& /*order*/, TimePoint /*now*/) {
  identity_.forget();
  probe_all_now();
}

// What is found when it ends must not be old.
void LeaderTracker::Rules::on(const Pause& order, TimePoint now) {
  wake_up(now);
  paused_until_ = now + order.at_most;
  report(EventKind::kPaused, now).why =
      fmt::format("new requests wait until `bellwether resume`, at most {}", format_duration(order.at_most));
}

void LeaderTracker::Rules::on(const Resume& /*order*/, TimePoint now) {
  if (paused_until_.has_value()) end_pause("the operator's word", now);
}

void LeaderTracker::Rules::end_pause(const std::string& why, TimePoint now) {
  paused_until_.reset();
  last_traffic_ = now;
  report(EventKind::kResumed, now).why = why;
}

std::optional<LeaderTracker::Rules::EndedProbe> LeaderTracker::Rules::end_probe(ProbeId probe, TimePoint now,
                                                                                bool answered) {
  for (const NodeId id : nodes_.ids()) {
    NodeState& asked = node(id);
    std::vector<OutstandingProbe>& open = asked.outstanding;
    const auto found = std::find_if(open.begin(), open.end(), [&](const OutstandingProbe& p) { return p.id == probe; });
    if (found == open.end()) continue;
    // What came late may have changed since it was asked: ask again at once, if anybody waits for it.
    const bool was_late = now - found->ordered >= patience_with(asked);
    if (answered && was_late && !is_unused(now)) asked.probe_now = true;
    const EndedProbe ended{id, found->ordered};
    open.erase(found);
    return ended;
  }
  return std::nullopt;
}

void LeaderTracker::Rules::on_vault_answer(NodeId id, const ProbeAnswer& answer, TimePoint now) {
  NodeState& asked = node(id);
  const bool claims = answer.facts.role == Role::kActive;
  Role role = answer.facts.role;
  if (identity_.judge(answer.facts.cluster_id, claims) == ClusterIdentity::Verdict::kForeign) role = Role::kForeign;
  if (count_answer(asked, options_)) report(EventKind::kNodeUp, now).node = id;

  if (role == Role::kActive) {
    // The answer to an old question: what has been denied since is not claimed by it.
    if (answer.sent < asked.denied_at) {
      asked.probe_now = true;
      return;
    }
    if (is_denial(asked.seen.role) && asked.seen.role != Role::kForeign) asked.rose_at = now;
    forget_if_contradicted(id, answer.sent);
    state_role(id, role, now);
    asked.claim_sent = std::max(asked.claim_sent, answer.sent);
    on_claim(id, answer.sent, now);
  } else {
    asked.denied_at = std::max(asked.denied_at, answer.received);
    state_role(id, role, now);
    void_claims_of_other_names(id, now);
    on_denial(id, now);
  }
}

// Who had been believed before the majority was known may turn out to be a stranger.
void LeaderTracker::Rules::on_cluster_id_learned(std::optional<NodeId> by, TimePoint now) {
  report(EventKind::kClusterIdLearned, now).why = identity_.pinned();
  expel_strangers(by, now);
}

void LeaderTracker::Rules::expel_strangers(std::optional<NodeId> but, TimePoint now) {
  for (const NodeId id : nodes_.ids()) {
    NodeState& each = node(id);
    if (id == but || each.cluster_id.empty() || each.cluster_id == identity_.pinned()) continue;
    each.denied_at = std::max(each.denied_at, now);
    state_role(id, Role::kForeign, now);
    on_denial(id, now);
  }
}

void LeaderTracker::Rules::on_silence(NodeId id, const std::string& what, TimePoint now) {
  NodeState& quiet = node(id);
  const bool fell = count_silence(quiet, options_, now);
  if (fell) report(EventKind::kNodeDown, now).node = id;
  if (is_leader(id)) {
    become_suspect(fmt::format("{}: {}", name(id), what), now);
    if (is_leader(id) && !quiet.seen.up)
      become_leaderless(fmt::format("{} has not answered {} times: {}", name(id), options_.fall, what), now);
  }
  if (!quiet.seen.up) {
    const bool answered = quiet.seen.facts.role == Role::kError && !quiet.seen.failure.has_value();
    state_role(id, answered ? Role::kError : Role::kSilent, now);
    if (contest_.has_value() && contest_->challenger == id) end_contest("the challenger fell silent", now);
  }
}

void LeaderTracker::Rules::on_claim(NodeId id, TimePoint sent, TimePoint now) {
  if (!may_lead(node(id))) return;
  if (leader_.has_value() && node(id).seen.same_as == leader_) return;
  if (is_leader(id)) {
    leader_claim_sent_ = std::max(leader_claim_sent_, sent);
    if (suspect_since_.has_value() && sent >= *suspect_since_) become_confirmed(now);
    if (confirm_since_.has_value() && sent >= *confirm_since_) confirm_since_.reset();
    on_claim_in_contest(sent, now);
    return;
  }
  if (!is_newer_than_leader(node(id))) {
    node(id).probe_now = true;
    return;
  }
  if (!leader_.has_value()) {
    elect_waiting_claimant("it is the only one that claims to lead", now);
  } else if (suspect_since_.has_value() && !is_left_behind(id)) {
    become_leader(id, sent, fmt::format("it claims to lead while {} is suspect", name(*leader_)), now);
  } else {
    contest(id, now);
  }
}

void LeaderTracker::Rules::on_denial(NodeId id, TimePoint now) {
  if (contest_.has_value() && contest_->challenger == id) end_contest("the challenger says it does not lead", now);
  if (!is_leader(id)) return;
  const NodeState& former = node(id);
  become_leaderless(fmt::format("{} says {}", name(id), to_text(former.seen.role)), now);
}

std::string LeaderTracker::Rules::why_foreign(const NodeState& stated) const {
  const std::string what = stated.cluster_id.empty() ? "it claims to lead but states no cluster_id"
                                                     : fmt::format("it states the cluster_id {}, ours is {}",
                                                                   stated.cluster_id, identity_.pinned());
  return fmt::format(
      "belongs to another cluster: {}; take it out of the nodes, or, after a restore, `bellwether repin`", what);
}

void LeaderTracker::Rules::state_role(NodeId id, Role role, TimePoint now) {
  NodeState& stated = node(id);
  if (role == Role::kForeign) stated.seen.cause = why_foreign(stated);
  if (stated.seen.role == role) return;
  Event& event = report(EventKind::kRoleChanged, now);
  event.node = id;
  event.from = stated.seen.role;
  event.to = role;
  event.why = role == Role::kError || role == Role::kSilent ? stated.seen.cause : std::string();
  if (role == Role::kForeign) {
    Event& foreign = report(EventKind::kForeignNode, now);
    foreign.node = id;
    foreign.why = why_foreign(stated);
  }
  stated.seen.role = role;
  stated.seen.role_since = now;
  stated.fast_rounds = std::max(stated.fast_rounds, kFastRoundsAfterChange);
}

}  // namespace bellwether::cluster
