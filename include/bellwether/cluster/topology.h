#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/node_table.h"

namespace bellwether::cluster {

// What is known of a node without asking it.
struct NodeDescription {
  std::string name;  // for people
  std::string url;   // "https://vault1:8200": what /v1/sys/leader is compared with
  friend bool operator==(const NodeDescription&, const NodeDescription&) = default;
};

// The nodes that there are, in the order of the configuration. Immutable: when nodes come or go, another topology takes
// its place (cluster::Reconfigure), in which the nodes that stay keep their ids.
struct Topology {
  NodeTable<NodeDescription> nodes;

  // "-" for a node that it has not.
  [[nodiscard]] std::string_view name(NodeId node) const;
  [[nodiscard]] std::optional<NodeId> named(std::string_view name) const;
};
using TopologyPtr = std::shared_ptr<const Topology>;

// The one that a process starts with.
[[nodiscard]] TopologyPtr first_topology(std::vector<NodeDescription> nodes);

}  // namespace bellwether::cluster
