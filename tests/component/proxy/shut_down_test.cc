#include "component/proxy/http_rig.h"

namespace bellwether::proxy {

TEST_CASE("shutting down, every answer ends its connection, and new ones are still served", "[proxy][http][shutdown]") {
  HttpRig it;
  it.start();
  auto before = it.rig.client();
  before->send(get("/v1/before"));
  REQUIRE(it.until_has(*before, "GET /v1/before"));
  CHECK(before->received.find("Connection: close") == std::string::npos);
  it.rig.proxy->shut_down({});
  before->send(get("/v1/after"));
  REQUIRE(it.rig.until([&] { return before->saw_end; }));
  CHECK_THAT(before->received, CATCH_CONTAINS("Connection: close\r\n"));
  CHECK_THAT(before->received, CATCH_CONTAINS("GET /v1/after"));
  auto fresh = it.rig.client();
  fresh->send(get("/v1/fresh"));
  REQUIRE(it.rig.until([&] { return fresh->saw_end; }));
  CHECK_THAT(fresh->received, CATCH_CONTAINS("GET /v1/fresh"));
  CHECK_THAT(fresh->received, CATCH_CONTAINS("Connection: close\r\n"));
}

TEST_CASE("shutting down, idle clients are sent away in order while a download goes on", "[proxy][http][shutdown]") {
  HttpRig it;
  it.one.answer = [](const Seen& asked, Peer&) {
    const bool is_long = asked.line.find("long") != std::string::npos;
    return is_long ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf " : HttpNode::ok("short");
  };
  it.start();
  auto download = it.rig.client();
  download->send(get("/v1/long"));
  REQUIRE(it.until_has(*download, "half "));
  std::vector<std::unique_ptr<Peer>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(it.rig.client());
    idle.back()->send(get("/v1/short"));
    REQUIRE(it.until_has(*idle.back(), "short"));
  }
  it.rig.proxy->shut_down({});
  for (auto& client : idle) {
    REQUIRE(it.rig.advance_until([&] { return client->is_over(); }));
    CHECK(client->saw_end);
    CHECK_FALSE(client->saw_reset);
  }
  CHECK_FALSE(download->is_over());
  it.one.backend.peers[0]->send("there");
  REQUIRE(it.until_has(*download, "half there"));
  download->close();
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("shutting down, what is held waits on and is served", "[proxy][http][shutdown]") {
  HttpRig it;
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.proxy->shut_down({});
  it.rig.lead(2, it.n2);
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK_THAT(client->received, CATCH_CONTAINS("GET /v1/a"));
}

TEST_CASE("shutting down, redirects end their connections", "[proxy][redirect][shutdown]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  const NodeId n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example.com:8200");
  rig.start();
  rig.lead(1, n1);
  rig.proxy->shut_down({});
  auto client = rig.client();
  client->send(get("/v1/a"));
  REQUIRE(rig.until([&] { return client->saw_end; }));
  CHECK(client->received.starts_with("HTTP/1.1 307 "));
}

TEST_CASE("shutting down, tcp sessions go on, new ones are served, and the end of the last is told once",
          "[proxy][shutdown]") {
  Rig rig;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address());
  rig.options.threads = 2;
  rig.start();
  rig.lead(1, n1);
  auto before = rig.client();
  before->send("a");
  REQUIRE(rig.until([&] { return before->received == "a"; }));
  int told = 0;
  rig.proxy->shut_down([&] { ++told; });
  auto after = rig.client();
  after->send("c");
  REQUIRE(rig.until([&] { return after->received == "c"; }));
  before->send("b");
  REQUIRE(rig.until([&] { return before->received == "ab"; }));
  before->close();
  REQUIRE(rig.until([&] { return rig.proxy->counts().sessions_now == 1; }));
  after->send("d");
  REQUIRE(rig.until([&] { return after->received == "cd"; }));
  CHECK(told == 0);
  after->close();
  REQUIRE(rig.until([&] { return told > 0; }));
  auto late = rig.client();
  late->send("e");
  REQUIRE(rig.until([&] { return late->received == "e"; }));
  late->close();
  REQUIRE(rig.until([&] { return rig.proxy->counts().sessions_now == 0; }));
  CHECK(told == 1);
}

TEST_CASE("shutting down without a session, the end is told at once", "[proxy][shutdown]") {
  Rig rig;
  rig.options.threads = GENERATE(1, 3);
  rig.add_node(*net::Address::parse("127.0.0.1:1"));
  rig.start();
  bool is_idle = false;
  rig.proxy->shut_down([&] { is_idle = true; });
  CHECK(rig.until([&] { return is_idle; }));
}

TEST_CASE("shutting down, the end comes after what runs has been answered", "[proxy][http][shutdown]") {
  HttpRig it;
  Peer* asked = nullptr;
  it.one.answer = [&](const Seen&, Peer& peer) {
    asked = &peer;
    return std::string();
  };
  it.start();
  auto idle = it.rig.client();
  auto busy = it.rig.client();
  busy->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return asked != nullptr && it.rig.proxy->counts().sessions_now == 2; }));
  bool is_idle = false;
  it.rig.proxy->shut_down([&] { is_idle = true; });
  REQUIRE(it.rig.advance_until([&] { return idle->is_over(); }));
  CHECK_FALSE(is_idle);
  asked->send(HttpNode::ok("done"));
  REQUIRE(it.rig.until([&] { return busy->saw_end; }));
  CHECK_THAT(busy->received, CATCH_CONTAINS("Connection: close\r\n"));
  busy->close();
  CHECK(it.rig.advance_until([&] { return is_idle; }));
}

TEST_CASE("shutting down, the end comes after the redirects that are owed, not after idle connections",
          "[proxy][redirect][shutdown]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  const NodeId n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example.com:8200");
  rig.start();
  rig.lead(1, n1);
  auto idle = rig.client();
  idle->send(get("/v1/idle"));
  REQUIRE(rig.until([&] { return idle->received.starts_with("HTTP/1.1 307 "); }));
  rig.no_leader(1);
  auto held = rig.client();
  held->send(get("/v1/held"));
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  bool is_idle = false;
  rig.proxy->shut_down([&] { is_idle = true; });
  rig.advance(100ms);
  CHECK_FALSE(is_idle);
  rig.lead(2, n1);
  REQUIRE(rig.until([&] { return held->saw_end; }));
  CHECK(held->received.starts_with("HTTP/1.1 307 "));
  held->close();
  CHECK(rig.until([&] { return is_idle; }));
  CHECK_FALSE(idle->is_over());
}

}  // namespace bellwether::proxy
