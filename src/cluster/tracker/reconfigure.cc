#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"
#include "rules.h"

// Nodes come, go and change their names, and settings change, while the tracker goes on.
namespace bellwether::cluster {

// The nodes first: another cluster_id is held against those that stay, not against those that go with the old one.
void LeaderTracker::Rules::on(const Reconfigure& change, TimePoint now) {
  take_over_nodes(change.options.topology, now);
  take_over_settings(change.options, now);
}

void LeaderTracker::Rules::take_over_settings(const TrackerOptions& options, TimePoint now) {
  const std::string id_before = options_.cluster_id;
  const std::uint64_t seed = options_.seed;
  options_ = options;
  options_.topology.reset();
  options_.seed = seed;
  hints_ = new_hint_gate(options_.inter);
  slow_hints_ = new_hint_gate(std::min(options_.inter, kLongestSlowGap));
  if (options_.cluster_id == id_before) return;
  identity_.configure(options_.cluster_id);
  if (!options_.cluster_id.empty()) expel_strangers(std::nullopt, now);
  probe_all_now();
}

void LeaderTracker::Rules::take_over_nodes(const TopologyPtr& next, TimePoint now) {
  BW_ASSERT(next && !next->nodes.empty());
  if (next == topology_) return;
  topology_before_ = std::exchange(topology_, next);
  take_over_states(now);
  learn_cluster_from_those_left(now);
  for (const NodeId id : topology_before_->nodes.ids()) {
    if (!nodes_.has(id)) on_removed(id, now);
  }
}

// A cluster_id that was learned is forgotten when no node is left that states it; others are judged anew then.
void LeaderTracker::Rules::learn_cluster_from_those_left(TimePoint now) {
  const std::string before = identity_.pinned();
  NodeTable<std::optional<std::string>> stated;
  for (const NodeId id : nodes_.ids()) {
    const std::string& cluster = node(id).cluster_id;
    stated.add(id, cluster.empty() ? std::nullopt : std::optional(cluster));
  }
  if (identity_.set_nodes(stated)) on_cluster_id_learned(std::nullopt, now);
  if (identity_.pinned() != before) probe_all_now();
}

// What stays keeps its state. A probe that a removed node owes an answer to is nobody's when it ends (end_probe).
void LeaderTracker::Rules::take_over_states(TimePoint now) {
  NodeTable<AdminState> ordered;
  for (const NodeId id : topology_->nodes.ids()) ordered.add(id, admin_state_for(id));
  NodeTable<NodeState> next;
  for (const NodeId id : topology_->nodes.ids()) {
    if (NodeState* const known = nodes_.find(id)) {
      next.add(id, std::move(*known));
      report_renaming(id, now);
    } else {
      next.add(id).seen.role_since = now;
      newest_node_since_ = now;
      report(EventKind::kNodeAdded, now).node = id;
    }
  }
  nodes_ = std::move(next);
  for (const NodeId id : nodes_.ids()) set_admin_state(id, ordered.at(id), now);
}

// The operator's word is about a name: it concerns the machine that has the name now. A new name says nothing.
AdminState LeaderTracker::Rules::admin_state_for(NodeId id) const {
  if (const std::optional<NodeId> named = topology_before_->named(name(id))) return node(*named).seen.admin;
  const NodeState* const known = nodes_.find(id);
  return known != nullptr ? known->seen.admin : AdminState::kReady;
}

void LeaderTracker::Rules::report_renaming(NodeId id, TimePoint now) {
  const std::string_view before = topology_before_->name(id);
  if (before == name(id)) return;
  Event& event = report(EventKind::kNodeRenamed, now);
  event.node = id;
  event.why = fmt::format("it was called {}", before);
}

void LeaderTracker::Rules::on_removed(NodeId id, TimePoint now) {
  const std::string_view name_before = topology_before_->name(id);
  Event& event = report(EventKind::kNodeRemoved, now);
  event.node = id;
  if (is_leader(id)) event.why = "it is the leader: what is new waits until another node leads";
  for (const NodeId alias : nodes_.ids()) {
    if (node(alias).seen.same_as != id) continue;
    forget_same_server(alias);
    node(alias).probe_now = true;
  }
  if (last_leader_ == id) removed_leader_name_ = name_before;
  if (followed_ == id) followed_.reset();
  if (contest_.has_value() && contest_->challenger == id) end_contest("the challenger was removed", now);
  if (is_leader(id)) become_leaderless(fmt::format("{} was removed from the nodes", name_before), now);
}

}  // namespace bellwether::cluster
