#include <algorithm>

#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

// A tcp listener before an echo.
struct TcpProxy {
  explicit TcpProxy(int maxconn, int threads = 1) : backend(Backend::echo(*rig.loop)) {
    node = rig.add_node(backend->address());
    rig.options.maxconn = maxconn;
    rig.options.threads = threads;
  }
  void start() {
    rig.start();
    rig.lead(1, node);
  }
  [[nodiscard]] std::vector<std::unique_ptr<Peer>> silent_clients(int count) {
    std::vector<std::unique_ptr<Peer>> clients;
    for (int i = 0; i < count; ++i) clients.push_back(rig.client());
    return clients;
  }
  [[nodiscard]] bool is_served(Peer& client) {
    return rig.until([&] { return client.received == "me"; });
  }
  static std::ptrdiff_t ended(const std::vector<std::unique_ptr<Peer>>& clients) {
    return std::count_if(clients.begin(), clients.end(), [](const auto& client) { return client->is_over(); });
  }

  Rig rig;
  std::unique_ptr<Backend> backend;
  NodeId node;
};

}  // namespace

TEST_CASE("tcp: a session in which nobody says a word ends after timeout_header", "[room]") {
  TcpProxy it(10);
  it.rig.options.timeout_header = 100ms;
  it.start();
  const auto silent = it.rig.client();
  const auto talks = it.rig.client();
  talks->send("me");
  REQUIRE(it.is_served(*talks));
  CHECK(it.rig.until([&] { return silent->is_over(); }));
  CHECK_FALSE(talks->is_over());
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_cut_no_first_byte == 1; }));
}

TEST_CASE("tcp: a node may be the one that speaks first", "[room]") {
  TcpProxy it(10);
  it.rig.options.timeout_header = 50ms;
  it.backend->on_accept = [](Peer& peer) { peer.send("hello"); };
  it.start();
  const auto listens = it.rig.client();
  REQUIRE(it.rig.until([&] { return listens->received == "hello"; }));
  const auto silent_later = it.rig.loop->now();
  REQUIRE(it.rig.until([&] { return it.rig.loop->now() - silent_later > 400ms; }));
  CHECK_FALSE(listens->is_over());
}

TEST_CASE("tcp: silent connections make room for one that talks", "[room]") {
  const int threads = GENERATE(1, 2);
  TcpProxy it(8, threads);
  it.start();
  const auto silent = it.silent_clients(8);
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 8; }));
  const auto talks = it.rig.client();
  talks->send("me");
  CHECK(it.is_served(*talks));
  CHECK(TcpProxy::ended(silent) >= 1);
  CHECK(it.rig.proxy->counts().sessions_cut_for_room >= 1);
  CHECK(it.rig.until([&] { return it.rig.made_room >= 1; }));
}

TEST_CASE("tcp: silent connections make room while there is no leader too", "[room]") {
  TcpProxy it(4);
  it.rig.start();
  it.rig.no_leader(1);
  const auto talks = it.rig.client();
  talks->send("me");
  const auto silent = it.silent_clients(3);
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 4; }));
  const auto late = it.rig.client();
  late->send("me");
  REQUIRE(it.rig.until([&] { return TcpProxy::ended(silent) >= 1; }));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 4; }));
  it.rig.lead(2, it.node);
  CHECK(it.is_served(*talks));
  CHECK(it.is_served(*late));
}

TEST_CASE("tcp: a client that waits for its node's answer makes no room", "[room]") {
  TcpProxy it(1);
  it.backend->on_accept = [](Peer&) {};
  it.start();
  const auto waits = it.rig.client();
  waits->send("question");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().bytes_up > 0; }));
  const auto other = it.rig.client();
  const auto since = it.rig.loop->now();
  REQUIRE(it.rig.until([&] { return it.rig.loop->now() - since > 1500ms; }));
  CHECK_FALSE(waits->is_over());
  CHECK(it.rig.proxy->counts().sessions_now == 1);
}

TEST_CASE("http: a connection without a request ends after timeout_header, one between two requests does not",
          "[room]") {
  HttpRig it;
  it.rig.options.timeout_header = 200ms;
  it.start();
  const auto asks = it.rig.client();
  asks->send(get("/v1/a"));
  REQUIRE(it.until_has(*asks, "GET /v1/a"));
  const auto silent = it.rig.client();
  CHECK(it.rig.until([&] { return silent->is_over(); }));
  CHECK(silent->received.empty());
  CHECK_FALSE(asks->is_over());
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().sessions_cut_no_first_byte == 1; }));
}

TEST_CASE("http: at maxconn silent connections make room first, then the one that has been idle for longest",
          "[room]") {
  HttpRig it;
  it.rig.options.maxconn = 2;
  it.start();
  const auto asks = it.rig.client();
  asks->send(get("/v1/a"));
  REQUIRE(it.until_has(*asks, "GET /v1/a"));
  const auto silent = it.rig.client();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 2; }));
  const auto second = it.rig.client();
  second->send(get("/v1/b"));
  REQUIRE(it.until_has(*second, "GET /v1/b"));
  CHECK(it.rig.until([&] { return silent->is_over(); }));
  CHECK_FALSE(asks->is_over());
  const auto third = it.rig.client();
  third->send(get("/v1/c"));
  REQUIRE(it.until_has(*third, "GET /v1/c"));
  CHECK(it.rig.until([&] { return asks->is_over(); }));
  CHECK_FALSE(second->is_over());
  CHECK(it.rig.proxy->counts().sessions_cut_for_room == 2);
}

TEST_CASE("http: a request that is being answered makes no room", "[room]") {
  HttpRig it;
  it.rig.options.maxconn = 1;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  const auto asks = it.rig.client();
  asks->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  const auto other = it.rig.client();
  other->send(get("/v1/b"));
  const auto since = it.rig.loop->now();
  REQUIRE(it.rig.until([&] { return it.rig.loop->now() - since > 1500ms; }));
  CHECK_FALSE(asks->is_over());
  CHECK(it.one.seen.size() == 1);
}

TEST_CASE("redirect: silent connections end after timeout_header and make room at maxconn", "[room]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  rig.options.maxconn = 2;
  const NodeId node = rig.add_node(*net::Address::parse("127.0.0.1:1"), "https://vault1.example:8200");
  rig.start();
  rig.lead(1, node);
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 2; ++i) silent.push_back(rig.client());
  const auto asks = rig.client();
  asks->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 2097152\r\n\r\n" + std::string(2097152, 'x'));
  REQUIRE(rig.until([&] { return asks->received.find("HTTP/1.1 307 ") != std::string::npos; }));
  CHECK(rig.proxy->counts().sessions_cut_for_room >= 1);
}

}  // namespace bellwether::proxy
