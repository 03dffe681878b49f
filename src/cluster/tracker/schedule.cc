#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules.h"

namespace bellwether::cluster {
namespace {

bool same_node(const NodeView& a, const NodeView& b) {
  return a.role == b.role && a.up == b.up && a.admin == b.admin && a.is_ours == b.is_ours && a.failure == b.failure &&
         a.facts.status == b.facts.status && a.names_leader == b.names_leader && a.silent_since == b.silent_since &&
         a.cause == b.cause && a.same_as == b.same_as;
}

bool same_heading(const View& a, const View& b) {
  return a.topology == b.topology && a.leader == b.leader && a.epoch == b.epoch &&
         a.leaderless_since == b.leaderless_since && a.hold == b.hold && a.hold_why == b.hold_why &&
         a.suspect == b.suspect && a.challenger == b.challenger && a.idle == b.idle && a.stalled == b.stalled &&
         a.paused_until == b.paused_until && a.cluster_id == b.cluster_id;
}

// It is alive, whatever became of this one: a live request or a younger probe has been answered.
bool is_excused(const NodeState& candidate, const OutstandingProbe& probe) {
  return candidate.live_sent > probe.ordered || is_overtaken(candidate, probe.ordered);
}

}  // namespace

Step LeaderTracker::Rules::settle(TimePoint now) {
  const bool is_trouble_due = hints_.take_due(now);
  if (slow_hints_.take_due(now) || is_trouble_due || unhurried_round_at_ <= now) probe_all_now();
  notice_lateness(now);
  if (!leader_.has_value()) elect_waiting_claimant("it is the only one that claims to lead", now);
  resolve_contest(now);
  notice_identity_dispute(now);
  notice_pause_over(now);
  notice_idleness(now);
  order_probes(now);
  publish(now);
  tell_claim();
  name_nodes_in_events();
  pending_.view = view_;
  pending_.wake_at = next_wake(now);
  return std::exchange(pending_, Step{});
}

// A node that takes long for each answer is slow and not gone: its lateness begins at twice what the last one took.
Duration LeaderTracker::Rules::patience_with(const NodeState& candidate) const {
  return std::max(options_.suspect_after, std::min(candidate.seen.latency * 2, options_.inter));
}

bool LeaderTracker::Rules::is_late(const NodeState& candidate, const OutstandingProbe& probe, TimePoint now) const {
  return !is_excused(candidate, probe) && now - probe.late_from >= patience_with(candidate);
}

bool LeaderTracker::Rules::has_late_probe(const NodeState& candidate, TimePoint now) const {
  return std::any_of(candidate.outstanding.begin(), candidate.outstanding.end(),
                     [&](const OutstandingProbe& probe) { return is_late(candidate, probe, now); });
}

// A probe that is merely under way is no silence.
std::optional<TimePoint> LeaderTracker::Rules::silent_since(const NodeState& candidate, TimePoint now) const {
  const auto& since = candidate.unanswered_since;
  return since.has_value() && now - *since >= patience_with(candidate) ? since : std::nullopt;
}

void LeaderTracker::Rules::notice_lateness(TimePoint now) {
  if (!leader_.has_value() || suspect_since_.has_value()) return;
  if (has_late_probe(node(*leader_), now)) become_suspect(fmt::format("{}'s probe is late", name(*leader_)), now);
}

void LeaderTracker::Rules::notice_identity_dispute(TimePoint now) {
  const bool disputed = std::any_of(nodes_.begin(), nodes_.end(), [&](const NodeState& each) {
    return !each.cluster_id.empty() && identity_.judge(each.cluster_id, false) == ClusterIdentity::Verdict::kUndecided;
  });
  if (disputed && !identity_disputed_) {
    report(EventKind::kConflict, now).why = kIdentityDispute;
  }
  identity_disputed_ = disputed;
}

TimePoint LeaderTracker::Rules::unused_from() const {
  if (paused_until_.has_value() || options_.idle_inter <= options_.inter) return kNever;
  return last_traffic_ + options_.idle_after;
}

void LeaderTracker::Rules::notice_pause_over(TimePoint now) {
  if (paused_until_.has_value() && now >= *paused_until_)
    end_pause("the time given to `bellwether pause` is over", now);
}

void LeaderTracker::Rules::notice_idleness(TimePoint now) {
  idle_ = is_unused(now) && leader_.has_value() && !suspect_since_ && !contest_ && !confirm_since_;
}

PaceContext LeaderTracker::Rules::pace(TimePoint now) const {
  PaceContext context;
  context.unsettled_since = unsettled_since();
  context.contested = contest_.has_value();
  context.paused = paused_until_.has_value();
  context.unused = is_unused(now);
  return context;
}

// One probe in flight; once that one is late, one more on a fresh connection, never a third.
TimePoint LeaderTracker::Rules::order_due(const NodeState& candidate, TimePoint now) const {
  if (candidate.outstanding.size() >= kMaxOutstanding) return kNever;
  if (candidate.last_order == kLongAgo) return now;
  const Duration interval = probe_interval(candidate, pace(now), options_);
  const auto shortened = static_cast<Duration::rep>(static_cast<double>(interval.count()) * candidate.shortening);
  const TimePoint regular = candidate.last_order + Duration(shortened);
  if (candidate.outstanding.empty()) return candidate.probe_now ? now : regular;
  return std::max(regular, candidate.outstanding.front().late_from + options_.suspect_after);
}

void LeaderTracker::Rules::order_probes(TimePoint now) {
  for (const NodeId id : nodes_.ids()) {
    if (order_due(node(id), now) <= now) order_probe(id, now);
  }
}

void LeaderTracker::Rules::order_probe(NodeId id, TimePoint now) {
  NodeState& target = node(id);
  pending_.probes.push_back(ProbeOrder{++last_probe_, id, !target.outstanding.empty()});
  target.outstanding.push_back(OutstandingProbe{last_probe_, now, now});
  target.last_order = now;
  if (!target.unanswered_since.has_value()) target.unanswered_since = now;
  target.shortening = to_seconds(prng_.jitter(1s, kJitter / 2)) - kJitter / 2;
  target.probe_now = false;
  target.fast_rounds = std::max(target.fast_rounds - 1, 0);
}

void LeaderTracker::Rules::probe_all_now() {
  unhurried_round_at_ = kNever;
  for (NodeState& each : nodes_) each.probe_now = true;
}

// Many sidecars hear of one crash at once: those that nobody uses spread their rounds.
void LeaderTracker::Rules::probe_all_on_hint(TimePoint now) {
  if (!is_unused(now)) return probe_all_now();
  unhurried_round_at_ = std::min(unhurried_round_at_, now + prng_.jitter(kUnhurried / 2, 1.0));
}

TimePoint LeaderTracker::Rules::contest_due(TimePoint now) const {
  TimePoint due = contest_->asked_at + options_.inter;
  const TimePoint silent_witnesses = contest_->asked_at + options_.suspect_after;
  if (!all_have_said_whom_they_follow()) due = std::max(due, silent_witnesses);
  for (const TimePoint at : {silent_witnesses, contest_->begun + options_.suspect_after}) {
    if (at > now) due = std::min(due, at);
  }
  if (is_left_behind(contest_->challenger)) return due;
  for (const OutstandingProbe& probe : node(*leader_).outstanding) {
    if (is_overtaken(node(*leader_), probe.ordered)) continue;
    due = std::min(due, std::max(probe.late_from, contest_->patience_from) + contest_patience());
  }
  return due;
}

TimePoint LeaderTracker::Rules::next_wake(TimePoint now) const {
  TimePoint wake = std::min({hints_.due(), slow_hints_.due(), unhurried_round_at_});
  for (const NodeState& each : nodes_) wake = std::min(wake, order_due(each, now));
  if (leader_.has_value() && !suspect_since_.has_value()) {
    const NodeState& leader = node(*leader_);
    for (const OutstandingProbe& probe : leader.outstanding) {
      if (!is_excused(leader, probe)) wake = std::min(wake, probe.late_from + patience_with(leader));
    }
  }
  if (contest_.has_value()) wake = std::min(wake, contest_due(now));
  if (!is_unused(now)) wake = std::min(wake, unused_from());
  if (paused_until_.has_value()) wake = std::min(wake, *paused_until_);
  const TimePoint all_had_their_chance = newest_node_since_ + options_.suspect_after;
  if (!leader_.has_value() && all_had_their_chance > now) wake = std::min(wake, all_had_their_chance);
  return wake;
}

// All of the picture but the nodes.
View LeaderTracker::Rules::heading(TimePoint now) const {
  View view;
  view.serial = view_ ? view_->serial : 0;
  view.at = now;
  view.topology = topology_;
  view.leader = leader_;
  view.epoch = epoch_;
  view.leader_since = leader_since_;
  if (leader_.has_value()) view.claim_asked = leader_claim_sent_;
  view.leaderless_since = leaderless_since_;
  view.suspect = suspect_since_.has_value();
  if (contest_.has_value() && contest_->both_lead) view.challenger = contest_->challenger;
  view.idle = idle_;
  view.stalled = stalled_;
  view.paused_until = paused_until_;
  view.cluster_id = identity_.pinned();
  HoldState hold = hold_state();
  view.hold = hold.reason;
  view.hold_why = std::move(hold.why);
  return view;
}

View LeaderTracker::Rules::picture(TimePoint now) const {
  View view = heading(now);
  for (const NodeId id : nodes_.ids()) view.nodes.add(id, node(id).seen);
  return view;
}

// Most calls change nothing that is visible: the nodes are copied only when something has.
void LeaderTracker::Rules::publish(TimePoint now) {
  for (NodeState& each : nodes_) {
    each.seen.is_ours = is_ours(each);
    each.seen.silent_since = silent_since(each, now);
  }
  const bool same_nodes = std::equal(nodes_.begin(), nodes_.end(), view_->nodes.begin(), view_->nodes.end(),
                                     [](const NodeState& a, const NodeView& b) { return same_node(a.seen, b); });
  if (same_nodes && same_heading(heading(now), *view_)) return;
  View next = picture(now);
  next.serial = view_->serial + 1;
  view_ = std::make_shared<const View>(std::move(next));
}

// While it is in doubt who leads, a claim confirms nothing.
void LeaderTracker::Rules::tell_claim() {
  if (!leader_.has_value() || suspect_since_.has_value() || contest_.has_value()) return;
  const Claim claim{*leader_, epoch_, leader_claim_sent_};
  if (told_claim_ == claim) return;
  told_claim_ = claim;
  pending_.claim = claim;
}

ViewPtr LeaderTracker::Rules::snapshot(TimePoint now) const { return std::make_shared<const View>(picture(now)); }

void LeaderTracker::Rules::name_nodes_in_events() {
  for (Event& event : pending_.events) {
    event.node_name = name_in_event(event.node);
    // The leader before may have gone long before another one was found.
    if (event.other_name.empty()) event.other_name = name_in_event(event.other);
  }
  topology_before_.reset();
}

std::string LeaderTracker::Rules::name_in_event(std::optional<NodeId> id) const {
  if (!id.has_value()) return {};
  const bool is_removed = !nodes_.has(*id) && topology_before_ != nullptr;
  return std::string(is_removed ? topology_before_->name(*id) : name(*id));
}

Event& LeaderTracker::Rules::report(EventKind kind, TimePoint now) {
  Event& event = pending_.events.emplace_back();
  event.kind = kind;
  event.at = now;
  event.epoch = epoch_;
  return event;
}

}  // namespace bellwether::cluster
