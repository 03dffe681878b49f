#include "rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

constexpr int kStalledExchanges = 3;

}  // namespace

LeaderTracker::Rules::Rules(TrackerOptions options)
    : options_(std::move(options)),
      members_(std::exchange(options_.topology, nullptr)),
      identity_(members_.ids(), options_.cluster_id),
      probes_(members_.ids(), options_),
      succession_(options_, identity_, members_, probes_, journal_),
      publication_(picture().whole(TimePoint{})) {
  BW_ASSERT(options_.fall >= 1 && options_.rise >= 1);
}

Step LeaderTracker::Rules::apply(const Input& input, TimePoint now) {
  journal_.open(succession_.leadership().epoch(), now);
  std::visit([&](const auto& each) { on(each, now); }, input);
  return settle(now);
}

ViewPtr LeaderTracker::Rules::snapshot(TimePoint now) const {
  View view = picture().whole(now);
  view.serial = publication_.view()->serial;
  return std::make_shared<const View>(std::move(view));
}

void LeaderTracker::Rules::on(const Start& input, TimePoint now) {
  members_.start(now);
  demand_.start(now);
  succession_.start(input.former, now);
  probes_.ask_all_soon();
}

void LeaderTracker::Rules::on(const FormerLead& former, TimePoint /*now*/) { succession_.on_former_lead(former); }

void LeaderTracker::Rules::on(const ProbeAnswer& answer, TimePoint now) {
  const std::optional<ProbeSchedule::Ended> ended = probes_.end(answer.probe, options_, now);
  if (!ended.has_value()) return;
  const NodeId id = ended->node;
  NodeState& asked = members_.at(id);
  NodeProbes& probes = probes_.of(id);
  // What came late may have changed since it was asked: ask again at once, if anybody waits for it.
  if (ended->was_late && !demand_.is_unused(options_, now)) probes.ask_soon();
  const bool is_error = answer.facts.role == Role::kError;
  asked.seen.answered_at = answer.received;
  asked.seen.latency = answer.received - answer.sent;
  asked.seen.failure.reset();
  if (!asked.seen.same_as) asked.seen.cause = is_error ? answer.facts.problem : std::string();
  asked.seen.facts = answer.facts;
  probes.note_answer(asked.seen.latency, succession_.leadership().is_settled(), options_);
  if (is_error) {
    on_silence(id, answer.facts.problem, now);
    return;
  }
  probes.note_vault_answer(answer.sent);
  if (!answer.facts.cluster_id.empty() || answer.facts.role == Role::kActive)
    asked.cluster_id = answer.facts.cluster_id;
  if (answer.facts.role == Role::kUninitialized) asked.cluster_id.clear();  // it belongs to no cluster any more
  if (identity_.learn(id, answer.facts.cluster_id)) on_cluster_id_learned(id, now);
  on_vault_answer(id, answer, now);
}

void LeaderTracker::Rules::on(const ProbeFailed& failed, TimePoint now) {
  const std::optional<ProbeSchedule::Ended> ended = probes_.end(failed.probe, options_, now);
  if (!ended.has_value()) return;
  if (NodeProbes& probes = probes_.of(ended->node); probes.is_overtaken(ended->ordered)) {
    probes.ask_soon();
    return;
  }
  NodeState& asked = members_.at(ended->node);
  const std::string failure(to_text(failed.failure));
  asked.seen.failure = failed.failure;
  if (!asked.seen.same_as) asked.seen.cause = failed.cause.empty() ? failure : failed.cause;
  on_silence(ended->node, failure, now);
}

void LeaderTracker::Rules::on(const LostSyn& lost, TimePoint /*now*/) {
  if (NodeState* const silent = members_.find(lost.node)) silent->seen.failure = ProbeFailure::kConnectTimeout;
}

// Two of the configured nodes may be names of one server: by host name and by address, or the name of a balancer that
// passes requests on to the leader. Such a pair neither contests the lead nor counts as two candidates.
void LeaderTracker::Rules::on(const SameServer& same, TimePoint /*now*/) {
  if (!members_.has(same.node) || (same.other.has_value() && !members_.has(*same.other))) return;
  if (same.other.has_value()) {
    members_.make_same_server(same.node, *same.other, same.why, journal_);
  } else {
    members_.forget_same_server(same.node);
  }
}

void LeaderTracker::Rules::on(const LeaderStatement& statement, TimePoint /*now*/) {
  if (members_.has(statement.node)) succession_.on_statement(statement);
}

void LeaderTracker::Rules::on(const Hint& hint, TimePoint now) {
  if (hint.epoch == succession_.leadership().epoch()) probes_.on_hint(hint.kind, demand_.is_unused(options_, now), now);
}

void LeaderTracker::Rules::on(const LiveAnswer& live, TimePoint /*now*/) {
  if (members_.has(live.node)) probes_.of(live.node).note_live_answer(live.request_sent);
}

void LeaderTracker::Rules::on(const Traffic& /*input*/, TimePoint now) { wake_up(now); }

void LeaderTracker::Rules::on(const ClaimWanted& wanted, TimePoint now) {
  const Leadership& leadership = succession_.leadership();
  if (leadership.leader().has_value()) {
    NodeProbes& probes = probes_.of(*leadership.leader());
    if (leadership.claim_sent() >= wanted.since) {
      publication_.tell_again();
    } else if (!probes.is_asked_since(wanted.since)) {
      probes.ask_soon();
    }
  }
  wake_up(now);
}

void LeaderTracker::Rules::on(const ExchangesWaiting& exchanges, TimePoint /*now*/) {
  succession_.on_exchanges(exchanges.waiting, exchanges.waiting >= kStalledExchanges && !exchanges.any_completed);
}

// What is known is as old as the stop, and what arrived meanwhile may be as old: all nodes are asked, and nothing is
// sent before the leader has claimed anew. A node that waited for us was not silent.
void LeaderTracker::Rules::on(const LoopLate& loop, TimePoint now) {
  probes_.excuse_stop(now);
  succession_.excuse_stop(now);
  journal_.report(EventKind::kLoopLate).why = fmt::format("stood still for {:.0f} ms", to_millis(loop.late));
  if (loop.late < options_.suspect_after) return;
  probes_.ask_all_soon();
  succession_.await_confirmation(ConfirmReason::kStoodStill, now);
}

void LeaderTracker::Rules::on_vault_answer(NodeId id, const ProbeAnswer& answer, TimePoint now) {
  NodeState& asked = members_.at(id);
  const bool claims = answer.facts.role == Role::kActive;
  Role role = answer.facts.role;
  if (identity_.judge(answer.facts.cluster_id, claims) == ClusterIdentity::Verdict::kForeign) role = Role::kForeign;
  if (count_answer(asked, options_)) journal_.report(EventKind::kNodeUp).node = id;

  if (role == Role::kActive) {
    // The answer to an old question: what has been denied since is not claimed by it.
    if (answer.sent < asked.denied_at) {
      probes_.of(id).ask_soon();
      return;
    }
    if (is_denial(asked.seen.role) && asked.seen.role != Role::kForeign) asked.rose_at = now;
    members_.forget_if_contradicted(id, answer.sent);
    state_role(id, role, now);
    asked.claim_sent = std::max(asked.claim_sent, answer.sent);
    succession_.on_claim(id, answer.sent, now);
  } else {
    asked.denied_at = std::max(asked.denied_at, answer.received);
    state_role(id, role, now);
    void_claims_of_other_names(id, now);
    on_denial(id, now);
  }
}

void LeaderTracker::Rules::on_denial(NodeId id, TimePoint now) {
  const std::string why = fmt::format("{} says {}", members_.name(id), to_text(members_.at(id).seen.role));
  succession_.withdraw(id, why, "the challenger says it does not lead", now);
}

void LeaderTracker::Rules::on_silence(NodeId id, const std::string& what, TimePoint now) {
  NodeState& quiet = members_.at(id);
  if (count_silence(quiet, options_, now)) journal_.report(EventKind::kNodeDown).node = id;
  succession_.on_silence(id, what, now);
  if (quiet.seen.up) return;
  const bool answered = quiet.seen.facts.role == Role::kError && !quiet.seen.failure.has_value();
  state_role(id, answered ? Role::kError : Role::kSilent, now);
  succession_.end_contest_of(id, "the challenger fell silent");
}

void LeaderTracker::Rules::state_role(NodeId id, Role role, TimePoint now) {
  if (members_.state_role(id, role, identity_.pinned(), now, journal_)) probes_.of(id).hurry();
}

// A server that has denied to lead has denied it under all of its names: an answer that was asked for earlier by
// another name must not bring it back.
void LeaderTracker::Rules::void_claims_of_other_names(NodeId id, TimePoint now) {
  const NodeState& denying = members_.at(id);
  for (const NodeId alias : members_.ids()) {
    NodeState& other = members_.at(alias);
    if (other.seen.same_as != id || other.seen.role != Role::kActive) continue;
    other.denied_at = std::max(other.denied_at, denying.denied_at);
    probes_.of(alias).ask_soon();
    state_role(alias, denying.seen.role, now);
    on_denial(alias, now);
  }
}

// Who had been believed before the majority was known may turn out to be a stranger.
void LeaderTracker::Rules::on_cluster_id_learned(std::optional<NodeId> by, TimePoint now) {
  journal_.report(EventKind::kClusterIdLearned).why = identity_.pinned();
  expel_strangers(by, now);
}

void LeaderTracker::Rules::expel_strangers(std::optional<NodeId> but, TimePoint now) {
  for (const NodeId id : members_.ids()) {
    NodeState& each = members_.at(id);
    if (id == but || each.cluster_id.empty() || each.cluster_id == identity_.pinned()) continue;
    each.denied_at = std::max(each.denied_at, now);
    state_role(id, Role::kForeign, now);
    on_denial(id, now);
  }
}

void LeaderTracker::Rules::wake_up(TimePoint now) {
  const Demand::Woken woken = demand_.note_traffic(options_, now);
  if (woken.was_unused) probes_.ask_all_soon();
  if (woken.was_idle) succession_.await_confirmation(ConfirmReason::kWasIdle, now);
}

Step LeaderTracker::Rules::settle(TimePoint now) {
  probes_.begin_due_rounds(now);
  succession_.settle(now);
  notice_identity_dispute();
  const Leadership& leadership = succession_.leadership();
  const bool may_idle =
      leadership.is_settled() && !succession_.contest().has_value() && !leadership.awaits_confirmation().has_value();
  demand_.settle(may_idle, options_, now, journal_);
  probes_.order_due(members_, pace(now), options_, now, journal_);
  publish(now);
  publication_.tell(succession_.claim(), journal_);
  return journal_.close(*members_.topology(), publication_.view(), next_wake(now));
}

void LeaderTracker::Rules::notice_identity_dispute() {
  const bool was_disputed = std::exchange(is_identity_disputed_, members_.is_identity_disputed(identity_));
  if (is_identity_disputed_ && !was_disputed) journal_.report(EventKind::kConflict).why = kIdentityDispute;
}

void LeaderTracker::Rules::publish(TimePoint now) {
  for (const NodeId id : members_.ids()) {
    NodeState& each = members_.at(id);
    each.seen.is_ours = members_.is_ours(each, identity_);
    each.seen.silent_since = probes_.of(id).silent_since(options_, now);
  }
  publication_.publish(picture(), now);
}

PaceContext LeaderTracker::Rules::pace(TimePoint now) const {
  PaceContext context;
  context.unsettled_since = succession_.leadership().unsettled_since();
  context.contested = succession_.contest().has_value();
  context.paused = demand_.is_paused();
  context.unused = demand_.is_unused(options_, now);
  return context;
}

TimePoint LeaderTracker::Rules::next_wake(TimePoint now) const {
  return std::min({probes_.next_due(members_, pace(now), options_, now), succession_.next_wake(now),
                   demand_.next_wake(options_, now)});
}

Picture LeaderTracker::Rules::picture() const { return Picture({options_, members_, identity_, succession_, demand_}); }

}  // namespace bellwether::cluster
