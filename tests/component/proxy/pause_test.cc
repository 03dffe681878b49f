#include "catch.hpp"
#include "component/proxy/http_rig.h"

// The operator's pause: there is a leader, and nobody is sent to it.
namespace bellwether::proxy {

TEST_CASE("paused, a new tcp connection waits for the end of it, and one that runs goes on", "[proxy][pause]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, n1);
  auto running = rig.client();
  running->send("before");
  REQUIRE(rig.until([&] { return running->received == "before"; }));
  rig.publish(rig.view(1, n1, cluster::HoldReason::kPaused));
  auto waiting = rig.client();
  waiting->send("later");
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  running->send(" and after");
  REQUIRE(rig.until([&] { return running->received == "before and after"; }));
  CHECK(rig.proxy->counts().nodes.at(n1).connects == 1);
  rig.lead(1, n1);
  REQUIRE(rig.until([&] { return waiting->received == "later"; }));
  CHECK(rig.proxy->counts().held_now == 0);
}

TEST_CASE("paused, a tcp connection is closed when the hold's time is over", "[proxy][pause]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.hold_timeout_tcp = 150ms;
  rig.start();
  rig.publish(rig.view(1, n1, cluster::HoldReason::kPaused));
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  rig.advance(150ms - Duration(1));
  CHECK_FALSE(client->is_over());
  rig.advance(Duration(1));
  REQUIRE(rig.until([&] { return client->is_over(); }));
  CHECK(rig.proxy->counts().hold_timeouts == 1);
  CHECK(rig.proxy->counts().nodes.at(n1).connects == 0);
}

TEST_CASE("paused, a full hold refuses even where the leader is suspect", "[proxy][pause]") {
  HttpRig it;
  it.rig.options.hold_max = 1;
  it.rig.start();
  cluster::View paused = it.rig.view(1, it.n1, cluster::HoldReason::kPaused);
  paused.suspect = true;
  it.rig.publish(paused);
  auto held = it.rig.client();
  held->send(get("/v1/held"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  auto other = it.rig.client();
  other->send(get("/v1/other"));
  REQUIRE(it.until_has(*other, "503"));
  REQUIRE(it.until_has(*other, "paused by the operator"));
  CHECK(it.one.seen.empty());
}

TEST_CASE("paused, http requests wait in order and go to whoever leads when it ends", "[proxy][pause]") {
  HttpRig it;
  it.start();
  auto first = it.rig.client();
  first->send(get("/v1/a"));
  REQUIRE(it.until_has(*first, "GET /v1/a"));
  it.rig.publish(it.rig.view(1, it.n1, cluster::HoldReason::kPaused));
  first->send(get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  auto second = it.rig.client();
  second->send(get("/v1/c"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 2; }));
  it.rig.no_leader(1);
  it.rig.publish(it.rig.view(2, it.n2, cluster::HoldReason::kPaused));
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*first, "GET /v1/b"));
  REQUIRE(it.until_has(*second, "GET /v1/c"));
  CHECK(it.one.seen.size() == 1);
  REQUIRE(it.two.seen.size() == 2);
}

TEST_CASE("paused, a request under way gets its answer", "[proxy][pause]") {
  HttpRig it;
  Peer* asking = nullptr;
  it.one.answer = [&](const Seen&, Peer& peer) {
    asking = &peer;
    return std::string();
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "{}"));
  REQUIRE(it.rig.until([&] { return asking != nullptr; }));
  it.rig.publish(it.rig.view(1, it.n1, cluster::HoldReason::kPaused));
  auto later = it.rig.client();
  later->send(get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  asking->send(HttpNode::ok("done"));
  REQUIRE(it.until_has(*client, "done"));
  CHECK(it.one.seen.size() == 1);
}

TEST_CASE("paused, what any node can answer is answered by the leader", "[proxy][pause]") {
  HttpRig it;
  it.rig.start();
  it.rig.publish(it.rig.view(1, it.n2, cluster::HoldReason::kPaused));
  auto client = it.rig.client();
  client->send(get("/v1/sys/health"));
  REQUIRE(it.until_has(*client, "GET /v1/sys/health"));
  CHECK(it.one.seen.empty());
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("paused, an http request that waited too long is told why", "[proxy][pause]") {
  HttpRig it;
  it.rig.options.hold_timeout_http = 150ms;
  it.rig.start();
  it.rig.publish(it.rig.view(1, it.n1, cluster::HoldReason::kPaused));
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.advance(150ms);
  REQUIRE(it.until_has(*client, "HTTP/1.1 503 "));
  REQUIRE(it.until_has(*client, "paused by the operator"));
  CHECK_THAT(client->received, CATCH_CONTAINS("Retry-After: 1\r\n"));
  CHECK(it.one.seen.empty());
}

TEST_CASE("paused, redirects wait too", "[proxy][pause]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  const NodeId n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example:8200");
  rig.start();
  rig.publish(rig.view(1, n1, cluster::HoldReason::kPaused));
  auto client = rig.client();
  client->send("GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  CHECK(client->received.empty());
  rig.lead(1, n1);
  CHECK(rig.until([&] { return client->received.find("307") != std::string::npos; }));
}

}  // namespace bellwether::proxy
