#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/ids.h"

namespace bellwether::cluster {

// Which cluster is ours: configured, or learned from a majority of the configured nodes' first answers.
class ClusterIdentity {
 public:
  ClusterIdentity(std::size_t nodes, std::string configured);

  enum class Verdict { kOurs, kForeign, kUndecided };
  // A node said (or, sealed, did not say) its cluster_id. Returns true if that settled the question.
  bool learn(NodeId node, const std::string& id);
  // May a node that states this id be ours? kUndecided: the nodes heard so far disagree and there is no majority.
  // A claim must state an id once one is pinned; other roles need not (a sealed node has none).
  [[nodiscard]] Verdict judge(const std::string& id, bool claims) const;

  [[nodiscard]] const std::string& pinned() const { return pinned_; }
  // Forgets what was learned or configured.
  void forget();

 private:
  std::string pinned_;                            // empty: not settled
  std::vector<std::optional<std::string>> said_;  // first id of each node
};

}  // namespace bellwether::cluster
