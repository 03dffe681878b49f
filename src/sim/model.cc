#include "model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::sim {

Model::Model(ModelOptions options, TimePoint now)
    : options_(std::move(options)), started_(now), prng_(options_.seed), nodes_(options_.urls.size()) {
  BW_ASSERT(!nodes_.empty());
  cluster_id_ = random_uuid(prng_);
  foreign_cluster_id_ = random_uuid(prng_);
  nodes_.front().role = NodeRole::kActive;
  for (Node& node : nodes_) {
    node.knows_leader = 0;
    node.active_since = now;
    node.electable_from = now;
  }
}

void Model::tick(TimePoint now) {
  for (TimePoint due = next_due(); due <= now; due = next_due()) do_due(due);
}

TimePoint Model::next_due() const {
  TimePoint due = election_at_;
  if (!delayed_.empty()) due = std::min(due, delayed_.begin()->first);
  for (const Node& node : nodes_) {
    // A frozen process does nothing by itself; it catches up when it wakes.
    if (node.process == Process::kRunning) {
      due = std::min({due, node.learns_at, node.lease_ends, node.block_ends});
    }
    due = std::min({due, node.starts_at, node.undo_at});
  }
  return due;
}

void Model::do_due(TimePoint now) {
  for (int i = 0; i < size(); ++i) {
    Node& node = at(i);
    if (node.undo_at <= now) {
      node.undo_at = kNever;
      // The state may have changed since; then there is nothing to undo.
      static_cast<void>(inject(i, std::exchange(node.undo, {}), Duration{}, now));
    }
    if (node.starts_at <= now) start(i, now);
    if (node.process != Process::kRunning) continue;
    if (node.lease_ends <= now) end_lease(i, now);
    if (node.block_ends <= now) end_block(i, now);
    if (node.learns_at <= now) learn(i, now);
  }
  if (election_at_ <= now) elect(now);
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    Answer due = std::move(delayed_.extract(delayed_.begin()).mapped());
    Node& node = at(due.id.node);
    if (node.process == Process::kFrozen) {
      node.held.push_back(std::move(due));
    } else {
      actions_.emplace_back(std::move(due));
    }
  }
}

std::vector<Action> Model::take_actions() { return std::exchange(actions_, {}); }

int Model::leader() const {
  if (leader_ < 0) return -1;
  const Node& node = at(leader_);
  return node.process == Process::kRunning && node.role == NodeRole::kActive && !is_blocked(node) ? leader_ : -1;
}

NodeState Model::state(int node) const {
  const Node& n = at(node);
  return {n.process, is_active(n) ? NodeRole::kActive : n.role, is_blocked(n), n.partitioned, n.knows_leader};
}

WallTime Model::wall(TimePoint now) const {
  return options_.wall_at_start + duration_cast<WallTime::duration>(now - started_);
}

NodeFacts Model::facts(int index, TimePoint now) const {
  const Node& node = at(index);
  NodeFacts facts;
  facts.openbao = options_.openbao;
  facts.active = is_active(node);
  facts.sealed = node.role == NodeRole::kSealed;
  facts.stated = node.stated;
  if (!options_.openbao && !facts.active && leaderless_since_ != kNever &&
      now - leaderless_since_ > kDisconnectedAfter && facts.stated == Stated::kItself) {
    facts.stated = Stated::kDisconnected;
  }
  facts.cluster_id = node.foreign ? foreign_cluster_id_ : cluster_id_;
  facts.cluster_name = "vault-cluster-" + facts.cluster_id.substr(0, 8);
  if (node.knows_leader >= 0) facts.leader_url = url(node.knows_leader);
  facts.own_url = url(index);
  // The cluster address is only shown, never connected to.
  facts.leader_cluster_url = fmt::format("https://n{}:8201", facts.active ? index + 1 : node.knows_leader + 1);
  facts.active_since = wall(node.active_since);
  facts.now = wall(now);
  facts.index = 100 + store_.puts();
  return facts;
}

}  // namespace bellwether::sim
