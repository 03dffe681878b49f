#include <fmt/format.h>

#include <algorithm>

#include "rules.h"

// Two of the configured nodes may be names of one server: by host name and by address, or the name of a balancer that
// passes requests on to the leader. Such a pair neither contests the lead nor counts as two candidates.
namespace bellwether::cluster {

void LeaderTracker::Rules::on(const SameServer& same, TimePoint now) {
  if (!nodes_.has(same.node) || (same.other.has_value() && !nodes_.has(*same.other))) return;
  if (same.other.has_value()) {
    become_same_server(same.node, *same.other, same.why, now);
  } else {
    forget_same_server(same.node);
  }
}

void LeaderTracker::Rules::become_same_server(NodeId id, NodeId other, const std::string& why, TimePoint now) {
  NodeState& second = node(id);
  second.seen.cause = fmt::format("is the same server as {}: {}; name it once", name(other), why);
  if (second.seen.same_as == other) return;
  second.seen.same_as = other;
  // No chains: whatever named `id` as its server names `other` now.
  for (NodeState& each : nodes_) {
    if (each.seen.same_as == id) each.seen.same_as = other;
  }
  node(other).seen.same_as.reset();
  Event& event = report(EventKind::kSameServer, now);
  event.node = id;
  event.other = other;
  event.why = why;
}

void LeaderTracker::Rules::forget_same_server(NodeId id) {
  node(id).seen.same_as.reset();
  node(id).seen.cause.clear();
}

bool LeaderTracker::Rules::state_one_identity(NodeId a, NodeId b) const {
  const auto& first = node(a).statement;
  const auto& second = node(b).statement;
  return first.has_value() && second.has_value() && !first->identity.empty() && first->identity == second->identity;
}

// Each answer of such a name may come from another server. One server that states whom it follows, and claims after
// that, is unlikely: it would have taken over in between, while the leader claims. REQUIRES: a contest
bool LeaderTracker::Rules::claims_and_follows(NodeId id) const {
  return contest_->leader_claims_anew && follows_leader(id) && node(id).claim_sent >= node(id).statement->received;
}

// A server that has denied to lead has denied it under all of its names: an answer that was asked for earlier by
// another name must not bring it back.
void LeaderTracker::Rules::void_claims_of_other_names(NodeId id, TimePoint now) {
  const NodeState& denying = node(id);
  for (const NodeId alias : nodes_.ids()) {
    NodeState& other = node(alias);
    if (other.seen.same_as != id || other.seen.role != Role::kActive) continue;
    other.denied_at = std::max(other.denied_at, denying.denied_at);
    other.probe_now = true;
    state_role(alias, denying.seen.role, now);
    on_denial(alias, now);
  }
}

// A name that claims after its server was heard to deny is not, or no longer, a name of that server.
void LeaderTracker::Rules::forget_if_contradicted(NodeId id, TimePoint claim_sent) {
  const std::optional<NodeId> server = node(id).seen.same_as;
  if (!server.has_value() || !is_denial(node(*server).seen.role)) return;
  if (claim_sent >= node(*server).denied_at) forget_same_server(id);
}

int LeaderTracker::Rules::servers() const {
  return static_cast<int>(std::count_if(nodes_.begin(), nodes_.end(),
                                        [](const NodeState& each) { return !each.seen.same_as.has_value(); }));
}

}  // namespace bellwether::cluster
