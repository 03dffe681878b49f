#include "component/net/stream_pair.h"
#include "component/probe/fake_node.h"
#include "component/probe/watch.h"

// What clusters and what stands before them do to whoever asks for their health: see tests/README.md.

using namespace bellwether;
using cluster::EventKind;
using cluster::ProbeFailure;
using cluster::Role;
using probe::testing::FakeNode;
using probe::testing::first_probe;
using probe::testing::Watch;

namespace {

// Three nodes, of which the first leads.
struct Three {
  Three() : n1(*loop, 200), n2(*loop, 429), n3(*loop, 429), watch(*loop) {
    for (const FakeNode* node : {&n1, &n2, &n3}) watch.add(node->address());
  }
  void start() {
    watch.start();
    REQUIRE(watch.until([&] { return watch.leader_is(0) && !view().cluster_id.empty(); }));
  }
  // The second claims as well, before anybody was asked: who is led to.
  NodeId contested_from_the_start() {
    n2.status = 200;
    watch.start();
    REQUIRE(watch.until([&] { return view().leader && view().challenger; }));
    return *view().leader;
  }
  [[nodiscard]] const cluster::View& view() const { return *watch.prober->view(); }
  [[nodiscard]] Role role(std::size_t node) const { return view().nodes[node].role; }
  // Rounds of probes in which nothing may change.
  void rounds(int count) {
    const int before = n3.requests;
    REQUIRE(watch.until([&] { return n3.requests >= before + count; }));
  }

  net::testing::ManualLoop loop;
  FakeNode n1, n2, n3;
  Watch watch;
};

}  // namespace

TEST_CASE("a rate limiter's 429 is no standby's word: it is silence, and the leader that it hides is not demoted",
          "[probe][traps]") {
  Three it;
  it.start();
  it.n1.instead = http::Response{429, {{"Content-Type", "text/plain"}}, "Too Many Requests\n"};
  REQUIRE(it.watch.until([&] { return it.watch.saw(EventKind::kLeaderSuspect); }));
  CHECK(it.role(0) == Role::kActive);
  REQUIRE(it.watch.until([&] { return it.role(0) == Role::kError; }));
  CHECK_FALSE(it.view().leader);
  it.n1.instead.reset();
  REQUIRE(it.watch.until([&] { return it.watch.leader_is(0); }));
}

TEST_CASE("a leader of a DR secondary never leads clients", "[probe][traps]") {
  Three it;
  it.n2.status = 472;
  it.start();
  it.n1.status = 429;
  REQUIRE(it.watch.until([&] { return it.role(0) == Role::kStandby && it.role(1) == Role::kDrSecondary; }));
  it.rounds(5);
  CHECK_FALSE(it.view().leader);
}

TEST_CASE("a conflict is decided though sys/leader is blocked, and probes go on meanwhile", "[probe][traps]") {
  Three it;
  it.start();
  it.n2.status = 200;
  REQUIRE(it.watch.until([&] { return it.watch.leader_is(1); }));
  CHECK(it.watch.saw(EventKind::kConflict));
  CHECK(it.n1.leader_questions > 0);
  CHECK(it.view().epoch == 2);
}

TEST_CASE("an is_self that is absent, and an address that is no node's, name nobody: the first that led stays",
          "[probe][traps]") {
  Three it;
  for (FakeNode* node : {&it.n1, &it.n2, &it.n3}) {
    node->leader = R"({"ha_enabled":true,"leader_address":"http://balancer"})";
  }
  const NodeId first = it.contested_from_the_start();
  REQUIRE(it.watch.until([&] { return it.n1.leader_questions > 0 && it.n2.leader_questions > 0; }));
  it.rounds(10);
  CHECK(it.view().leader == first);
  CHECK(it.view().epoch == 1);
}

TEST_CASE("a TLS handshake that never ends makes the leader suspect, then nobody leads", "[probe][tls][traps]") {
  const net::testing::ManualLoop loop;
  net::testing::MuteListener mute(*loop);
  FakeNode leader(*loop, 200, net::testing::server_tls());
  Watch watch(*loop);
  watch.options.timeout_check = 150ms;
  watch.add(leader.address());
  watch.options.targets[0].tls = net::testing::client_tls();
  watch.options.targets[0].server_name = "vault.test";
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  leader.drop_connections();
  watch.prober->set_address(NodeId{0}, mute.listener.address());
  REQUIRE(watch.until([&] { return watch.prober->view()->suspect; }));
  CHECK_FALSE(watch.prober->view()->target());
  REQUIRE(watch.until([&] { return !watch.prober->view()->leader; }));
  CHECK(watch.prober->snapshot()->nodes[0].failure == ProbeFailure::kAnswerTimeout);
  CHECK_FALSE(mute.accepted.empty());
}

TEST_CASE("a node of another cluster that says 200 is reported and never led to", "[probe][traps]") {
  Three it;
  it.n3.cluster_id = "c2";
  it.n3.status = 200;
  it.start();
  REQUIRE(it.watch.until([&] { return it.role(2) == Role::kForeign; }));
  CHECK(it.watch.saw(EventKind::kForeignNode));
  it.n1.status = 429;
  REQUIRE(it.watch.until([&] { return !it.view().leader; }));
  it.rounds(5);
  CHECK_FALSE(it.view().leader);
}

TEST_CASE("a cluster that comes back with another id waits for repin, and leads after it", "[probe][traps]") {
  Three it;
  it.start();
  for (FakeNode* node : {&it.n1, &it.n2, &it.n3}) node->cluster_id = "c2";
  REQUIRE(it.watch.until([&] { return !it.view().leader && it.role(0) == Role::kForeign; }));
  it.rounds(5);
  CHECK_FALSE(it.view().leader);
  it.watch.prober->repin();
  REQUIRE(it.watch.until([&] { return it.watch.leader_is(0); }));
  CHECK(it.view().cluster_id == "c2");
}

TEST_CASE("of two that claim from the start the younger active_time wins nothing", "[probe][traps]") {
  Three it;
  const bool first_is_younger = GENERATE(true, false);
  const std::string young = R"(,"active_time":"2036-01-01T00:00:00Z")";
  const std::string old = R"(,"active_time":"2016-01-01T00:00:00Z")";
  it.n1.more = first_is_younger ? young : old;
  it.n2.more = first_is_younger ? old : young;
  const NodeId first = it.contested_from_the_start();
  it.rounds(10);
  CHECK(it.view().leader == first);
  CHECK(it.view().epoch == 1);
}

TEST_CASE("a leader whose standbys all say that they are disconnected from it stays", "[probe][traps]") {
  Three it;
  it.start();
  it.n2.status = 474;
  it.n3.status = 474;
  REQUIRE(it.watch.until([&] { return it.role(1) == Role::kDisconnected && it.role(2) == Role::kDisconnected; }));
  it.rounds(10);
  CHECK(it.watch.leader_is(0));
  CHECK_FALSE(it.watch.saw(EventKind::kLeaderSuspect));
}

TEST_CASE("answers that take twice as long as inter cost no leader", "[probe][traps]") {
  Three it;
  it.watch.options.tracker.suspect_after = 400ms;
  it.start();
  for (FakeNode* node : {&it.n1, &it.n2, &it.n3}) node->delay = 2 * it.watch.options.tracker.inter;
  it.rounds(10);
  CHECK(it.watch.leader_is(0));
  CHECK_FALSE(it.watch.saw(EventKind::kLeaderSuspect));
  CHECK_FALSE(it.watch.saw(EventKind::kLeaderLost));
}

TEST_CASE("a leader that stands down and is elected again within moments has a new epoch", "[probe][traps]") {
  Three it;
  it.start();
  it.n1.status = 429;
  REQUIRE(it.watch.until([&] { return !it.view().leader; }));
  it.n1.status = 200;
  REQUIRE(it.watch.until([&] { return it.watch.leader_is(0); }));
  CHECK(it.view().epoch == 2);
}

TEST_CASE("a probe's PROXY v2 header is LOCAL: it speaks for no client", "[probe][traps]") {
  const std::string got = first_probe(net::ProxyVersion::kV2);
  // Signature, version 2 with LOCAL, unspecified family, no addresses (PROXY protocol, section 2.2).
  const std::string header("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  CHECK(got.rfind(header + "GET /v1/sys/health HTTP/1.1\r\n", 0) == 0);
}
