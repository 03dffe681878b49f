#include "node_choice.h"

#include <algorithm>

namespace bellwether::proxy {
namespace {

bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

template <typename Accepts>
std::optional<NodeId> first_that_answers(const cluster::View& view, const std::vector<NodeId>& tried, Accepts accepts) {
  for (std::size_t i = 0; i < view.nodes.size(); ++i) {
    const cluster::NodeView& node = view.nodes[i];
    if (node.up && node.may_serve_clients() && !contains(tried, node_at(i)) && accepts(node_at(i))) return node_at(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<NodeId> choose_any_node(const cluster::View& view, const std::vector<NodeId>& tried) {
  // A leader that is probed slowly, or paused, is still the one to ask.
  if (view.leader && !view.suspect && tried.empty()) return view.leader;
  const auto is_suspect = [&](NodeId node) { return view.suspect && view.leader == node; };
  const auto other = first_that_answers(view, tried, [&](NodeId node) { return !is_suspect(node); });
  return other ? other : first_that_answers(view, tried, is_suspect);
}

std::optional<NodeId> choose_node_in_role(const cluster::View& view, cluster::Role role,
                                          const std::vector<NodeId>& tried) {
  return first_that_answers(view, tried, [&](NodeId node) { return view.nodes[node.index].role == role; });
}

}  // namespace bellwether::proxy
