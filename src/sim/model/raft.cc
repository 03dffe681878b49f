#include "raft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::sim {

Raft::Raft(const ModelOptions& options, const Processes& processes, Prng& prng, TimePoint now)
    : options_(options), processes_(processes), prng_(prng), nodes_(options.urls.size()) {
  BW_ASSERT(!nodes_.empty());
  nodes_.front().role = NodeRole::kActive;
  for (RaftNode& node : nodes_) {
    node.knows_leader = 0;
    node.active_since = now;
    node.electable_from = now;
  }
}

int Raft::leader() const {
  if (leader_ < 0) return -1;
  const RaftNode& n = node(leader_);
  return processes_.is_running(leader_) && n.role == NodeRole::kActive && !n.is_blocked() ? leader_ : -1;
}

TimePoint Raft::data_as_of(int node, TimePoint now) const {
  const RaftNode& n = this->node(node);
  return std::min(n.is_active() ? now : now - options_.replication_lag, n.cut_at);
}

Result<void> Raft::step_down(int node, TimePoint now) {
  if (leader() != node) return fail(ErrorKind::kInvalid, fmt::format("n{} does not lead", node + 1));
  at(node).electable_from = now + kStepDownPause;
  end_leadership(node, NodeRole::kStandby, now);
  return {};
}

Result<void> Raft::seal(int node, TimePoint now) {
  RaftNode& n = at(node);
  if (!processes_.is_running(node)) return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  if (leader_ == node) {
    end_leadership(node, NodeRole::kSealed, now);
    return {};
  }
  if (n.is_blocked()) {
    n.after_block = NodeRole::kSealed;
  } else {
    n.role = NodeRole::kSealed;
    n.pretends = false;
    n.learns_at = kNever;
  }
  reconcile(now, options_.crash_election);
  return {};
}

Result<void> Raft::unseal(int node, TimePoint now) {
  RaftNode& n = at(node);
  if (n.is_blocked() && n.after_block == NodeRole::kSealed) {
    n.after_block = NodeRole::kStandby;
  } else if (n.role == NodeRole::kSealed && processes_.is_running(node)) {
    n.role = NodeRole::kStandby;
    n.knows_leader = -1;
    n.learns_at = now + kLearnDelay;
  } else {
    return fail(ErrorKind::kInvalid, fmt::format("n{} is not sealed", node + 1));
  }
  reconcile(now, kQuorumElection);
  return {};
}

void Raft::on_started(int node, TimePoint now) {
  RaftNode& n = at(node);
  n.role = NodeRole::kStandby;
  n.knows_leader = leader_ >= 0 && !n.is_partitioned ? leader_ : advertised_;
  reconcile(now, kQuorumElection);
}

void Raft::on_stopped(int node, Duration election, TimePoint now) {
  RaftNode& n = at(node);
  RaftNode fresh;
  fresh.is_partitioned = n.is_partitioned;
  fresh.cut_at = n.is_partitioned ? n.cut_at : kNever;
  fresh.knows_leader = n.knows_leader;
  fresh.electable_from = now;
  n = fresh;
  if (leader_ == node) {
    become_leaderless(now);
    election_at_ = kNever;
  }
  reconcile(now, election);
}

void Raft::on_frozen(int node, TimePoint now) {
  at(node).cut_at = std::min(at(node).cut_at, now);
  reconcile(now, options_.crash_election);
}

void Raft::on_thawed(int node, TimePoint now) {
  RaftNode& n = at(node);
  // Deposed in its sleep: what it says first is about the time before.
  if (n.role == NodeRole::kActive && leader_ != node && !n.is_blocked()) {
    n.lease_ends = now + kWokenLease;
  } else if (!n.is_partitioned) {
    n.cut_at = kNever;
  }
  reconcile(now, kQuorumElection);
  changes_.push_back({RaftChange::Kind::kAnswersAgain, node});
}

Result<void> Raft::partition(int node, TimePoint now) {
  RaftNode& n = at(node);
  if (n.is_partitioned) return fail(ErrorKind::kInvalid, fmt::format("n{} is cut off already", node + 1));
  n.is_partitioned = true;
  n.cut_at = now;
  n.learns_at = kNever;
  if (n.role != NodeRole::kActive) n.knows_leader = -1;
  reconcile(now, options_.crash_election);
  return {};
}

void Raft::heal(int node, TimePoint now) {
  RaftNode& n = at(node);
  if (std::exchange(n.is_partitioned, false)) {
    n.cut_at = kNever;
    if (n.role == NodeRole::kStandby && processes_.is_running(node)) n.learns_at = now + kRejoinDelay;
    // Healed within its lease, but the others have elected meanwhile.
    if (n.role == NodeRole::kActive && leader_ != node && !n.is_blocked()) end_lease(node, now);
  }
  n.pretends = false;
  n.stated = Stated::kItself;
  reconcile(now, kQuorumElection);
}

Result<void> Raft::pretend_to_lead(int node) {
  if (at(node).role != NodeRole::kStandby || !processes_.is_running(node)) {
    return fail(ErrorKind::kInvalid, fmt::format("n{} is not a running standby", node + 1));
  }
  at(node).pretends = true;
  return {};
}

Result<void> Raft::state_role(int node, Stated stated, TimePoint now) {
  if (leader_ == node) return fail(ErrorKind::kInvalid, fmt::format("n{} leads: step it down first", node + 1));
  at(node).stated = stated;
  reconcile(now, options_.crash_election);
  return {};
}

void Raft::do_due(int node, TimePoint now) {
  const RaftNode& n = at(node);
  if (n.lease_ends <= now) end_lease(node, now);
  if (n.block_ends <= now) end_block(node, now);
  if (n.learns_at <= now) learn(node);
}

void Raft::elect_if_due(TimePoint now) {
  if (election_at_ <= now) elect(now);
}

TimePoint Raft::next_due() const {
  TimePoint due = election_at_;
  for (int i = 0; i < size(); ++i) {
    // A frozen process does nothing by itself; it catches up when it is thawed.
    if (!processes_.is_running(i)) continue;
    due = std::min({due, node(i).learns_at, node(i).lease_ends, node(i).block_ends});
  }
  return due;
}

std::vector<RaftChange> Raft::take_changes() { return std::exchange(changes_, {}); }

bool Raft::is_alive(int node) const {
  const RaftNode& n = this->node(node);
  const bool sealing = n.is_blocked() && n.after_block == NodeRole::kSealed;
  const bool is_member =
      n.stated != Stated::kUninitialized && n.stated != Stated::kRemoved && n.stated != Stated::kDrSecondary;
  return processes_.is_running(node) && n.role != NodeRole::kSealed && !sealing && is_member;
}

bool Raft::has_quorum() const {
  int alive = 0;
  for (int i = 0; i < size(); ++i) alive += is_alive(i) && !is_cut_off(i) ? 1 : 0;
  return alive >= size() / 2 + 1;
}

bool Raft::leader_has_quorum() const {
  return leader_ >= 0 && is_alive(leader_) && has_quorum() && !is_cut_off(leader_);
}

void Raft::reconcile(TimePoint now, Duration election) {
  if (leader_has_quorum()) {
    election_at_ = kNever;
    if (std::exchange(at(leader_).lease_ends, kNever) != kNever) {
      changes_.push_back({RaftChange::Kind::kQuorumRegained, leader_});
    }
    return;
  }
  if (leader_ >= 0 && processes_.is_running(leader_) && !node(leader_).lacks_quorum()) {
    at(leader_).lease_ends = now + options_.lease;
  }
  if (!has_quorum()) {
    election_at_ = kNever;
  } else if (election_at_ == kNever) {
    election_at_ = now + election;
  }
}

void Raft::become_leaderless(TimePoint now) {
  leader_ = -1;
  leaderless_since_ = now;
}

void Raft::end_leadership(int node, NodeRole next, TimePoint now) {
  become_leaderless(now);
  block(node, next, now);
  election_at_ = kNever;
  reconcile(now, options_.election);
}

void Raft::block(int node, NodeRole next, TimePoint now) {
  RaftNode& n = at(node);
  n.lease_ends = kNever;
  n.block_ends = now + options_.demotion_block;
  n.after_block = next;
  n.pretends = false;
  changes_.push_back({RaftChange::Kind::kLeadershipLost, node});
}

void Raft::end_lease(int node, TimePoint now) {
  if (leader_ == node) become_leaderless(now);
  block(node, NodeRole::kStandby, now);
}

void Raft::end_block(int node, TimePoint now) {
  RaftNode& n = at(node);
  n.block_ends = kNever;
  n.role = n.after_block;
  n.knows_leader = -1;
  n.learns_at = kNever;
  if (!n.is_partitioned) n.cut_at = kNever;
  if (leader_ >= 0 && !n.is_partitioned) {
    const bool settled = now - at(leader_).active_since > 10 * kLearnDelay;
    if (settled) {
      n.knows_leader = leader_;
    } else {
      n.learns_at = now + kLearnDelay;
    }
  }
  changes_.push_back({RaftChange::Kind::kAnswersAgain, node});
}

void Raft::learn(int node) {
  RaftNode& n = at(node);
  n.learns_at = kNever;
  if (n.is_partitioned || n.role != NodeRole::kStandby) return;
  n.knows_leader = leader_ >= 0 ? leader_ : n.knows_leader;
  changes_.push_back({RaftChange::Kind::kLeaderLearned, node});
}

// Those that stand for election soonest, of all that may.
std::vector<int> Raft::candidates(TimePoint now) const {
  std::vector<int> found;
  for (int i = 0; i < size(); ++i) {
    const RaftNode& n = node(i);
    if (is_alive(i) && !is_cut_off(i) && !n.is_blocked() && n.role == NodeRole::kStandby) found.push_back(i);
  }
  const auto stands_at = [&](int candidate) { return std::max(node(candidate).electable_from, now); };
  TimePoint soonest = kNever;
  for (const int candidate : found) soonest = std::min(soonest, stands_at(candidate));
  std::erase_if(found, [&](int candidate) { return stands_at(candidate) > soonest; });
  return found;
}

void Raft::elect(TimePoint now) {
  election_at_ = kNever;
  const std::vector<int> standing = candidates(now);
  if (standing.empty()) {
    if (has_quorum()) election_at_ = now + kLearnDelay;  // those that could are still blocked
    return;
  }
  leader_ = standing[prng_.below(standing.size())];
  advertised_ = leader_;
  leaderless_since_ = kNever;
  RaftNode& leader = at(leader_);
  leader.role = NodeRole::kActive;
  leader.pretends = false;
  leader.stated = Stated::kItself;
  leader.active_since = now;
  for (int i = 0; i < size(); ++i) {
    if (i != leader_ && (at(i).is_partitioned || at(i).is_blocked())) continue;
    at(i).knows_leader = i == leader_ ? leader_ : -1;
    at(i).learns_at = i == leader_ ? kNever : now + kLearnDelay;
  }
}

}  // namespace bellwether::sim
