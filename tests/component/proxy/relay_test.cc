#include <unistd.h>

#include "catch.hpp"
#include "component/proxy/harness.h"
#include "component/proxy/stuck_worker.h"

namespace bellwether::proxy {

namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 12345;
  for (char& c : bytes) {
    x = x * 1664525u + 1013904223u;
    c = static_cast<char>(x >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("a session carries bytes both ways", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("hello");
  REQUIRE(rig.until([&] { return client->received == "hello"; }));
  client->send(" again");
  REQUIRE(rig.until([&] { return client->received == "hello again"; }));
  CHECK(rig.proxy->counts().nodes.at(n1).connects == 1);
  CHECK(rig.proxy->counts().nodes.at(n1).sessions_now == 1);
  client->close();
  CHECK(rig.until([&] { return rig.proxy->counts().sessions_now == 0; }));
  CHECK(rig.proxy->counts().bytes_up == 11);
  CHECK(rig.proxy->counts().bytes_down == 11);
  CHECK(rig.proxy->counts().nodes.at(n1).sessions_now == 0);
}

TEST_CASE("a client that ends its side still gets the whole answer", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  backend.on_accept = [](Peer& peer) {
    peer.on_end = [](Peer& self) {
      self.send("answer to " + self.received);
      self.finish();
    };
  };
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  rig.lead(1, n1);
  auto first = rig.client();  // the view has arrived once this one is connected
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes[0].connects == 1; }));
  auto client = rig.client();
  client->send("question");
  client->finish();
  REQUIRE(rig.until([&] { return client->saw_end; }));
  CHECK(client->received == "answer to question");
  CHECK(rig.until([&] { return rig.proxy->counts().sessions_now == 1; }));
}

TEST_CASE("a node that ends its side still gets what the client says", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  backend.on_accept = [](Peer& peer) {
    peer.send("greeting");
    peer.finish();
  };
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  REQUIRE(rig.until([&] { return client->saw_end; }));
  CHECK(client->received == "greeting");
  client->send("late words");
  client->finish();
  REQUIRE(rig.until([&] { return backend.peers.front()->saw_end; }));
  CHECK(backend.peers.front()->received == "late words");
  CHECK(rig.until([&] { return rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("64 MiB both ways at once arrive whole though the readers stop now and then", "[proxy]") {
  constexpr std::size_t kSize = 64 * 1024 * 1024;
  Rig rig(RigTime::kReal);
  const std::string up = pattern(kSize);
  const std::string down = pattern(kSize + 1);
  Backend backend(*rig.loop);
  backend.on_accept = [&](Peer& peer) {
    peer.only_count();
    peer.send(down);
    peer.finish();
  };
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->only_count();
  client->send(up);
  client->finish();

  int turns = 0;
  net::Timer stop_and_go(*rig.loop, [&] {
    ++turns;
    client->pause_reading(turns % 2 == 1);
    if (!backend.peers.empty()) backend.peers.front()->pause_reading(turns % 4 >= 2);
    if (turns < 20) stop_and_go.arm_in(10ms);
  });
  stop_and_go.arm_in(10ms);
  REQUIRE(rig.until([&] { return turns == 20 && client->is_over() && backend.peers.front()->is_over(); }, 60s));
  CHECK(client->received_bytes == down.size());
  CHECK(client->checksum == checksum_of(down, 0));
  CHECK(backend.peers.front()->received_bytes == up.size());
  CHECK(backend.peers.front()->checksum == checksum_of(up, 0));
}

TEST_CASE("a slow reader stops its sender and not the other sessions", "[proxy]") {
  constexpr std::size_t kSize = 32 * 1024 * 1024;
  Rig rig;
  Backend backend(*rig.loop);
  backend.on_accept = [&](Peer& peer) {
    peer.on_data = [](Peer& self, std::string_view) { self.send(std::string(kSize, 'x')); };
  };
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  rig.lead(1, n1);
  auto slow = rig.client();
  slow->pause_reading(true);
  slow->send("go");
  REQUIRE(rig.until([&] { return !backend.peers.empty() && backend.peers.front()->unsent() > 0; }));
  backend.on_accept = [](Peer& peer) { peer.on_data = [](Peer& self, std::string_view bytes) { self.send(bytes); }; };
  auto quick = rig.client();
  quick->send("ping");
  REQUIRE(rig.until([&] { return quick->received == "ping"; }));
  CHECK(backend.peers.front()->unsent() > 0);
  slow->only_count();
  slow->pause_reading(false);
  CHECK(rig.until([&] { return slow->received_bytes == kSize; }, 20s));
}

TEST_CASE("an answer that came before the node broke off is delivered", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  const NodeId n1 = rig.add_node(backend.address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("start");
  REQUIRE(rig.until([&] { return !backend.peers.empty() && backend.peers.front()->received == "start"; }));
  backend.peers.front()->send("too large");
  backend.peers.front()->close();
  REQUIRE(rig.until([&] { return client->is_over(); }));
  CHECK(client->received == "too large");
}

TEST_CASE("a reset by the node ends the session, with a hint and the reason", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  const NodeId n1 = rig.add_node(backend.address());
  rig.options.log_sessions = true;
  rig.start();
  rig.lead(7, n1);
  auto client = rig.client();
  client->send("x");
  REQUIRE(rig.until([&] { return !backend.peers.empty() && backend.peers.front()->received == "x"; }));
  backend.peers.front()->abort();
  const auto told = [&] { return !rig.hints.empty() && rig.hints.back().kind == cluster::HintKind::kReset; };
  REQUIRE(rig.until([&] { return client->is_over() && told() && !rig.records.empty(); }));
  CHECK(rig.hints.back().epoch == 7);
  CHECK(std::string(rig.records.front().end) == "SD");
  CHECK(rig.records.front().bytes_up == 1);
  CHECK(rig.records.front().node == n1);
}

TEST_CASE("a reset right behind bytes ends the session too", "[proxy]") {
  Rig rig;
  Backend backend(*rig.loop);
  backend.on_accept = [](Peer& peer) { peer.on_end = [](Peer& self) { self.close(); }; };
  const NodeId n1 = rig.add_node(backend.address());
  StuckWorker worker(rig);
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("question");
  REQUIRE(rig.until([&] { return !backend.peers.empty() && backend.peers[0]->received == "question"; }));
  Peer& node = *backend.peers[0];
  // The worker finds bytes and reset at once, in one event.
  worker.make_stuck();
  SECTION("from the node") {
    node.send("half an ans");
    node.abort();
    worker.release();
    REQUIRE(rig.advance_until([&] { return client->is_over(); }));
    CHECK(client->received == "half an ans");
  }
  SECTION("from the client") {
    client->send("another");
    client->abort();
    worker.release();
    REQUIRE(rig.advance_until([&] { return node.is_over(); }));
  }
  CHECK(rig.advance_until([&] { return rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("a session without bytes for too long is closed", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.timeout_idle = 100ms;
  rig.options.log_sessions = true;
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes.at(n1).connects == 1; }));
  rig.advance(100ms - Duration(1));
  CHECK_FALSE(client->is_over());
  rig.advance(Duration(1));
  REQUIRE(rig.until([&] { return client->is_over() && !rig.records.empty(); }));
  CHECK(rig.proxy->counts().sessions_cut_idle == 1);
  CHECK(std::string(rig.records.front().end) == "cD");
}

TEST_CASE("an IPv6 listener serves an IPv4 node", "[proxy]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.listeners.front().address = *net::Address::parse("[::1]:0");
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("six");
  CHECK(rig.until([&] { return client->received == "six"; }));
}

TEST_CASE("a unix socket is served beside a TCP listener of two workers, and its file goes away", "[proxy]") {
  const std::string path = "/tmp/bw_proxy_test_" + std::to_string(::getpid()) + ".sock";
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.threads = 2;
  rig.options.listeners.push_back({});
  rig.options.listeners.back().address = *net::Address::parse("unix:" + path);
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client(1);
  client->send("local");
  CHECK(rig.until([&] { return client->received == "local"; }));
  const std::string bulk = pattern(8 * 1024 * 1024);
  client->received.clear();
  client->send(bulk);
  CHECK(rig.until([&] { return client->received == bulk; }, 20s));
  rig.proxy.reset();
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("an address in use is an error that names it", "[proxy]") {
  Rig rig;
  Backend other(*rig.loop);
  rig.add_node(other.address());
  rig.options.listeners.front().address = other.address();
  const auto started = Proxy::start(*rig.loop, rig.options, {});
  REQUIRE(!started);
  CHECK_THAT(started.error().message, CATCH_CONTAINS(other.address().to_string()));
}

TEST_CASE("several workers do not join another process's port unnoticed", "[proxy]") {
  Rig rig;
  auto other = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {.reuse_port = true});
  REQUIRE(other);
  const net::Address taken = *other->local_address();
  rig.add_node(taken);
  rig.options.threads = 2;
  rig.options.listeners.front().address = taken;
  const auto started = Proxy::start(*rig.loop, rig.options, {});
  REQUIRE(!started);
  CHECK_THAT(started.error().message, CATCH_CONTAINS(taken.to_string()));
}

TEST_CASE("the source address option is what the node sees", "[proxy]") {
  Rig rig;
  std::string seen;
  auto listening = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  REQUIRE(listening);
  const NodeId n1 = rig.add_node(*listening->local_address());
  std::vector<net::Socket> accepted;
  net::Listener listener(*rig.loop, std::move(*listening), [&](net::Socket socket, const net::Address& peer) {
    seen = peer.host();
    accepted.push_back(std::move(socket));
  });
  rig.options.source = *net::Address::parse("127.0.0.9:0");
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  CHECK(rig.until([&] { return seen == "127.0.0.9"; }));
}

}  // namespace bellwether::proxy
