#include <algorithm>
#include <numeric>

#include "bellwether/base/prng.h"
#include "component/proxy/redirect_rig.h"

namespace bellwether::proxy {
namespace {

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: v\r\n\r\n"; }

// With the access log on.
struct LoggedRedirectRig : RedirectRig {
  LoggedRedirectRig() { rig.options.log_requests = rig.options.log_paths = true; }
  // The only line, once it has come.
  const ToldRequest& line() {
    REQUIRE(rig.until([&] { return !rig.requests.empty(); }));
    REQUIRE(rig.requests.size() == 1);
    return rig.requests[0];
  }
};

}  // namespace

TEST_CASE("redirect: requests that waited are answered in the order in which they came", "[proxy][redirect][log]") {
  LoggedRedirectRig it;
  it.rig.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::uint64_t i = 0; i < 20; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send(get("/v1/" + std::to_string(i)));
    REQUIRE(it.until_held(i + 1));
  }
  it.rig.advance(5ms);
  it.rig.lead(1, it.n1);
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i) {
    const ToldRequest& told = it.rig.requests[i];
    CHECK(told.path == "/v1/" + std::to_string(i));
    CHECK(told.record.held == told.record.total);
    CHECK(told.record.held == 5ms);
    CHECK(told.record.outcome == Outcome::kOk);
    CHECK(told.record.node == it.n1);
    CHECK(told.record.epoch == 1);
    CHECK(told.record.sends == 0);
    CHECK(told.end == "--");
  }
}

TEST_CASE("redirect: a client may pipeline a thousand requests, while it waits and after", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.start();
  auto client = it.rig.client();
  constexpr std::size_t kRequests = 1000;
  for (std::size_t i = 0; i < kRequests; ++i) client->send(get("/v1/" + std::to_string(i) + "."));
  REQUIRE(it.until_held(1));
  it.rig.lead(1, it.n1);
  REQUIRE(it.until_redirected(*client, kRequests));
  std::size_t at = 0;
  for (std::size_t i = 0; i < kRequests; ++i) {
    at = client->received.find("8200/v1/" + std::to_string(i) + ".\r\n", at);
    REQUIRE(at != std::string::npos);
  }
  CHECK(it.rig.proxy->counts().redirects_total == kRequests);
}

TEST_CASE("redirect: clients that leave in any order while they wait give up their places", "[proxy][redirect]") {
  RedirectRig it;
  constexpr std::size_t kClients = 400;
  it.rig.options.hold_max = kClients;
  it.rig.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send(get("/v1/a"));
  }
  REQUIRE(it.until_held(kClients));
  Prng prng(7);
  for (std::size_t i = kClients; i > 1; --i) std::swap(clients[i - 1], clients[prng.below(i)]);
  for (std::size_t i = 0; i < kClients / 2; ++i) {
    i % 3 == 0 ? clients[i]->abort() : i % 3 == 1 ? clients[i]->close() : clients[i]->finish();
  }
  REQUIRE(it.until_held(kClients / 2));
  CHECK(it.rig.proxy->counts().client_gone_while_held == kClients / 2);
  it.rig.lead(1, it.n2);
  REQUIRE(it.rig.until([&] {
    return std::all_of(clients.begin() + kClients / 2, clients.end(),
                       [](const auto& client) { return RedirectRig::is_answered(*client); });
  }));
  CHECK(it.rig.proxy->counts().redirects_total == kClients / 2);
  CHECK(it.rig.proxy->counts().held_bytes == 0);
}

TEST_CASE("redirect: how requests end is told with the letters of their end", "[proxy][redirect][log]") {
  LoggedRedirectRig it;
  SECTION("the client leaves while it waits") {
    it.rig.start();
    auto client = it.rig.client();
    client->send(get("/v1/a"));
    REQUIRE(it.until_held(1));
    client->close();
    CHECK(it.line().record.outcome == Outcome::kClientGone);
    CHECK(it.line().record.status == 0);
    CHECK(it.line().end == "CQ");
    CHECK_FALSE(it.line().record.node);
  }
  SECTION("it waits in vain") {
    it.rig.options.hold_timeout_http = 50ms;
    it.rig.start();
    auto client = it.rig.client();
    client->send(get("/v1/a"));
    REQUIRE(it.until_held(1));
    it.rig.advance(50ms);
    REQUIRE(it.rig.until([&] { return RedirectRig::is_answered(*client); }));
    CHECK_THAT(client->received, CATCH_CONTAINS("\r\nX-Bellwether-Request-Id: "));
    CHECK(it.line().record.outcome == Outcome::kUnserved);
    CHECK(it.line().record.status == 503);
    CHECK(it.line().end == "sQ");
    CHECK_FALSE(it.line().record.node);
  }
  SECTION("too many wait") {
    it.rig.options.hold_max = 0;
    it.rig.start();
    CHECK_THAT(it.get("/v1/a"), CATCH_CONTAINS("\r\nX-Bellwether-Request-Id: "));
    CHECK(it.line().record.outcome == Outcome::kUnserved);
    CHECK(it.line().end == "PQ");
  }
  SECTION("the leader has no public address") {
    it.rig.options.nodes.at(it.n1).public_url.clear();
    it.start_with_leader();
    CHECK_THAT(it.get("/v1/a"), CATCH_CONTAINS("HTTP/1.1 400 ") && CATCH_CONTAINS("this request cannot be redirected"));
    CHECK(it.line().record.outcome == Outcome::kRejected);
    CHECK(it.line().rejected == "no_target");
    CHECK(it.line().end == "PR");
    CHECK(it.line().record.node == it.n1);
    CHECK(it.rig.proxy->counts().rejected_requests == 1);
  }
  SECTION("it would come back") {
    it.start_with_leader();
    (void)it.get("/v1/a", "vault1.example:8200");
    CHECK(it.line().record.status == 508);
    CHECK(it.line().rejected == "redirect_loop");
    CHECK(it.line().end == "PR");
    CHECK(it.line().record.node == it.n1);
  }
  SECTION("its head is malformed, or a proxy is asked for a tunnel") {
    it.start_with_leader();
    const auto* const head = GENERATE("GET /v1/a HTTP/1.1\r\n\r\n", "CONNECT v:443 HTTP/1.1\r\nHost: v:443\r\n\r\n");
    CHECK_THAT(it.ask(head), CATCH_CONTAINS("HTTP/1.1 400 "));
    CHECK(it.line().record.outcome == Outcome::kRejected);
    CHECK(it.line().end == "PR");
  }
}

TEST_CASE("redirect: a held request is answered with what a suspect leader allows when the hold is full",
          "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.hold_max = 0;
  it.rig.start();
  it.rig.publish(it.rig.suspect(1, it.n1));
  CHECK_THAT(it.get("/v1/a"), CATCH_CONTAINS("Location: https://vault1.example:8200/v1/a\r\n"));
  CHECK(it.rig.proxy->counts().hold_overflows == 0);
}

TEST_CASE("redirect: HEAD gets no body, HTTP/1.0 no kept connection, an upgrade none", "[proxy][redirect]") {
  RedirectRig it;
  it.start_with_leader();
  const std::string head = it.ask("HEAD /v1/a HTTP/1.1\r\nHost: vault1.example:8200\r\n\r\n");
  CHECK_THAT(head, CATCH_CONTAINS("HTTP/1.1 508 ") && !CATCH_CONTAINS("{"));
  auto old = it.rig.client();
  old->send("GET /v1/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  REQUIRE(it.rig.until([&] { return old->saw_end; }));
  CHECK_THAT(old->received, CATCH_CONTAINS(" 307 ") && CATCH_CONTAINS("Connection: close"));
  CHECK_THAT(it.ask("GET /v1/a HTTP/1.1\r\nHost: v\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
             CATCH_CONTAINS("HTTP/1.1 307 "));
}

TEST_CASE("redirect: no node is connected to, and the metrics of http listeners count nothing", "[proxy][redirect]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  auto one = Backend::echo(*rig.loop);
  auto two = Backend::echo(*rig.loop);
  rig.add_node(one->address(), "https://vault1.example:8200");
  const NodeId n2 = rig.add_node(two->address(), "https://vault2.example:8200");
  rig.start();
  rig.no_leader(1);
  std::vector<std::unique_ptr<Peer>> clients;
  // What http mode would route to any node, or to one that can be initialized.
  for (const char* target : {"/v1/secret/a", "/v1/sys/health", "/ui/", "/v1/sys/init", "/v1/sys/seal-status"}) {
    clients.push_back(rig.client());
    clients.back()->send(get(target));
  }
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == clients.size(); }));
  rig.no_leader(1);
  rig.lead(2, n2);
  REQUIRE(rig.until([&] { return rig.proxy->counts().redirects_total == clients.size(); }));
  CHECK(one->peers.empty());
  CHECK(two->peers.empty());
  const ProxyCounts counts = rig.proxy->counts();
  CHECK(counts.http.requests_total == 0);
  CHECK(counts.http.ok == 0);
  CHECK(counts.http.held == 0);
  CHECK(counts.nodes.at(n2).connects == 0);
  CHECK(counts.sessions_total == clients.size());
}

TEST_CASE("redirect: requests that wait do not wait for the dials of http requests before them", "[proxy][redirect]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kHttp;
  rig.options.listeners.push_back(rig.options.listeners[0]);
  rig.options.listeners[1].mode = Mode::kRedirect;
  Backend silent(*rig.loop);  // takes connections, answers nothing
  const NodeId n1 = rig.add_node(silent.address(), "https://vault1.example:8200");
  rig.start();
  rig.no_leader(1);
  std::vector<std::unique_ptr<Peer>> before;
  for (int i = 0; i < 50; ++i) {
    before.push_back(rig.client(0));
    // Its body does not end, so its dial counts until then.
    before.back()->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 9\r\n\r\nx");
  }
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 50; }));
  auto client = rig.client(1);
  client->send(get("/v1/b"));
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 51; }));
  rig.lead(2, n1);
  CHECK(rig.until([&] { return client->received.starts_with("HTTP/1.1 307 "); }));
}

TEST_CASE("redirect: sessions are told like those of http listeners", "[proxy][redirect][log]") {
  RedirectRig it;
  it.rig.options.log_sessions = true;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_redirected(*client));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.records.size() == 1; }));
  CHECK(std::string(it.rig.records[0].end) == "--");
  CHECK_FALSE(it.rig.records[0].node);
  CHECK(it.rig.records[0].bytes_down == client->received.size());
}

TEST_CASE("redirect: the idle limit ends a connection between requests", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.timeout_idle = 100ms;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_redirected(*client));
  it.rig.advance(100ms - Duration(1));
  CHECK_FALSE(client->is_over());
  it.rig.advance(Duration(1));
  REQUIRE(it.until_over(*client));
  CHECK(RedirectRig::count(*client, "HTTP/1.1 307 ") == 1);
}

TEST_CASE("redirect: a head that takes too long gets 408", "[proxy][redirect]") {
  RedirectRig it;
  it.rig.options.timeout_header = 100ms;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send("GET /v1/a HT");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  it.rig.advance(100ms);
  REQUIRE(it.rig.until([&] { return RedirectRig::is_answered(*client); }));
  CHECK_THAT(client->received, CATCH_CONTAINS("HTTP/1.1 408 "));
}

TEST_CASE("shutting down, a redirect on a connection that was idle is still given, and its connection ends",
          "[proxy][redirect][shutdown]") {
  RedirectRig it;
  it.start_with_leader();
  auto idle = it.rig.client();
  idle->send(get("/v1/1"));
  REQUIRE(it.until_redirected(*idle));
  int told = 0;
  it.rig.proxy->shut_down([&] { ++told; });
  REQUIRE(it.rig.until([&] { return told > 0; }));
  idle->send(get("/v1/2"));
  REQUIRE(it.rig.until([&] { return idle->saw_end; }));
  CHECK(RedirectRig::count(*idle, "HTTP/1.1 307 ") == 2);
  CHECK(RedirectRig::count(*idle, "Connection: close\r\n") == 1);
}

TEST_CASE("shutting down waits for a redirect whose client still sends its body, until that has ended",
          "[proxy][redirect][shutdown]") {
  RedirectRig it;
  it.start_with_leader();
  auto client = it.rig.client();
  client->send(RedirectRig::put_head("/v1/1", "Content-Length: 1000") + "some");
  REQUIRE(it.until_redirected(*client));
  int told = 0;
  it.rig.proxy->shut_down([&] { ++told; });
  it.rig.advance(200ms);
  CHECK(told == 0);
  client->send(std::string(996, 'x'));
  CHECK(it.rig.advance_until([&] { return told > 0; }));
}

}  // namespace bellwether::proxy
