#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/node_table.h"

namespace bellwether::cluster {

// Which cluster is ours: configured, or learned from a majority of the configured nodes' first answers.
class ClusterIdentity {
 public:
  ClusterIdentity(const std::vector<NodeId>& nodes, std::string configured);

  enum class Verdict { kOurs, kForeign, kUndecided };
  // A node said (or, sealed, did not say) its cluster_id. Returns true if that settled the question.
  bool learn(NodeId node, const std::string& id);
  // May a node that states this id be ours? kUndecided: the nodes heard so far disagree and there is no majority.
  // A claim must state an id once one is pinned; other roles need not (a sealed node has none).
  [[nodiscard]] Verdict judge(const std::string& id, bool claims) const;

  [[nodiscard]] const std::string& pinned() const { return pinned_; }
  // These are the nodes now, and what they state (last). What others said does not count any more; what was learned is
  // forgotten if none of these states it, and then what they state now counts, unless it is `kept` even then. True if
  // that settled the question.
  bool set_nodes(const NodeTable<std::optional<std::string>>& stated, bool kept);
  // The operator says which it is now; empty: it is learned anew.
  void configure(const std::string& id);
  // Forgets what was learned or configured.
  void forget();

 private:
  [[nodiscard]] bool has_majority(const std::string& id) const;

  std::string pinned_;  // empty: not settled
  bool is_configured_;
  NodeTable<std::optional<std::string>> said_;  // first id of each node
};

}  // namespace bellwether::cluster
