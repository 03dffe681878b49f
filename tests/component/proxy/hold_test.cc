#include <algorithm>

#include "catch.hpp"
#include "component/net/stream_pair.h"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

namespace {

// Nothing listens there: bound for a moment, to know that it was free.
net::Address refusing_address() {
  auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  return *socket->local_address();
}

}  // namespace

TEST_CASE("a connection waits for the first leader and then reaches it", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.start();
  auto client = rig.client();
  client->send("patience");
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  CHECK(backend->peers.empty());
  rig.advance(250ms);
  rig.lead(1, n1);
  REQUIRE(rig.until([&] { return client->received == "patience"; }));
  const ProxyCounts counts = rig.proxy->counts();
  CHECK(counts.held_now == 0);
  CHECK(counts.held_total == 1);
  std::uint64_t in_buckets = 0;
  for (const std::uint64_t n : counts.hold_buckets) in_buckets += n;
  CHECK(in_buckets == 1);
  CHECK(counts.hold_sum_s == Approx(0.25));
}

TEST_CASE("held connections are released in the order in which they came", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 150; ++i) {
    clients.push_back(rig.client());
    clients.back()->send(std::to_string(i) + ".");
    REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == static_cast<std::uint64_t>(i + 1); }));
  }
  rig.lead(1, n1);
  REQUIRE(rig.advance_until([&] { return backend.peers.size() == 150; }));
  REQUIRE(rig.until([&] { return !backend.peers.back()->received.empty(); }));
  for (std::size_t i = 0; i < backend.peers.size(); ++i) {
    CHECK(backend.peers[i]->received == std::to_string(i) + ".");
  }
}

TEST_CASE("a new leader hears the rest of the queue only when it has answered the first or is late", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(rig.client());
    clients.back()->send("x");
  }
  // A client that has asked nothing keeps no other waiting, so all must have sent their byte.
  const auto has_sent = [](const auto& client) { return client->unsent() == 0; };
  REQUIRE(rig.until(
      [&] { return rig.proxy->counts().held_now == 20 && std::all_of(clients.begin(), clients.end(), has_sent); }));
  rig.lead(1, n1);
  REQUIRE(rig.until([&] { return backend.peers.size() == 2; }));
  rig.advance(20ms - Duration(1));
  CHECK(backend.peers.size() == 2);
  rig.advance(Duration(1));
  CHECK(backend.peers.size() > 2);
  REQUIRE(rig.advance_until([&] { return backend.peers.size() == 20; }));
}

TEST_CASE("a connection that waited too long is closed, counted and logged", "[proxy]") {
  Rig rig;
  rig.add_node(refusing_address());
  rig.options.hold_timeout_tcp = 100ms;
  rig.options.log_sessions = true;
  rig.start();
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  rig.advance(100ms - Duration(1));
  CHECK_FALSE(client->is_over());
  rig.advance(Duration(1));
  REQUIRE(rig.until([&] { return client->is_over() && !rig.records.empty(); }));
  CHECK(rig.proxy->counts().hold_timeouts == 1);
  CHECK(rig.proxy->counts().held_now == 0);
  CHECK(std::string(rig.records.front().end) == "sQ");
  CHECK(rig.records.front().held >= 100ms);
  CHECK(!rig.records.front().node);
}

TEST_CASE("one connection more than may be held is refused", "[proxy]") {
  Rig rig;
  rig.add_node(refusing_address());
  rig.options.hold_max = 2;
  rig.start();
  auto first = rig.client();
  auto second = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 2; }));
  auto third = rig.client();
  REQUIRE(rig.until([&] { return third->is_over(); }));
  CHECK(rig.proxy->counts().hold_overflows == 1);
  CHECK(!first->is_over());
  CHECK(!second->is_over());
}

TEST_CASE("where the hold is full a suspect leader is dialled rather than the client refused", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.hold_max = 1;
  rig.start();
  rig.publish(rig.view(1, n1, cluster::HoldReason::kSuspect));
  auto held = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  auto sent = rig.client();
  sent->send("anyway");
  CHECK(rig.until([&] { return sent->received == "anyway"; }));
  CHECK(rig.proxy->counts().hold_overflows == 0);
  CHECK(rig.proxy->counts().held_now == 1);
}

TEST_CASE("a client that leaves while held is forgotten", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  auto by_fin = rig.client();
  auto by_reset = rig.client();
  by_reset->send("hello");
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 2 && by_reset->unsent() == 0; }));
  by_fin->close();
  by_reset->abort();
  REQUIRE(rig.until([&] { return rig.proxy->counts().client_gone_while_held == 2; }));
  CHECK(rig.proxy->counts().held_now == 0);
  rig.lead(1, n1);
  auto last = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes[0].connects == 1; }));
  CHECK(rig.until([&] { return backend.peers.size() == 1; }));
}

TEST_CASE("a refused connect is hinted, held, and succeeds on the next leader", "[proxy]") {
  Rig rig;
  const NodeId n1 = rig.add_node(refusing_address());
  auto backend = Backend::echo(*rig.loop);
  const NodeId n2 = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("persist");
  REQUIRE(rig.until([&] { return !rig.hints.empty(); }));
  CHECK(rig.hints.front().kind == cluster::HintKind::kRefused);
  CHECK(rig.hints.front().node == n1);
  CHECK(rig.hints.front().epoch == 1);
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  rig.lead(2, n2);
  REQUIRE(rig.until([&] { return client->received == "persist"; }));
  CHECK(rig.proxy->counts().nodes.at(n1).connect_failures == 1);
  CHECK(rig.proxy->counts().nodes.at(n2).connects == 1);
}

TEST_CASE("the same view is not dialled in circles", "[proxy]") {
  Rig rig;
  const NodeId n1 = rig.add_node(refusing_address());
  rig.options.hold_timeout_tcp = 300ms;
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  REQUIRE(rig.advance_until([&] { return client->is_over(); }));
  CHECK(rig.proxy->counts().nodes[0].connect_failures == 1);
  CHECK(rig.proxy->counts().hold_timeouts == 1);
}

TEST_CASE("a newer view dials again at once what did not come through before", "[proxy]") {
  Rig rig;
  const net::Address address = refusing_address();
  const NodeId n1 = rig.add_node(address);
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("again");
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes[0].connect_failures == 1; }));
  Backend backend(*rig.loop, address.to_string().c_str());
  rig.lead(1, n1);
  // The same view would not be dialled again within a second, and no time passes.
  CHECK(rig.until([&] { return !backend.peers.empty() && backend.peers[0]->received == "again"; }));
}

TEST_CASE("a dial that fails at home is no hint about the node, and waits as any other", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.source = *net::Address::parse("192.0.2.1:0");
  rig.options.hold_timeout_tcp = 200ms;
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  REQUIRE(rig.advance_until([&] { return client->is_over(); }));
  CHECK(rig.proxy->counts().nodes[0].connect_failures == 1);
  CHECK(rig.proxy->counts().hold_timeouts == 1);
  CHECK(rig.hints.empty());
}

TEST_CASE("a connect that is not answered goes back to the hold after its time", "[proxy]") {
  Rig rig;
  net::testing::FullListener hung(*rig.loop);
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(hung.address);
  const NodeId n2 = rig.add_node(backend->address());
  rig.options.timeout_connect = 100ms;
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("x");
  REQUIRE(rig.until([&] { return rig.proxy->counts().sessions_now == 1; }));
  rig.advance(100ms - Duration(1));
  CHECK(rig.hints.empty());
  rig.advance(Duration(1));
  REQUIRE(!rig.hints.empty());
  CHECK(rig.hints.front().kind == cluster::HintKind::kSlow);
  rig.lead(2, n2);
  CHECK(rig.until([&] { return client->received == "x"; }));
}

TEST_CASE("while the view is idle the first connection asks for traffic and waits for the next view", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.start();
  cluster::View idle = rig.view(1, n1, cluster::HoldReason::kIdle);
  idle.idle = true;
  rig.publish(idle);
  auto client = rig.client();
  client->send("wake up");
  REQUIRE(rig.until([&] { return rig.traffic >= 1 && rig.proxy->counts().held_now == 1; }));
  CHECK(backend->peers.empty());
  rig.lead(1, n1);
  CHECK(rig.until([&] { return client->received == "wake up"; }));
}

TEST_CASE("traffic is reported now and then, not per byte", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  std::size_t rounds = 0;
  client->on_data = [&](Peer& self, std::string_view) {
    if (++rounds < 500) self.send("y");
  };
  const TimePoint began = rig.loop->precise_now();
  client->send("y");
  REQUIRE(rig.until([&] { return rounds >= 500 && rig.traffic >= 1; }));
  // Once when the connection came, then once a second, however long this machine takes.
  CHECK(rig.traffic <= 3 + to_seconds(rig.loop->precise_now() - began));
}

TEST_CASE("connections beyond maxconn wait and proceed when one ends", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.maxconn = 2;
  rig.options.threads = 2;
  rig.start();
  rig.lead(1, n1);
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(rig.client());
    clients.back()->send("me");
  }
  const auto served = [&] {
    return std::count_if(clients.begin(), clients.end(), [](const auto& c) { return c->received == "me"; });
  };
  for (int round = 1; round <= 3; ++round) {
    REQUIRE(rig.until([&] { return served() == 2 * round; }));
    CHECK(rig.proxy->counts().sessions_now == 2);
    for (auto& client : clients) {
      if (client->received == "me") client->close();
    }
  }
  CHECK(rig.proxy->counts().maxconn_pauses >= 1);
  CHECK(rig.until([&] { return rig.proxy->counts().sessions_now == 0; }));
}

}  // namespace bellwether::proxy
