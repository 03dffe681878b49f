#include "component/proxy/redirect_rig.h"

namespace bellwether::proxy {

TEST_CASE("redirect: a body that nobody wants is dropped as it comes, and the connection goes on",
          "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: 2097152") + std::string(2097152, 'x'));
  client->send(RedirectRig::put_head("/v1/2", "Transfer-Encoding: chunked"));
  for (int i = 0; i < 32; ++i) client->send(chunk);
  client->send("0\r\n\r\nGET /v1/3 HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.until_redirected(*client, 3));
  CHECK_THAT(client->received, CATCH_CONTAINS("Location: https://vault1.example:8200/v1/3\r\n"));
  CHECK(client->unsent() == 0);
  CHECK_FALSE(client->is_over());
}

TEST_CASE("redirect: an answer does not wait for the request's body", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.log_requests = true;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: 1000") + "some");
  REQUIRE(it.until_redirected(*client));
  CHECK(it.rig.until([&] { return it.rig.requests.size() == 1; }));
  CHECK_FALSE(client->is_over());
  client->send(std::string(996, 'x') + "GET /v1/2 HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.until_redirected(*client, 2));
  CHECK_FALSE(client->is_over());
}

TEST_CASE("redirect: a body that stops in the middle ends its connection after timeout_header", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.timeout_header = 300ms;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: 1000") + "some");
  REQUIRE(it.until_redirected(*client));
  it.rig.advance(300ms - Duration(1));
  CHECK_FALSE(client->is_over());
  it.rig.advance(Duration(1));
  REQUIRE(it.until_over(*client));
  CHECK(RedirectRig::count(*client, "HTTP/1.1 ") == 1);
}

TEST_CASE("redirect: a client that ends its side amid the body gets the answer and an end", "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: 1000") + "some");
  client->finish();
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK(RedirectRig::count(*client, "HTTP/1.1 307 ") == 1);
}

TEST_CASE("redirect: a client that waits for 100 Continue gets the answer and an end", "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Expect: 100-continue\r\nContent-Length: 1000"));
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK_THAT(client->received, CATCH_CONTAINS("HTTP/1.1 307 ") && CATCH_CONTAINS("Connection: close"));
}

TEST_CASE("redirect: a client that expects 100 Continue and sends its body at once keeps its connection",
          "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Expect: 100-continue\r\nContent-Length: 4") + "body");
  client->send("GET /v1/2 HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.until_redirected(*client, 2));
  CHECK_FALSE(client->is_over());
}

TEST_CASE("redirect: a body with broken framing is refused while its request waits, and ends it after",
          "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.log_requests = true;
  it.rig.start();
  auto held = it.rig.client();
  held->send(RedirectRig::put_head("/v1/1", "Transfer-Encoding: chunked"));
  REQUIRE(it.until_held(1));
  held->send("xyz");
  REQUIRE(it.rig.until([&] { return held->saw_end; }));
  CHECK_THAT(held->received, CATCH_CONTAINS("HTTP/1.1 400 ") && CATCH_CONTAINS("Connection: close"));
  CHECK(it.rig.proxy->counts().held_now == 0);
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 1; }));
  CHECK(it.rig.requests[0].record.outcome == Outcome::kRejected);
  CHECK_FALSE(it.rig.requests[0].rejected.empty());
  it.rig.lead(1, it.n1);
  auto answered = it.rig.client();
  answered->send(RedirectRig::put_head("/v1/2", "Transfer-Encoding: chunked") + "1\r\n");
  REQUIRE(it.until_redirected(*answered));
  answered->send("xyz");
  REQUIRE(it.until_over(*answered));
  CHECK(RedirectRig::count(*answered, "HTTP/1.1 ") == 1);
}

TEST_CASE("redirect: a body without end does not keep another client waiting", "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  auto flood = it.rig.client();
  auto other = it.rig.client();
  REQUIRE(it.rig.until([&] { return flood->connected && other->connected; }));
  flood->send(RedirectRig::put_head("/v1/flood", "Content-Length: 100000000000"));
  // There is always more of it than the kernel takes at once.
  const std::string more(8'000'000, 'x');
  const auto goes_on = [&] {
    if (flood->unsent() < more.size()) flood->send(more);
    return true;
  };
  other->send("GET /v1/other HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.rig.until([&] { return goes_on() && RedirectRig::is_answered(*other); }));
  CHECK_FALSE(flood->is_over());
}

TEST_CASE("redirect: a long body is read and dropped while its request waits for a leader", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  auto client = it.rig.client();
  constexpr std::size_t kBody = 32'000'000;
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: " + std::to_string(kBody)) + std::string(kBody, 'x'));
  REQUIRE(it.rig.until([&] { return client->unsent() == 0; }, 30s));
  CHECK(it.rig.proxy->counts().held_now == 1);
  CHECK(it.rig.proxy->counts().held_bytes < 64 * 1024);
  it.rig.lead(1, it.n1);
  REQUIRE(it.until_redirected(*client));
  client->send("GET /v1/2 HTTP/1.1\r\nHost: v\r\n\r\n");
  CHECK(it.until_redirected(*client, 2));
}

TEST_CASE("redirect: a client that says Connection: close and then sends a long body gets the answer unharmed",
          "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  auto client = it.rig.client();
  constexpr std::size_t kBody = 16'000'000;
  client->pause_reading(true);
  client->send(RedirectRig::put_head("/v1/1", "Connection: close\r\nContent-Length: " + std::to_string(kBody)) +
               std::string(kBody, 'x'));
  REQUIRE(it.rig.until([&] { return client->unsent() == 0; }, 30s));
  client->pause_reading(false);
  REQUIRE(it.until_over(*client));
  CHECK(client->saw_end);
  CHECK_THAT(client->received, CATCH_CONTAINS("HTTP/1.1 307 ") && CATCH_CONTAINS("Connection: close"));
}

TEST_CASE("redirect: who still sends a body that nobody wants, or has only to close, makes room at maxconn",
          "[proxy][redirect][room]") {
  RedirectRig it;
  it.rig.options.maxconn = 1;
  it.start_with_leader();
  const std::string first =
      GENERATE(RedirectRig::put_head("/v1/1", "Content-Length: 1000") + "some",
               RedirectRig::put_head("/v1/1", "Connection: close\r\nContent-Length: 1000") + "some",
               std::string("GET /v1/1 HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n"));
  auto stays = it.rig.client();
  stays->send(first);
  REQUIRE(it.until_redirected(*stays));
  auto comes = it.rig.client();
  comes->send("GET /v1/2 HTTP/1.1\r\nHost: v\r\n\r\n");
  REQUIRE(it.rig.advance_until([&] { return RedirectRig::is_answered(*comes); }, 1500ms));
  CHECK(it.rig.proxy->counts().sessions_cut_for_room == 1);
}

}  // namespace bellwether::proxy
