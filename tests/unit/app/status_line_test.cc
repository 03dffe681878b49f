#include "app/service/supervisor_report.h"
#include "catch.hpp"
#include "support/first_nodes.h"

using namespace bellwether;

namespace {

cluster::View led() {
  cluster::View view;
  view.leader = NodeId{1};
  view.hold = cluster::HoldReason::kNone;
  view.nodes = bellwether::testing::first_nodes<cluster::NodeView>(3);
  view.topology = cluster::first_topology({{"n1", "http://a:1"}, {"n2", "http://b:2"}, {"n3", "http://c:3"}});
  for (const NodeId id : view.nodes.ids()) {
    view.nodes.at(id).up = true;
    view.nodes.at(id).role = id == view.leader ? cluster::Role::kActive : cluster::Role::kStandby;
    view.nodes.at(id).answered_at = TimePoint{} + 1s;
  }
  return view;
}

}  // namespace

TEST_CASE("the status line names who leads", "[supervisor]") {
  CHECK(app::status_line(led()) == "n2 leads; 3 of 3 nodes serve or stand by");
}

TEST_CASE("the status line says why new requests wait", "[supervisor]") {
  cluster::View view = led();
  view.hold = cluster::HoldReason::kSuspect;
  view.hold_why = "n2's probe is late";
  CHECK(app::status_line(view) ==
        "n2 leads; 3 of 3 nodes serve or stand by; new requests wait (suspect: n2's probe is late)");
  view.hold = cluster::HoldReason::kIdle;  // until the first one
  CHECK(app::status_line(view) == "n2 leads; 3 of 3 nodes serve or stand by");
}

TEST_CASE("the status line of a cluster that nobody leads has the way out", "[supervisor]") {
  cluster::View view = led();
  view.leader.reset();
  view.hold = cluster::HoldReason::kNoLeader;
  for (const NodeId id : view.nodes.ids()) view.nodes.at(id).role = cluster::Role::kSealed;
  const std::string line = app::status_line(view);
  CHECK(line.starts_with("nobody leads, requests wait: "));
  CHECK(line.find("unseal") != std::string::npos);
  view.hold = cluster::HoldReason::kStarting;
  CHECK(app::status_line(view) == "no node has been heard yet; requests wait");
}

TEST_CASE("no text of a node begins another assignment", "[supervisor]") {
  cluster::View view = led();
  view.hold = cluster::HoldReason::kConflict;
  view.hold_why = "n3\nMAINPID=1";
  CHECK(app::status_line(view).find('\n') == std::string::npos);
  view = led();
  view.leader.reset();
  view.hold = cluster::HoldReason::kNoLeader;
  view.nodes[1].role = cluster::Role::kStandby;
  for (const NodeId id : view.nodes.ids()) view.nodes.at(id).names_leader = "https://x\nREADY=1";
  CHECK(app::status_line(view).find('\n') == std::string::npos);
}
