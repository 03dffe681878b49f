#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/assert.h"
#include "rules.h"

namespace bellwether::cluster {

// Something has changed, so those that said it were right.
void LeaderTracker::Rules::reset_hints() {
  hints_.reset();
  slow_hints_.reset();
}

bool LeaderTracker::Rules::may_lead(const NodeState& candidate) const {
  return candidate.seen.admin == AdminState::kReady &&
         identity_.judge(candidate.cluster_id, true) == ClusterIdentity::Verdict::kOurs;
}

// By the cluster_id that it stated last. Before one is pinned, nodes that state different ones are all in doubt.
bool LeaderTracker::Rules::is_ours(const NodeState& candidate) const {
  if (candidate.cluster_id.empty()) return true;
  if (!identity_.pinned().empty()) return candidate.cluster_id == identity_.pinned();
  return std::none_of(nodes_.begin(), nodes_.end(), [&](const NodeState& other) {
    return !other.cluster_id.empty() && other.cluster_id != candidate.cluster_id;
  });
}

// Evidence about a moment before the leader's own latest claim says nothing against the leader; and a leader that was
// lost leads again only by a claim asked for since.
bool LeaderTracker::Rules::is_newer_than_leader(const NodeState& candidate) const {
  if (!last_leader_.has_value()) return true;
  const bool was_leader = &candidate == nodes_.find(*last_leader_);
  return was_leader ? candidate.claim_sent >= lost_at_ : candidate.claim_sent >= leader_claim_sent_;
}

// Before the cluster_id is settled, one claim is believed only when every other node has had its chance to contradict.
bool LeaderTracker::Rules::others_were_asked(NodeId claimant, TimePoint now) const {
  if (!identity_.pinned().empty()) return true;
  for (const NodeId id : nodes_.ids()) {
    const NodeState& other = node(id);
    const bool heard = other.ever_answered || other.seen.failure.has_value() || other.seen.facts.status != 0;
    if (id != claimant && !heard && now - newest_node_since_ < options_.suspect_after) return false;
  }
  return true;
}

// Without a leader: the node that claims and may lead. Where two do, the one that answers, then the newer claim; the
// other contests it.
void LeaderTracker::Rules::elect_waiting_claimant(const std::string& why, TimePoint now) {
  BW_ASSERT(!leader_.has_value());
  std::vector<NodeId> claimants;
  for (const NodeId id : nodes_.ids()) {
    const NodeState& candidate = node(id);
    if (candidate.seen.role != Role::kActive || candidate.claim_sent == kLongAgo) continue;
    if (!may_lead(candidate) || !is_newer_than_leader(candidate) || !others_were_asked(id, now)) continue;
    claimants.push_back(id);
  }
  std::stable_sort(claimants.begin(), claimants.end(), [&](NodeId a, NodeId b) {
    const bool a_late = has_late_probe(node(a), now);
    const bool b_late = has_late_probe(node(b), now);
    return a_late != b_late ? b_late : node(a).claim_sent > node(b).claim_sent;
  });
  if (claimants.empty()) return;
  become_leader(claimants[0], node(claimants[0]).claim_sent, why, now);
  const auto other = std::find_if(claimants.begin() + 1, claimants.end(),
                                  [&](NodeId each) { return node(each).seen.same_as != claimants[0]; });
  if (other != claimants.end()) contest(*other, now);
}

void LeaderTracker::Rules::become_leader(NodeId id, TimePoint claim_sent, const std::string& why, TimePoint now) {
  BW_ASSERT(!is_leader(id) && node(id).seen.role == Role::kActive && may_lead(node(id)));
  Event& event = report(EventKind::kLeaderElected, now);
  event.node = id;
  event.other = last_leader_;
  if (last_leader_.has_value() && !nodes_.has(*last_leader_)) event.other_name = removed_leader_name_;
  event.epoch = epoch_ + 1;
  event.last_claim = last_claim();
  if (const auto since = unsettled_since()) event.unsettled = now - *since;
  if (contest_.has_value()) event.contested = now - contest_->begun;
  event.why = why;
  if (contest_.has_value()) end_contest(fmt::format("{} leads: {}", name(id), why), now);
  if (NodeState* const former = last_leader_ ? nodes_.find(*last_leader_) : nullptr) former->replaced_at = now;
  if (followed_ != id) followed_.reset();
  if (node(id).seen.same_as.has_value()) forget_same_server(id);
  leader_ = id;
  last_leader_ = id;
  epoch_ += 1;
  leader_since_ = now;
  leader_claim_sent_ = claim_sent;
  suspect_since_.reset();
  leaderless_since_.reset();
  // The claim that won is as fresh as any that was waited for.
  if (confirm_since_.has_value() && claim_sent >= *confirm_since_) confirm_since_.reset();
  reset_hints();
  for (NodeState& each : nodes_) each.fast_rounds = std::max(each.fast_rounds, kFastRoundsAfterChange);
}

void LeaderTracker::Rules::become_leaderless(const std::string& why, TimePoint now) {
  BW_ASSERT(leader_.has_value());
  Event& event = report(EventKind::kLeaderLost, now);
  event.node = leader_;
  event.epoch = epoch_;
  event.last_claim = last_claim();
  event.why = why;
  leaderless_since_ = suspect_since_.value_or(now);
  leader_.reset();
  followed_.reset();
  suspect_since_.reset();
  confirm_since_.reset();
  stalled_ = false;
  lost_at_ = now;
  lost_why_ = why;
  reset_hints();
  if (contest_.has_value()) end_contest(why, now);
  elect_waiting_claimant("it claims to lead, and " + why, now);
}

void LeaderTracker::Rules::become_suspect(const std::string& why, TimePoint now) {
  if (suspect_since_.has_value()) return;
  Event& event = report(EventKind::kLeaderSuspect, now);
  event.node = leader_;
  event.epoch = epoch_;
  event.last_claim = last_claim();
  event.why = why;
  suspect_since_ = now;
  suspect_why_ = why;
  reset_hints();
  if (!contest_.has_value()) return;
  const NodeId challenger = contest_->challenger;
  if (is_left_behind(challenger)) return;
  if (!may_lead(node(challenger)) || has_late_probe(node(challenger), now)) return;  // its next claim will do
  become_leader(challenger, node(challenger).claim_sent, fmt::format("it claims to lead while {}", why), now);
}

void LeaderTracker::Rules::become_confirmed(TimePoint now) {
  Event& event = report(EventKind::kLeaderConfirmed, now);
  event.node = leader_;
  event.epoch = epoch_;
  suspect_since_.reset();
}

void LeaderTracker::Rules::await_confirmation(ConfirmReason reason, TimePoint now) {
  confirm_since_ = now;
  confirm_reason_ = reason;
}

}  // namespace bellwether::cluster
