#include "bellwether/cluster/route.h"

#include <algorithm>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

bool contains(std::span<const NodeId> nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// In the order of the configuration.
template <typename Fits>
std::optional<NodeId> first_untried(const View& view, std::span<const NodeId> tried, Fits fits) {
  for (const NodeId id : view.nodes.ids()) {
    if (!contains(tried, id) && fits(view.nodes.at(id), id)) return id;
  }
  return std::nullopt;
}

bool answers_clients(const NodeView& node) { return node.up && node.may_serve_clients(); }

// What the node says of itself counts: it answers, and as Vault does.
bool is_heard(const NodeView& node) {
  return node.up && node.role != Role::kUnknown && node.role != Role::kSilent && node.role != Role::kError;
}

Route choose_leader(const View& view, const RouteRequest& request) {
  const HoldReason open_for = request.hold_is_full ? HoldReason::kSuspect : HoldReason::kNone;
  if (view.leader && view.hold == open_for && !request.view_is_outdated) return SendTo{*view.leader};
  if (request.hold_is_full) return Refuse{RefuseReason::kHoldIsFull};
  return Hold{view.hold == HoldReason::kNone ? HoldReason::kIdle : view.hold};
}

// Which nodes are ours is not known at first. A leader that is probed slowly, or paused, is still the one to ask; one
// that is suspect is the last.
Route choose_any(const View& view, const RouteRequest& request) {
  if (view.hold == HoldReason::kStarting) return Hold{view.hold};
  if (view.leader && !view.suspect && request.tried.empty()) return SendTo{*view.leader};
  const auto is_suspect = [&](NodeId id) { return view.suspect && view.leader == id; };
  auto chosen = first_untried(
      view, request.tried, [&](const NodeView& node, NodeId id) { return answers_clients(node) && !is_suspect(id); });
  if (!chosen) {
    chosen = first_untried(view, request.tried,
                           [&](const NodeView& node, NodeId id) { return answers_clients(node) && is_suspect(id); });
  }
  return chosen ? Route(SendTo{*chosen}) : Route(Refuse{RefuseReason::kNoNodeAnswers});
}

Route choose_in_role(const View& view, const RouteRequest& request) {
  const auto chosen = first_untried(view, request.tried, [&](const NodeView& node, NodeId /*id*/) {
    return answers_clients(node) && node.role == request.role;
  });
  return chosen ? Route(SendTo{*chosen}) : Route(Refuse{RefuseReason::kNoNodeInRole});
}

// Each node that is initialized becomes a cluster of its own: that no other one is there must be known for sure, of
// nodes that are out of service too.
Route choose_for_init(const View& view, const RouteRequest& request) {
  const auto other = first_untried(view, {}, [](const NodeView& node, NodeId /*id*/) {
    return is_heard(node) && node.role != Role::kUninitialized;
  });
  if (other) return Refuse{RefuseReason::kAlreadyInitialized, other};
  const auto unheard = first_untried(view, {}, [](const NodeView& node, NodeId /*id*/) { return !is_heard(node); });
  if (unheard) return Refuse{RefuseReason::kNodeUnheard, unheard};
  const auto chosen =
      first_untried(view, request.tried, [](const NodeView& node, NodeId /*id*/) { return node.may_serve_clients(); });
  return chosen ? Route(SendTo{*chosen}) : Route(Refuse{RefuseReason::kNoNodeAnswers});
}

Route choose_connected(const View& view, NodeId node) {
  if (!may_stay(view, node)) return Refuse{RefuseReason::kLeadIsOver};
  const NodeView& seen = view.nodes.at(node);
  const bool is_undoubted = (view.hold == HoldReason::kNone || view.hold == HoldReason::kPaused) && !view.suspect;
  const bool is_drained = seen.admin == AdminState::kDrain && seen.role == Role::kActive;
  const bool is_open = lead_of(view, node) == Lead::kHas ? is_undoubted : is_drained;
  return is_open ? Route(SendTo{node}) : Route(Hold{view.hold});
}

}  // namespace

Route choose(const View& view, const RouteRequest& request) {
  if (request.connected_to) return choose_connected(view, *request.connected_to);
  if (is_for_leader(view, request.accepts)) return choose_leader(view, request);
  switch (request.accepts) {
    case Accepts::kLeader:
      break;
    case Accepts::kAnyNode:
    case Accepts::kLeaderOrAnyNode:
      return choose_any(view, request);
    case Accepts::kLeaderOrRole:
      return choose_in_role(view, request);
    case Accepts::kLeaderOrInit:
      return choose_for_init(view, request);
  }
  BW_ASSERT(!"a request that accepts no node");
}

std::optional<NodeId> node_of(const Route& route) {
  const auto* chosen = std::get_if<SendTo>(&route);
  return chosen != nullptr ? std::optional(chosen->node) : std::nullopt;
}

bool is_for_leader(const View& view, Accepts accepts) {
  switch (accepts) {
    case Accepts::kLeader:
      return true;
    case Accepts::kLeaderOrAnyNode:
    case Accepts::kLeaderOrRole:
    case Accepts::kLeaderOrInit:
      return view.hold != HoldReason::kNoLeader;
    case Accepts::kAnyNode:
      return false;
  }
  BW_ASSERT(!"a request that accepts no node");
}

bool may_still_go(const View& view, Accepts accepts, NodeId node) {
  if (is_for_leader(view, accepts)) return lead_of(view, node) == Lead::kHas && !view.suspect;
  const NodeView* const seen = view.nodes.find(node);
  return view.nodes.empty() || (seen != nullptr && seen->may_serve_clients());
}

Lead lead_of(const View& view, NodeId node) {
  if (view.leader == node) return Lead::kHas;
  if (view.leader) return Lead::kTaken;
  const NodeView* const seen = view.nodes.find(node);
  return seen != nullptr && is_denial(seen->role) ? Lead::kDenied : Lead::kUnknown;
}

bool may_stay(const View& view, NodeId node) {
  const NodeView* const seen = view.nodes.find(node);
  if (seen == nullptr) return false;
  const Lead lead = lead_of(view, node);
  const bool is_over = lead == Lead::kDenied || lead == Lead::kTaken;
  return !is_over && seen->admin != AdminState::kMaint;
}

bool leads_in(const View& view, NodeId node, Epoch epoch) { return view.leader == node && view.epoch == epoch; }

bool is_same_term(const View& a, const View& b) { return a.leader == b.leader && a.epoch == b.epoch; }

bool is_candidate(const View& view, NodeId node, std::optional<NodeId> former) {
  const bool is_open = view.hold == HoldReason::kNoLeader || view.hold == HoldReason::kSuspect;
  const NodeView* const seen = view.nodes.find(node);
  return is_open && node != former && seen != nullptr && seen->could_take_over();
}

}  // namespace bellwether::cluster
