#include "component/net/stream_pair.h"
#include "component/probe/fake_node.h"
#include "component/probe/watch.h"

using namespace bellwether;
using probe::testing::FakeNode;
using probe::testing::first_probe;
using probe::testing::pass;
using probe::testing::Watch;

namespace {

// The loop is late afterwards.
void stand_still(const net::Loop& loop) {
  const TimePoint until = loop.precise_now() + 300ms;
  while (loop.precise_now() < until) continue;
}

}  // namespace

TEST_CASE("the node that says it is active leads, and the next one after it", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode first(*loop, 200);
  FakeNode second(*loop, 429);
  Watch watch(*loop);
  watch.add(first.address());
  watch.add(second.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  CHECK(watch.views.back()->epoch == 1);

  first.status = 429;
  second.status = 200;
  REQUIRE(watch.until([&] { return watch.leader_is(1); }));
  CHECK(watch.prober->view()->epoch == 2);
  CHECK(watch.views.back() == watch.prober->view());
  CHECK(watch.saw(cluster::EventKind::kLeaderElected));
}

TEST_CASE("a leader whose probe hangs is not suspected while it answers live requests", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode node(*loop, 200);
  Watch watch(*loop);
  watch.options.timeout_check = 10s;
  watch.add(node.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  watch.prober->set_look_at_traffic([&](NodeId) { return probe::LiveTraffic{loop->now()}; });
  node.hangs = true;
  REQUIRE(watch.until([&] { return node.waiting.size() == 2; }));  // the second one goes out when the first is late
  pass(*loop, 3 * watch.options.tracker.suspect_after);
  CHECK_FALSE(watch.prober->view()->suspect);
}

TEST_CASE("exchanges that wait while health is answered are reported as a stall", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode node(*loop, 200);
  Watch watch(*loop);
  watch.add(node.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  watch.prober->set_look_at_traffic([&](NodeId) { return probe::LiveTraffic{{}, 3, false}; });
  REQUIRE(watch.until([&] { return watch.saw(cluster::EventKind::kStalled); }));
  CHECK(watch.leader_is(0));
}

TEST_CASE("all probes of a node go over one kept connection and are counted", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode node(*loop, 200);
  node.delay = 2ms;
  Watch watch(*loop);
  watch.add(node.address());
  watch.start();
  REQUIRE(watch.until([&] { return node.requests >= 6; }));
  CHECK(node.connections == 1);
  CHECK(node.targets.front() == "/v1/sys/health");
  const probe::ProbeCounts& counts = watch.prober->counts(NodeId{0});
  CHECK(counts.probes >= 5);
  std::uint64_t observed = 0;
  for (const std::uint64_t bucket : counts.duration_buckets) observed += bucket;
  CHECK(observed == counts.probes);
  CHECK(counts.duration_sum_s == Approx(0.002 * static_cast<double>(counts.probes)));
}

TEST_CASE("a node that nobody listens at is refused and never leads", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  auto gone = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  REQUIRE(gone);
  const net::Address nobody = *gone->local_address();
  gone->close();
  Watch watch(*loop);
  watch.add(nobody);
  watch.add(leader.address());
  watch.start();
  REQUIRE(watch.until([&] {
    return watch.leader_is(1) && watch.prober->snapshot()->nodes[0].failure == cluster::ProbeFailure::kRefused;
  }));
  CHECK(watch.prober->counts(NodeId{0}).failures[static_cast<std::size_t>(cluster::ProbeFailure::kRefused)] > 0);
  CHECK_FALSE(watch.prober->view()->nodes[0].up);
}

TEST_CASE("a leader that hangs becomes suspect and is asked once more on a fresh connection, never a third time",
          "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  Watch watch(*loop);
  watch.add(leader.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  leader.hangs = true;
  REQUIRE(watch.until([&] { return watch.prober->view()->suspect && leader.waiting.size() == 2; }));
  CHECK(leader.connections == 2);
  pass(*loop, 400ms);
  CHECK(leader.waiting.size() == 2);
  CHECK(leader.connections == 2);
  CHECK_FALSE(watch.prober->view()->target());

  leader.wake();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  CHECK(watch.prober->view()->epoch == 1);
  const int before = leader.requests;
  CHECK(watch.until([&] { return leader.requests >= before + 4; }));
  CHECK(leader.connections == 2);
}

TEST_CASE("a probe without an answer for timeout_check ends as such", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  leader.hangs = true;
  Watch watch(*loop);
  watch.options.timeout_check = 150ms;
  watch.add(leader.address());
  watch.start();
  REQUIRE(
      watch.until([&] { return watch.prober->snapshot()->nodes[0].failure == cluster::ProbeFailure::kAnswerTimeout; }));
}

TEST_CASE("a node without an address is unreachable until its name resolves", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  Watch watch(*loop);
  watch.add(std::nullopt);
  watch.start();
  REQUIRE(
      watch.until([&] { return watch.prober->snapshot()->nodes[0].failure == cluster::ProbeFailure::kUnreachable; }));
  watch.prober->set_address(NodeId{0}, leader.address());
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
}

TEST_CASE("a new address is used from the next probe on", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode old_place(*loop, 200);
  FakeNode new_place(*loop, 200);
  Watch watch(*loop);
  watch.add(old_place.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  watch.prober->set_address(NodeId{0}, new_place.address());
  REQUIRE(watch.until([&] { return new_place.requests >= 3; }));
  const int asked = old_place.requests;
  REQUIRE(watch.until([&] { return new_place.requests >= 6; }));
  CHECK(old_place.requests == asked);
  CHECK(watch.leader_is(0));
}

TEST_CASE("an answer that is not Vault's is counted as such and does not lead", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode stranger(*loop, 200);
  Watch watch(*loop);
  watch.add(stranger.address());
  stranger.status = 418;
  watch.start();
  REQUIRE(watch.until([&] { return watch.prober->counts(NodeId{0}).failures.back() >= 2; }));
  CHECK_FALSE(watch.prober->view()->leader);
}

TEST_CASE("a leader that ends its quiet connection is asked again at once", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  Watch watch(*loop);
  watch.options.tracker.inter = 60s;
  watch.options.tracker.idle_inter = 60s;
  watch.add(leader.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  pass(*loop, 1s);
  const int before = leader.requests;
  leader.drop_connections();
  REQUIRE(watch.until([&] { return leader.requests > before; }));
  CHECK(watch.until([&] { return watch.leader_is(0); }));
}

TEST_CASE("probes speak TLS, verify the name and see a node that fails it", "[probe][tls]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200, net::testing::server_tls());
  Watch watch(*loop);
  watch.add(leader.address());
  watch.add(leader.address());
  for (auto& target : watch.options.targets) target.tls = net::testing::client_tls();
  watch.options.targets[0].server_name = "vault.test";
  watch.options.targets[1].server_name = "somebody.else";
  watch.start();
  REQUIRE(watch.until(
      [&] { return watch.leader_is(0) && watch.prober->snapshot()->nodes[1].failure == cluster::ProbeFailure::kTls; }));
}

TEST_CASE("another CA is used from the next probe on, over a new connection", "[probe][tls]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200, net::testing::server_tls());
  Watch watch(*loop);
  watch.add(leader.address());
  watch.options.targets[0].tls = net::testing::client_tls();
  watch.options.targets[0].server_name = "vault.test";
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  watch.prober->set_tls(net::testing::client_tls("other-ca.pem"));
  REQUIRE(watch.until([&] { return watch.prober->snapshot()->nodes[0].failure == cluster::ProbeFailure::kTls; }));
  watch.prober->set_tls(net::testing::client_tls());
  CHECK(watch.until([&] { return watch.leader_is(0) && !watch.prober->snapshot()->nodes[0].failure; }));
}

TEST_CASE("probes begin with the PROXY header that data connections have", "[probe]") {
  const std::string got = first_probe(net::ProxyVersion::kV1);
  CHECK(got.rfind("PROXY UNKNOWN\r\nGET /v1/sys/health HTTP/1.1\r\nHost: vault.test\r\n", 0) == 0);
}

TEST_CASE("the operator's states reach the tracker, and its refusal the operator", "[probe]") {
  const net::testing::ManualLoop loop;
  FakeNode leader(*loop, 200);
  Watch watch(*loop);
  watch.add(leader.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  const auto set = [&](cluster::AdminState state, bool force) {
    std::optional<Result<void>> done;
    watch.prober->set_admin_state(NodeId{0}, state, force, [&done](Result<void> result) { done = std::move(result); });
    REQUIRE(watch.until([&] { return done.has_value(); }));
    return done->has_value();
  };
  CHECK_FALSE(set(cluster::AdminState::kMaint, false));
  REQUIRE(set(cluster::AdminState::kMaint, true));
  CHECK_FALSE(watch.prober->view()->target());
  REQUIRE(set(cluster::AdminState::kReady, false));
  CHECK(watch.until([&] { return watch.leader_is(0); }));
}

TEST_CASE("our own standstill does not make the leader suspect", "[probe]") {
  const auto loop = net::testing::make_loop();
  FakeNode leader(*loop, 200);
  Watch watch(*loop);
  watch.add(leader.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  const int before = leader.requests;
  loop->post([&] { stand_still(*loop); });
  REQUIRE(watch.until([&] { return leader.requests >= before + 4; }));
  CHECK(watch.saw(cluster::EventKind::kLoopLate));
  CHECK_FALSE(watch.saw(cluster::EventKind::kLeaderSuspect));
}

TEST_CASE("an operator's order after our own standstill does not make the leader suspect", "[probe]") {
  const auto loop = net::testing::make_loop();
  FakeNode leader(*loop, 200);
  FakeNode standby(*loop, 429);
  Watch watch(*loop);
  watch.add(leader.address());
  watch.add(standby.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  leader.hangs = true;
  REQUIRE(watch.until([&] { return !leader.waiting.empty(); }));
  int done = 0;
  loop->post([&] {
    stand_still(*loop);
    // The leader's answer comes in the same turn, but this is read first.
    leader.wake();
    watch.prober->set_admin_state(NodeId{1}, cluster::AdminState::kDrain, false, [&](const Result<void>& accepted) {
      CHECK(accepted);
      ++done;
    });
  });
  REQUIRE(watch.until([&] { return done > 0 && watch.prober->view()->target(); }));
  CHECK(done == 1);
  CHECK(watch.prober->view()->nodes[1].admin == cluster::AdminState::kDrain);
  CHECK(watch.saw(cluster::EventKind::kLoopLate));
  CHECK_FALSE(watch.saw(cluster::EventKind::kLeaderSuspect));
}
