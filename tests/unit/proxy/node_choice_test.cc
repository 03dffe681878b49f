#include "proxy/node_choice.h"

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

// Three nodes that answer; nobody leads.
cluster::View leaderless() {
  cluster::View view;
  view.hold = cluster::HoldReason::kNoLeader;
  view.nodes.resize(3);
  for (auto& node : view.nodes) {
    node.up = true;
    node.role = cluster::Role::kSealed;
  }
  return view;
}

}  // namespace

TEST_CASE("without a leader the first node that answers is chosen, then the next", "[proxy]") {
  cluster::View view = leaderless();
  CHECK(choose_any_node(view, {}) == NodeId{0});
  CHECK(choose_any_node(view, {NodeId{0}}) == NodeId{1});
  view.nodes[1].up = false;
  CHECK(choose_any_node(view, {NodeId{0}}) == NodeId{2});
  CHECK(choose_any_node(view, {NodeId{0}, NodeId{2}}) == std::nullopt);
}

TEST_CASE("a leader is asked first, and last while it is suspect", "[proxy]") {
  cluster::View view = leaderless();
  view.leader = NodeId{1};
  view.hold = cluster::HoldReason::kNone;
  CHECK(choose_any_node(view, {}) == NodeId{1});
  view.suspect = true;
  CHECK(choose_any_node(view, {}) == NodeId{0});
  CHECK(choose_any_node(view, {NodeId{0}, NodeId{2}}) == NodeId{1});
}

TEST_CASE("a node of another cluster or out of service is never chosen, whatever it says", "[proxy]") {
  using cluster::AdminState;
  using cluster::Role;
  for (const Role role : {Role::kSealed, Role::kUninitialized, Role::kForeign, Role::kSilent, Role::kActive}) {
    for (const AdminState admin : {AdminState::kReady, AdminState::kDrain, AdminState::kMaint}) {
      for (const bool is_ours : {true, false}) {
        for (const bool up : {true, false}) {
          cluster::View view = leaderless();
          view.nodes.resize(1);
          view.nodes[0].role = role;
          view.nodes[0].admin = admin;
          view.nodes[0].is_ours = is_ours;
          view.nodes[0].up = up;
          CAPTURE(to_text(role), to_text(admin), is_ours, up);
          const bool may = is_ours && up && admin == AdminState::kReady && role != Role::kForeign;
          CHECK(choose_any_node(view, {}).has_value() == may);
          CHECK(choose_node_in_role(view, role, {}).has_value() == may);
        }
      }
    }
  }
}

TEST_CASE("a role is looked for in the order of the configuration", "[proxy]") {
  cluster::View view = leaderless();
  view.nodes[0].role = cluster::Role::kUninitialized;
  CHECK(choose_node_in_role(view, cluster::Role::kSealed, {}) == NodeId{1});
  CHECK(choose_node_in_role(view, cluster::Role::kSealed, {NodeId{1}}) == NodeId{2});
  CHECK(choose_node_in_role(view, cluster::Role::kStandby, {}) == std::nullopt);
}

}  // namespace bellwether::proxy
