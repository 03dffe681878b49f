// Why no node leads, in words.
#include "bellwether/cluster/leaderless.h"

#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::cluster;

namespace {

NodeView says(Role role) {
  NodeView node;
  node.role = role;
  node.up = role != Role::kUnknown;
  return node;
}

NodeView silent(std::string cause) {
  NodeView node = says(Role::kSilent);
  node.up = false;
  node.failure = ProbeFailure::kRefused;
  node.cause = std::move(cause);
  return node;
}

Leaderless explain(std::vector<NodeView> nodes) {
  View view;
  view.topology = first_topology({{"n1", "https://n1:8200"}, {"n2", "https://n2:8200"}, {"n3", "https://n3:8200"}});
  for (NodeView& node : nodes) view.nodes.add({static_cast<std::uint32_t>(view.nodes.size())}, std::move(node));
  view.cluster_id = "ours";
  return explain_leaderless(view);
}

}  // namespace

TEST_CASE("nodes that do not answer are counted, and what they have in common is said once", "[leaderless]") {
  const Leaderless why = explain({silent("refused; is Vault running there?"),
                                  silent("refused; is Vault running there?"), silent("the certificate is not valid")});
  CHECK(why.headline == "none of the 3 nodes answers");
  CHECK(why.causes ==
        std::vector<std::string>{"n1, n2: refused; is Vault running there?", "n3: the certificate is not valid"});
}

TEST_CASE("one standby of three that is left is no quorum", "[leaderless]") {
  const Leaderless why = explain({silent("refused"), says(Role::kStandby), silent("refused")});
  CHECK(summary_of(why) == "1 of 3 nodes answers: no quorum; start or repair the nodes that do not answer");
  CHECK(explain({says(Role::kSealed), says(Role::kStandby), silent("refused")}).headline ==
        "2 of 3 nodes answer: no quorum, as 1 of them is sealed");
}

TEST_CASE("a sealed, a new and a foreign cluster are each called by their name", "[leaderless]") {
  CHECK(explain({says(Role::kSealed), says(Role::kSealed), says(Role::kSealed)}).headline == "all 3 nodes are sealed");
  CHECK(explain({says(Role::kUninitialized), says(Role::kUninitialized), silent("refused")}).headline ==
        "the cluster is not initialized");
  CHECK(explain({says(Role::kForeign), silent("refused"), silent("refused")}).headline ==
        "every node that answers belongs to another cluster");
}

TEST_CASE("standbys that follow a node that is not configured name it", "[leaderless]") {
  NodeView standby = says(Role::kStandby);
  standby.names_leader = "https://n4:8200";
  CHECK(summary_of(explain({standby, standby, says(Role::kStandby)})) ==
        "3 of 3 nodes answer, and none says that it leads; they follow https://n4:8200, which is not one of the nodes: "
        "add it to them");
  standby.names_leader = "https://N2:8200/";
  CHECK(explain({standby, standby, says(Role::kStandby)}).way_out.empty());
}

TEST_CASE("a leader that the operator has taken out is the reason", "[leaderless]") {
  NodeView out = says(Role::kActive);
  out.admin = AdminState::kMaint;
  const Leaderless why = explain({out, says(Role::kStandby), says(Role::kStandby)});
  CHECK(why.headline == "the node that says it leads is set to drain or maint");
  CHECK(why.causes == std::vector<std::string>{"n1: is set to maint"});
}

TEST_CASE("a second name of a server counts neither as a node nor as a candidate", "[leaderless]") {
  NodeView second = says(Role::kStandby);
  second.same_as = NodeId{0};
  View view;
  for (const NodeView& node : {says(Role::kStandby), second, says(Role::kStandby)})
    view.nodes.add({static_cast<std::uint32_t>(view.nodes.size())}, node);
  CHECK(census_of(view).total == 2);
  CHECK(view.takeover_candidates() == 2);
}
