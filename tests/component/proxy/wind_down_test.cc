#include "component/proxy/http_rig.h"

namespace bellwether::proxy {

TEST_CASE("winding down, every answer ends its connection, and new ones are still served", "[proxy][http][drain]") {
  HttpRig it;
  it.start();
  auto before = it.rig.client();
  before->send(get("/v1/before"));
  REQUIRE(it.until_has(*before, "GET /v1/before"));
  CHECK(before->received.find("Connection: close") == std::string::npos);
  it.rig.proxy->wind_down();
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

TEST_CASE("winding down, idle clients are sent away in order while a download goes on", "[proxy][http][drain]") {
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
  it.rig.proxy->wind_down();
  for (auto& client : idle) {
    REQUIRE(it.rig.until([&] { return client->is_over(); }));
    CHECK(client->saw_end);
    CHECK_FALSE(client->saw_reset);
  }
  CHECK_FALSE(download->is_over());
  it.one.backend.peers[0]->send("there");
  REQUIRE(it.until_has(*download, "half there"));
  download->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
}

TEST_CASE("winding down, what is held waits on and is served", "[proxy][http][drain]") {
  HttpRig it;
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.proxy->wind_down();
  it.rig.lead(2, it.n2);
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK_THAT(client->received, CATCH_CONTAINS("GET /v1/a"));
}

TEST_CASE("winding down, redirects end their connections", "[proxy][redirect][drain]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  const NodeId n1 = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example.com:8200");
  rig.start();
  rig.lead(1, n1);
  rig.proxy->wind_down();
  auto client = rig.client();
  client->send(get("/v1/a"));
  REQUIRE(rig.until([&] { return client->saw_end; }));
  CHECK(client->received.starts_with("HTTP/1.1 307 "));
}

}  // namespace bellwether::proxy
