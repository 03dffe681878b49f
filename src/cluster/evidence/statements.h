#pragma once

#include "bellwether/base/node_table.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/topology.h"
#include "members.h"

namespace bellwether::cluster {

// What the nodes have stated in /v1/sys/leader since they were asked last: whom they follow, and who they are.
class Statements {
 public:
  void record(const LeaderStatement& statement);
  // The nodes are asked anew.
  void clear() { stated_ = {}; }
  // What removed nodes have stated does not count any more.
  void keep(const Topology& topology);

  [[nodiscard]] bool all_have_stated(const Members& members) const;
  [[nodiscard]] bool says_it_leads(NodeId id, const Members& members) const;
  // The node `id` names `leader` as the one that leads, and not itself.
  [[nodiscard]] bool follows(NodeId id, NodeId leader, const Members& members) const;
  [[nodiscard]] int count_naming(NodeId id, const Members& members) const;
  // Both state the same api_addr, cluster address and active_time.
  [[nodiscard]] bool state_one_identity(NodeId a, NodeId b) const;
  // When its statement came; kNever if it has made none.
  [[nodiscard]] TimePoint received(NodeId id) const;

 private:
  [[nodiscard]] bool names(const LeaderStatement& statement, NodeId id, const Members& members) const;

  NodeTable<LeaderStatement> stated_;
};

}  // namespace bellwether::cluster
