#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/node_table.h"
#include "bellwether/cluster/topology.h"
#include "identity.h"
#include "journal.h"
#include "node_state.h"

namespace bellwether::cluster {

// The nodes that there are, and what is known of each of them by its answers. Decides nothing about the lead.
class Members {
 public:
  explicit Members(TopologyPtr topology);
  // Nothing is known of any node until now.
  void start(TimePoint now);

  // REQUIRES of at(), url(): has(id)
  [[nodiscard]] NodeState& at(NodeId id) { return nodes_.at(id); }
  [[nodiscard]] const NodeState& at(NodeId id) const { return nodes_.at(id); }
  // Null if there is no such node.
  [[nodiscard]] NodeState* find(NodeId id) { return nodes_.find(id); }
  [[nodiscard]] bool has(NodeId id) const { return nodes_.has(id); }
  [[nodiscard]] const std::vector<NodeId>& ids() const { return nodes_.ids(); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] auto begin() { return nodes_.begin(); }
  [[nodiscard]] auto end() { return nodes_.end(); }
  [[nodiscard]] auto begin() const { return nodes_.begin(); }
  [[nodiscard]] auto end() const { return nodes_.end(); }

  [[nodiscard]] const TopologyPtr& topology() const { return topology_; }
  [[nodiscard]] std::string_view name(NodeId id) const { return topology_->name(id); }
  [[nodiscard]] const std::string& url(NodeId id) const { return topology_->nodes.at(id).url; }
  // When the youngest node was added.
  [[nodiscard]] TimePoint newest_since() const { return newest_since_; }
  [[nodiscard]] bool is_any_heard() const;

  // The node is known to have that role now. True if it had another one before. `ours` is the pinned cluster_id.
  bool state_role(NodeId id, Role role, const std::string& ours, TimePoint now, Journal& journal);

  // By the cluster_id that each node stated last.
  [[nodiscard]] bool is_ours(const NodeState& node, const ClusterIdentity& identity) const;
  // Nodes state different cluster_ids, and no majority says which is ours.
  [[nodiscard]] bool is_identity_disputed(const ClusterIdentity& identity) const;
  [[nodiscard]] NodeTable<std::optional<std::string>> cluster_ids() const;

  // `id` is another name of the server of `other` from now on.
  void make_same_server(NodeId id, NodeId other, const std::string& why, Journal& journal);
  void forget_same_server(NodeId id);
  // A name that claims after its server was heard to deny is not, or no longer, a name of that server.
  void forget_if_contradicted(NodeId id, TimePoint claim_sent);
  // How many there are, if each counts once, however many names it has.
  [[nodiscard]] int servers() const;

  struct Replaced {
    TopologyPtr topology;
    // What the operator has ordered for the nodes of now, by name. To be carried out by the caller.
    NodeTable<AdminState> ordered;
  };
  // These are the nodes from now on. A node that stays keeps its state, under whatever name.
  [[nodiscard]] Replaced take_over(TopologyPtr next, TimePoint now, Journal& journal);

 private:
  [[nodiscard]] AdminState admin_state_for(NodeId id, const Topology& next) const;
  void report_renaming(NodeId id, std::string_view before, Journal& journal) const;

  TopologyPtr topology_;        // never null
  NodeTable<NodeState> nodes_;  // those of topology_, in its order
  TimePoint newest_since_{};
};

}  // namespace bellwether::cluster
