#include "known_nodes.h"

#include <algorithm>
#include <utility>

#include "bellwether/cluster/route.h"

namespace bellwether::proxy {

KnownNodes::KnownNodes() {
  forgotten_.options.name = "removed";
  forgotten_.standing = Standing::kDemoted;
}

void KnownNodes::set(WorkerNodes nodes) {
  for (Node& each : nodes_) each.is_listed = false;
  for (const NodeId id : nodes.ids()) {
    Node& node = nodes_.has(id) ? nodes_.at(id) : nodes_.add(id);
    node.is_listed = true;
    const std::optional<net::Address> address = node.options.address;
    node.options = std::move(nodes.at(id).options);
    if (!node.options.address) node.options.address = address;
    node.counters = std::move(nodes.at(id).counters);
  }
}

bool KnownNodes::forget_removed(const cluster::View& view) {
  const std::size_t before = nodes_.size();
  nodes_.keep_if([&view](NodeId id, const Node& node) {
    return node.is_listed || view.nodes.has(id) || node.counters->sessions_now.get() > 0;
  });
  return nodes_.size() != before;
}

TimePoint KnownNodes::update_standings(const cluster::View& view, TimePoint now, Duration grace) {
  TimePoint next = kNever;
  for (const NodeId id : nodes_.ids()) {
    Node& node = nodes_.at(id);
    const Standing standing = standing_of(view, id, now, grace);
    if (node.standing == Standing::kKeep && standing != Standing::kKeep) node.since = now;
    node.standing = standing;
    node.takes_requests = cluster::node_of(cluster::choose(view, {.connected_to = id})).has_value();
    next = std::min(next, hung_from(view, id, now, grace));
  }
  return next;
}

std::string_view KnownNodes::name(std::optional<NodeId> node) const {
  return node ? std::string_view(known(*node).options.name) : std::string_view("none");
}

const net::Address* KnownNodes::address(NodeId node) const {
  const Node* const found = nodes_.find(node);
  return found != nullptr && found->options.address ? &*found->options.address : nullptr;
}

}  // namespace bellwether::proxy
