#include "component/proxy/redirect_rig.h"

namespace bellwether::proxy {

TEST_CASE("a request is redirected to the leader, path and query byte for byte", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  it.rig.lead(1, it.n1);
  const std::string answer = it.get("/v1/secret//a%2Fb?list=true&x=%20");
  CHECK_THAT(answer, CATCH_CONTAINS("HTTP/1.1 307 Temporary Redirect\r\n"));
  CHECK_THAT(answer, CATCH_CONTAINS("\r\nLocation: https://vault1.example:8200/v1/secret//a%2Fb?list=true&x=%20\r\n"));
  CHECK_THAT(answer, CATCH_CONTAINS("\r\nContent-Length: 0\r\n"));
  CHECK(it.rig.proxy->counts().redirects_total == 1);
}

TEST_CASE("a kept connection is answered with each leader in turn", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  it.rig.lead(1, it.n1);
  auto client = it.rig.client();
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 2\r\n\r\n{}");
  REQUIRE(it.rig.until([&] { return client->received.find("vault1.example:8200/v1/a") != std::string::npos; }));
  it.rig.lead(2, it.n2);
  REQUIRE(it.rig.until([&] {
    client->send("GET /v1/b HTTP/1.1\r\nHost: v\r\n\r\n");
    return client->received.find("https://vault2.example:8200/v1/b") != std::string::npos;
  }));
  CHECK(!client->is_over());
}

TEST_CASE("the path of an absolute target is what counts", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  it.rig.lead(1, it.n1);
  CHECK_THAT(it.get("http://vault.example/v1/x?y"),
             CATCH_CONTAINS("\r\nLocation: https://vault1.example:8200/v1/x?y\r\n"));
}

TEST_CASE("a request is held while there is no leader", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  auto client = it.rig.client();
  client->send("GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  CHECK(it.rig.until([&] { return it.rig.traffic > 0; }));
  it.rig.lead(1, it.n2);
  REQUIRE(it.rig.until([&] { return RedirectRig::is_answered(*client); }));
  CHECK_THAT(client->received, CATCH_CONTAINS("Location: https://vault2.example:8200/v1/x\r\n"));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

TEST_CASE("a request that waited too long gets 503 with Retry-After and an error that Vault's clients print",
          "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.hold_timeout_http = 100ms;
  it.rig.start();
  auto client = it.rig.client();
  client->send("GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.until_held(1));
  it.rig.advance(100ms - Duration(1));
  CHECK(client->received.empty());
  it.rig.advance(Duration(1));
  REQUIRE(it.rig.until([&] { return RedirectRig::is_answered(*client); }));
  CHECK_THAT(client->received, CATCH_CONTAINS("HTTP/1.1 503 "));
  CHECK_THAT(client->received, CATCH_CONTAINS("\r\nRetry-After: 1\r\n"));
  CHECK_THAT(client->received, CATCH_CONTAINS("{\"errors\":["));
  CHECK(it.rig.proxy->counts().hold_timeouts == 1);
}

TEST_CASE("one request more than may be held gets 503 at once", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.hold_max = 1;
  it.rig.start();
  auto held = it.rig.client();
  held->send("GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  CHECK_THAT(it.get("/v1/y"), CATCH_CONTAINS("HTTP/1.1 503 "));
  CHECK(it.rig.proxy->counts().hold_overflows == 1);
}

TEST_CASE("a client that leaves while its request is held is forgotten", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  auto client = it.rig.client();
  client->send("GET /v1/x HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  client->close();
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().client_gone_while_held == 1; }));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

TEST_CASE("a redirect to the request's own host is answered with 508 and told once", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  it.rig.lead(1, it.n1);
  const std::string answer = it.get("/v1/x", "VAULT1.example:8200");
  CHECK_THAT(answer, CATCH_CONTAINS("HTTP/1.1 508 "));
  CHECK_THAT(answer, CATCH_CONTAINS("{\"errors\":["));
  CHECK_THAT(answer, CATCH_CONTAINS("https://vault1.example:8200"));
  (void)it.get("/v1/y", "vault1.example:8200");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().redirect_loops == 2 && !it.rig.loops.empty(); }));
  CHECK_THAT(it.get("/v1/z"), CATCH_CONTAINS("HTTP/1.1 307 "));
  CHECK(it.rig.loops.size() == 1);
}

TEST_CASE("a redirect to one of our own listeners is answered with 508", "[proxy][redirect]") {
  RedirectRig it;
  // A port that is ours: bound for a moment to learn a free one.
  net::Address address;
  {
    auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
    address = *socket->local_address();
  }
  it.rig.options.listeners[0].address = address;
  it.rig.options.nodes[0].public_url = "http://localhost:" + std::to_string(address.port());
  it.rig.start();
  it.rig.lead(1, it.n1);
  CHECK_THAT(it.get("/v1/x"), CATCH_CONTAINS("HTTP/1.1 508 "));
}

TEST_CASE("a redirecting connection that has ended gives its room back", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.maxconn = 1;
  it.rig.start();
  it.rig.lead(1, it.n1);
  for (int i = 0; i < 3; ++i) CHECK_THAT(it.get("/v1/x"), CATCH_CONTAINS("HTTP/1.1 307 "));
}

}  // namespace bellwether::proxy
