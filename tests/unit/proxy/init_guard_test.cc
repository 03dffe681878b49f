#include "proxy/core/init_guard.h"

#include "catch.hpp"
#include "support/first_nodes.h"

namespace bellwether::proxy {
namespace {

using cluster::Role;
using Outcome = InitGuard::Outcome;

constexpr TimePoint kStart = TimePoint{} + 1h;

// All three nodes answer and say that they are uninitialized.
cluster::View uninitialized() {
  cluster::View view;
  view.hold = cluster::HoldReason::kNoLeader;
  view.nodes = bellwether::testing::first_nodes<cluster::NodeView>(3);
  view.topology = cluster::first_topology({{"n1", "1"}, {"n2", "2"}, {"n3", "3"}});
  for (auto& node : view.nodes) {
    node.up = true;
    node.role = Role::kUninitialized;
    node.role_since = kStart;
  }
  return view;
}

std::string why_not(InitGuard& guard, const cluster::View& view) {
  const auto chosen = guard.begin(view);
  REQUIRE_FALSE(chosen);
  return chosen.error().message;
}

}  // namespace

TEST_CASE("sys/init goes to the first node when all say that they are uninitialized", "[proxy][bootstrap]") {
  InitGuard guard;
  cluster::View view = uninitialized();
  CHECK(guard.begin(view) == NodeId{0});
  guard.end(Outcome::kNotDone, kStart + 1s);
  view.nodes[0].admin = cluster::AdminState::kMaint;
  CHECK(guard.begin(view) == NodeId{1});
}

TEST_CASE("sys/init is refused while a node has not been heard, and that may pass", "[proxy][bootstrap]") {
  InitGuard guard;
  for (const Role role : {Role::kUnknown, Role::kSilent, Role::kError}) {
    cluster::View view = uninitialized();
    view.nodes[2].role = role;
    const auto chosen = guard.begin(view);
    REQUIRE_FALSE(chosen);
    CHECK(chosen.error().kind == ErrorKind::kUnavailable);
    CHECK_THAT(chosen.error().message, CATCH_CONTAINS("n3"));
  }
  cluster::View view = uninitialized();
  view.nodes[1].up = false;
  CHECK_THAT(why_not(guard, view), CATCH_CONTAINS("n2"));
}

TEST_CASE("sys/init is refused once any node is initialized, ours or not, in service or not", "[proxy][bootstrap]") {
  InitGuard guard;
  for (const Role role : {Role::kSealed, Role::kStandby, Role::kActive, Role::kForeign, Role::kRemoved}) {
    cluster::View view = uninitialized();
    view.nodes[1].role = role;
    view.nodes[1].admin = cluster::AdminState::kMaint;
    view.nodes[2].up = false;  // the graver reason is named
    const auto chosen = guard.begin(view);
    REQUIRE_FALSE(chosen);
    CHECK(chosen.error().kind == ErrorKind::kInvalid);
    CHECK_THAT(chosen.error().message, CATCH_CONTAINS("n2 says"));
  }
}

TEST_CASE("of three in a row one is sent", "[proxy][bootstrap]") {
  InitGuard guard;
  const cluster::View view = uninitialized();
  REQUIRE(guard.begin(view));
  CHECK_THAT(why_not(guard, view), CATCH_CONTAINS("n1 is being initialized"));
  guard.end(Outcome::kDone, kStart + 1s);
  // Another worker's view may be from before.
  CHECK_THAT(why_not(guard, view), CATCH_CONTAINS("n1 has just been initialized"));
}

TEST_CASE("a cluster that was emptied may be initialized anew", "[proxy][bootstrap]") {
  InitGuard guard;
  cluster::View view = uninitialized();
  REQUIRE(guard.begin(view));
  guard.end(Outcome::kDone, kStart + 1s);
  view.nodes[0].role_since = kStart + 2s;
  CHECK(guard.begin(view) == NodeId{0});
}

TEST_CASE("one whose outcome is unknown is the last", "[proxy][bootstrap]") {
  InitGuard guard;
  cluster::View view = uninitialized();
  REQUIRE(guard.begin(view));
  guard.end(Outcome::kUnknown, kStart + 1s);
  view.nodes[0].role_since = kStart + 2s;  // it was silent for a while, and may be at it still
  CHECK_THAT(why_not(guard, view), CATCH_CONTAINS("did not say what came of it"));
}

TEST_CASE("nodes of another cluster may be initialized once all of then are gone", "[proxy][bootstrap]") {
  for (const Outcome outcome : {Outcome::kDone, Outcome::kUnknown}) {
    InitGuard guard;
    REQUIRE(guard.begin(uninitialized()));
    guard.end(outcome, kStart + 1s);
    cluster::View view = uninitialized();
    const cluster::NodeView fresh = view.nodes[1];
    view.nodes.keep_if([](NodeId id, const cluster::NodeView&) { return id == NodeId{1}; });
    view.nodes.add({3}, fresh);
    CHECK_FALSE(guard.begin(view));  // n2 may yet join the one that was initialized
    view.nodes.keep_if([](NodeId id, const cluster::NodeView&) { return id == NodeId{3}; });
    CHECK(guard.begin(view) == NodeId{3});
  }
}

}  // namespace bellwether::proxy
