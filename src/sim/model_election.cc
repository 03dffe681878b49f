#include <algorithm>
#include <utility>

#include "model.h"

// Who leads, and how a node stops leading.
namespace bellwether::sim {

bool Model::is_alive(int node) const {
  const Node& n = at(node);
  const bool sealing = is_blocked(n) && n.after_block == NodeRole::kSealed;
  const bool is_member =
      n.stated != Stated::kUninitialized && n.stated != Stated::kRemoved && n.stated != Stated::kDrSecondary;
  return n.process == Process::kRunning && n.role != NodeRole::kSealed && !sealing && is_member;
}

bool Model::has_quorum() const {
  int alive = 0;
  for (int i = 0; i < size(); ++i) alive += is_alive(i) && (!at(i).partitioned || size() == 1) ? 1 : 0;
  return alive >= size() / 2 + 1;
}

bool Model::leader_has_quorum() const {
  return leader_ >= 0 && is_alive(leader_) && has_quorum() && (!at(leader_).partitioned || size() == 1);
}

void Model::reconcile(TimePoint now, Duration election) {
  if (leader_has_quorum()) {
    election_at_ = kNever;
    if (std::exchange(at(leader_).lease_ends, kNever) != kNever) {
      serve_all(leader_, std::exchange(at(leader_).stuck, {}), now);
    }
    return;
  }
  if (leader_ >= 0 && at(leader_).process == Process::kRunning && at(leader_).lease_ends == kNever) {
    at(leader_).lease_ends = now + options_.lease;
  }
  if (!has_quorum()) {
    election_at_ = kNever;
  } else if (election_at_ == kNever) {
    election_at_ = now + election;
  }
}

void Model::end_leadership(int node, NodeRole next, Duration election, TimePoint now) {
  leader_ = -1;
  leaderless_since_ = now;
  block(node, next, now);
  election_at_ = kNever;
  reconcile(now, election);
}

void Model::block(int node, NodeRole next, TimePoint now) {
  Node& n = at(node);
  n.lease_ends = kNever;
  n.block_ends = now + options_.demotion_block;
  n.after_block = next;
  n.pretends = false;
  // Raft took these entries but never committed them (V:vault/ha.go; seen in traces/raft-partition).
  for (Pending& stuck : std::exchange(n.stuck, {})) {
    answer(stuck.id, errors_answer(500, {"1 error occurred:\n\t* leadership lost while committing log\n\n"}), now);
  }
}

void Model::end_lease(int node, TimePoint now) {
  if (leader_ == node) {
    leader_ = -1;
    leaderless_since_ = now;
  }
  block(node, NodeRole::kStandby, now);
}

void Model::end_block(int node, TimePoint now) {
  Node& n = at(node);
  n.block_ends = kNever;
  n.role = n.after_block;
  n.knows_leader = -1;
  n.learns_at = kNever;
  if (!n.partitioned) n.cut_at = kNever;
  if (leader_ >= 0 && !n.partitioned) {
    const bool settled = now - at(leader_).active_since > 10 * kLearnDelay;
    if (settled) {
      n.knows_leader = leader_;
    } else {
      n.learns_at = now + kLearnDelay;
    }
  }
  serve_all(node, std::exchange(n.waiting, {}), now);
}

void Model::elect(TimePoint now) {
  election_at_ = kNever;
  std::vector<int> candidates;
  for (int i = 0; i < size(); ++i) {
    const Node& n = at(i);
    if (is_alive(i) && (!n.partitioned || size() == 1) && !is_blocked(n) && n.role == NodeRole::kStandby) {
      candidates.push_back(i);
    }
  }
  if (candidates.empty()) {
    if (has_quorum()) election_at_ = now + kLearnDelay;  // those that could are still blocked
    return;
  }
  const auto reluctance = [&](int node) { return std::max(at(node).electable_from, now); };
  const TimePoint least = reluctance(*std::min_element(candidates.begin(), candidates.end(),
                                                       [&](int a, int b) { return reluctance(a) < reluctance(b); }));
  std::erase_if(candidates, [&](int node) { return reluctance(node) > least; });
  leader_ = candidates[prng_.below(candidates.size())];
  advertised_ = leader_;
  leaderless_since_ = kNever;
  at(leader_).role = NodeRole::kActive;
  at(leader_).pretends = false;
  at(leader_).stated = Stated::kItself;
  at(leader_).active_since = now;
  for (int i = 0; i < size(); ++i) {
    if (i != leader_ && (at(i).partitioned || is_blocked(at(i)))) continue;
    at(i).knows_leader = i == leader_ ? leader_ : -1;
    at(i).learns_at = i == leader_ ? kNever : now + kLearnDelay;
  }
}

void Model::learn(int node, TimePoint now) {
  Node& n = at(node);
  n.learns_at = kNever;
  if (n.partitioned || n.role != NodeRole::kStandby) return;
  n.knows_leader = leader_ >= 0 ? leader_ : n.knows_leader;
  // Its forwards to the old leader end with that connection.
  for (int i = 0; i < size(); ++i) {
    if (i != n.knows_leader) release_forwards_to(i, now);
  }
}

void Model::start(int node, TimePoint now) {
  Node& n = at(node);
  n.starts_at = kNever;
  n.process = Process::kRunning;
  n.role = NodeRole::kStandby;
  n.knows_leader = leader_ >= 0 && !n.partitioned ? leader_ : advertised_;
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kStart});
  reconcile(now, kQuorumElection);
}

}  // namespace bellwether::sim
