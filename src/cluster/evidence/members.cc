#include "members.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

std::string why_foreign(const NodeState& stated, const std::string& ours) {
  const std::string what = stated.cluster_id.empty()
                               ? "it claims to lead but states no cluster_id"
                               : fmt::format("it states the cluster_id {}, ours is {}", stated.cluster_id, ours);
  return fmt::format(
      "belongs to another cluster: {}; take it out of the nodes, or, after a restore, `bellwether repin`", what);
}

}  // namespace

Members::Members(TopologyPtr topology) : topology_(std::move(topology)) {
  BW_ASSERT(topology_ && !topology_->nodes.empty());
  for (const NodeId id : topology_->nodes.ids()) nodes_.add(id);
}

void Members::start(TimePoint now) {
  newest_since_ = now;
  for (NodeState& each : nodes_) each.seen.role_since = now;
}

bool Members::is_any_heard() const { return std::any_of(nodes_.begin(), nodes_.end(), was_heard); }

bool Members::state_role(NodeId id, Role role, const std::string& ours, TimePoint now, Journal& journal) {
  NodeState& stated = at(id);
  if (role == Role::kForeign) stated.seen.cause = why_foreign(stated, ours);
  if (stated.seen.role == role) return false;
  Event& event = journal.report(EventKind::kRoleChanged);
  event.node = id;
  event.from = stated.seen.role;
  event.to = role;
  event.why = role == Role::kError || role == Role::kSilent ? stated.seen.cause : std::string();
  if (role == Role::kForeign) {
    Event& foreign = journal.report(EventKind::kForeignNode);
    foreign.node = id;
    foreign.why = stated.seen.cause;
  }
  stated.seen.role = role;
  stated.seen.role_since = now;
  return true;
}

// Before a cluster_id is pinned, nodes that state different ones are all in doubt.
bool Members::is_ours(const NodeState& node, const ClusterIdentity& identity) const {
  if (node.cluster_id.empty()) return true;
  if (!identity.pinned().empty()) return node.cluster_id == identity.pinned();
  return std::none_of(nodes_.begin(), nodes_.end(), [&](const NodeState& other) {
    return !other.cluster_id.empty() && other.cluster_id != node.cluster_id;
  });
}

bool Members::is_identity_disputed(const ClusterIdentity& identity) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const NodeState& each) {
    return !each.cluster_id.empty() && identity.judge(each.cluster_id, false) == ClusterIdentity::Verdict::kUndecided;
  });
}

NodeTable<std::optional<std::string>> Members::cluster_ids() const {
  NodeTable<std::optional<std::string>> stated;
  for (const NodeId id : ids()) {
    const std::string& cluster = at(id).cluster_id;
    stated.add(id, cluster.empty() ? std::nullopt : std::optional(cluster));
  }
  return stated;
}

void Members::make_same_server(NodeId id, NodeId other, const std::string& why, Journal& journal) {
  NodeState& second = at(id);
  second.seen.cause = fmt::format("is the same server as {}: {}; name it once", name(other), why);
  if (second.seen.same_as == other) return;
  second.seen.same_as = other;
  // No chains: whatever named `id` as its server names `other` now.
  for (NodeState& each : nodes_) {
    if (each.seen.same_as == id) each.seen.same_as = other;
  }
  at(other).seen.same_as.reset();
  Event& event = journal.report(EventKind::kSameServer);
  event.node = id;
  event.other = other;
  event.why = why;
}

void Members::forget_same_server(NodeId id) {
  at(id).seen.same_as.reset();
  at(id).seen.cause.clear();
}

void Members::forget_if_contradicted(NodeId id, TimePoint claim_sent) {
  const std::optional<NodeId> server = at(id).seen.same_as;
  if (!server.has_value() || !is_denial(at(*server).seen.role)) return;
  if (claim_sent >= at(*server).denied_at) forget_same_server(id);
}

int Members::servers() const {
  return static_cast<int>(std::count_if(nodes_.begin(), nodes_.end(),
                                        [](const NodeState& each) { return !each.seen.same_as.has_value(); }));
}

Members::Replaced Members::take_over(TopologyPtr next, TimePoint now, Journal& journal) {
  BW_ASSERT(next && !next->nodes.empty());
  Replaced replaced;
  for (const NodeId id : next->nodes.ids()) replaced.ordered.add(id, admin_state_for(id, *next));
  replaced.topology = std::exchange(topology_, std::move(next));
  NodeTable<NodeState> states;
  for (const NodeId id : topology_->nodes.ids()) {
    if (NodeState* const known = nodes_.find(id)) {
      states.add(id, std::move(*known));
      report_renaming(id, replaced.topology->name(id), journal);
    } else {
      states.add(id).seen.role_since = now;
      newest_since_ = now;
      journal.report(EventKind::kNodeAdded).node = id;
    }
  }
  nodes_ = std::move(states);
  return replaced;
}

// The operator's word is about a name: it concerns the machine that has the name now. A new name says nothing.
AdminState Members::admin_state_for(NodeId id, const Topology& next) const {
  if (const std::optional<NodeId> named = topology_->named(next.name(id))) return at(*named).seen.admin;
  const NodeState* const known = nodes_.find(id);
  return known != nullptr ? known->seen.admin : AdminState::kReady;
}

void Members::report_renaming(NodeId id, std::string_view before, Journal& journal) const {
  if (before == name(id)) return;
  Event& event = journal.report(EventKind::kNodeRenamed);
  event.node = id;
  event.why = fmt::format("it was called {}", before);
}

}  // namespace bellwether::cluster
