#include "bellwether/cluster/topology.h"

#include <utility>

namespace bellwether::cluster {

std::string_view Topology::name(NodeId node) const {
  const NodeDescription* const known = nodes.find(node);
  return known != nullptr ? std::string_view(known->name) : std::string_view("-");
}

std::optional<NodeId> Topology::named(std::string_view name) const {
  for (const NodeId node : nodes.ids()) {
    if (nodes.at(node).name == name) return node;
  }
  return std::nullopt;
}

TopologyPtr first_topology(std::vector<NodeDescription> nodes) {
  auto made = std::make_shared<Topology>();
  for (NodeDescription& node : nodes) {
    made->nodes.add({static_cast<std::uint32_t>(made->nodes.size())}, std::move(node));
  }
  return made;
}

}  // namespace bellwether::cluster
