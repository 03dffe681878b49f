#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/node_table.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"
#include "bellwether/proxy/proxy.h"
#include "drain_policy.h"
#include "shared.h"

namespace bellwether::proxy {

// The nodes that a worker knows: those of the view, those that the next view may have, and those that were removed
// while they still serve. A question about any other node is answered too, as for a node that was removed: a session
// may speak of it longer than it is known. Used on the worker's thread only.
class KnownNodes {
 public:
  KnownNodes();

  // These are the nodes now. Nodes that are missing stay until forget_removed(): until then they may be sent to.
  void set(WorkerNodes nodes);
  void set_address(NodeId node, const net::Address& address) { known(node).options.address = address; }
  // After a view: nodes that neither it nor set() had, once nothing runs there any more. True if there were some.
  bool forget_removed(const cluster::View& view);
  // What `view` means for each node now. Returns when that changes without another view: when a node that was replaced
  // will have been silent for `grace`.
  [[nodiscard]] TimePoint update_standings(const cluster::View& view, TimePoint now, Duration grace);

  [[nodiscard]] const std::vector<NodeId>& ids() const { return nodes_.ids(); }
  [[nodiscard]] bool has(NodeId node) const { return nodes_.has(node); }
  [[nodiscard]] const NodeOptions& options(NodeId node) const { return known(node).options; }
  // For logs: "none" if there is none, "removed" if it has been forgotten.
  [[nodiscard]] std::string_view name(std::optional<NodeId> node) const;
  [[nodiscard]] const net::Address* address(NodeId node) const;  // null: none is known
  [[nodiscard]] NodeCounters& counters(NodeId node) const { return *known(node).counters; }
  [[nodiscard]] Standing standing(NodeId node) const { return known(node).standing; }
  [[nodiscard]] TimePoint standing_since(NodeId node) const { return known(node).since; }
  // Whether the view at hand gives the node requests over a connection that exists.
  [[nodiscard]] bool takes_requests(NodeId node) const { return known(node).takes_requests; }

 private:
  struct Node {
    NodeOptions options;
    std::shared_ptr<NodeCounters> counters = std::make_shared<NodeCounters>();
    Standing standing = Standing::kKeep;
    TimePoint since{};
    bool takes_requests = false;
    bool is_listed = true;  // among the nodes as they were set last
  };

  [[nodiscard]] Node& known(NodeId node) {
    Node* const found = nodes_.find(node);
    return found != nullptr ? *found : forgotten_;
  }
  [[nodiscard]] const Node& known(NodeId node) const {
    const Node* const found = nodes_.find(node);
    return found != nullptr ? *found : forgotten_;
  }

  NodeTable<Node> nodes_;
  Node forgotten_;
};

}  // namespace bellwether::proxy
