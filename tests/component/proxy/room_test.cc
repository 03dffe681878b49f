#include <algorithm>

#include "component/net/stream_pair.h"
#include "component/proxy/http_rig.h"
#include "component/proxy/stuck_worker.h"

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
  // The next client, which says nothing, once the node has taken its connection as the one of that number.
  [[nodiscard]] std::unique_ptr<Peer> connected(std::uint64_t number) {
    auto client = rig.client();
    REQUIRE(rig.until([&] { return rig.proxy->counts().nodes.at(node).connects == number; }));
    return client;
  }
  [[nodiscard]] bool is_served(Peer& client) {
    return rig.advance_until([&] { return client.received == "me"; });
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
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 2; }));
  it.rig.advance(100ms - Duration(1));
  CHECK_FALSE(silent->is_over());
  it.rig.advance(Duration(1));
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
  it.rig.advance(400ms);
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
  CHECK(it.rig.advance_until([&] { return it.rig.made_room >= 1; }));
}

TEST_CASE("tcp: silent connections make room while there is no leader too", "[room]") {
  TcpProxy it(4);
  it.rig.start();
  it.rig.no_leader(1);
  const auto talks = it.rig.client();
  talks->send("me");
  const auto silent = it.silent_clients(3);
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 4; }));
  const auto late = it.rig.client();
  late->send("me");
  REQUIRE(it.rig.advance_until([&] { return TcpProxy::ended(silent) >= 1; }));
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 4; }));
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
  it.rig.advance(1500ms);
  CHECK_FALSE(waits->is_over());
  CHECK(it.rig.proxy->counts().sessions_now == 1);
}

TEST_CASE("tcp: a client whose first word waits for a suspect leader makes no room, a silent one does", "[room]") {
  TcpProxy it(2);
  it.start();
  const auto waits = it.connected(1);
  const auto silent = it.connected(2);
  it.rig.publish(it.rig.suspect(1, it.node));
  waits->send("me");
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 1; }));
  const auto next = it.rig.client();
  next->send("me");
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 2; }));
  CHECK(it.rig.advance_until([&] { return silent->is_over(); }));
  CHECK_FALSE(waits->is_over());
  it.rig.lead(1, it.node);
  CHECK(it.is_served(*waits));
  CHECK(it.is_served(*next));
  CHECK(it.rig.proxy->counts().sessions_cut_for_room == 1);
}

TEST_CASE("tcp: a client whose next word waits for a suspect leader makes no room, an idle one does", "[room]") {
  TcpProxy it(2);
  it.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send("me");
    REQUIRE(it.is_served(*clients.back()));
  }
  Peer& waits = *clients[0];
  it.rig.publish(it.rig.suspect(1, it.node));
  waits.received.clear();
  waits.send("me");
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 1; }));
  const auto next = it.rig.client();
  next->send("me");
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().held_now == 2; }));
  CHECK(it.rig.advance_until([&] { return clients[1]->is_over(); }));
  CHECK_FALSE(waits.is_over());
  it.rig.lead(1, it.node);
  CHECK(it.is_served(waits));
  CHECK(it.is_served(*next));
}

TEST_CASE("tcp: a client whose first word waits for a suspect leader is not silent", "[room]") {
  TcpProxy it(10);
  it.rig.options.timeout_header = 1s;
  it.start();
  const auto waits = it.connected(1);
  const auto silent = it.connected(2);
  it.rig.publish(it.rig.suspect(1, it.node));
  waits->send("me");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  REQUIRE(it.rig.advance_until([&] { return silent->is_over(); }));
  CHECK_FALSE(waits->is_over());
  it.rig.lead(1, it.node);
  CHECK(it.is_served(*waits));
  CHECK(it.rig.proxy->counts().sessions_cut_no_first_byte == 1);
}

TEST_CASE("tcp: a client is held if nothing may be sent when its node takes the connection", "[room]") {
  TcpProxy it(10);
  net::testing::FullListener hidden(*it.rig.loop);
  it.rig.options.nodes[0].address = hidden.address;
  it.start();
  const auto client = it.rig.client();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  // Once this one is there the first is being connected; it may be so itself, or be held.
  const auto silent = it.rig.client();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 2; }));
  client->send("me");
  const TimePoint since = it.rig.loop->precise_now();
  it.rig.proxy->require_claim_since(since);
  net::testing::MuteListener awake(*it.rig.loop, std::move(hidden.socket));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().nodes.at(it.node).connects > 0; }));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().held_now == 2; }));
  auto claimed = it.rig.view(1, it.node);
  claimed.claim_asked = since;
  it.rig.publish(std::move(claimed));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().held_now == 0; }));
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().bytes_up == 2; }));
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
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 2; }));
  CHECK(it.rig.advance_until([&] { return silent->is_over(); }));
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
  REQUIRE(it.advance_until_has(*asks, "GET /v1/a"));
  const auto silent = it.rig.client();
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().sessions_now == 2; }));
  const auto second = it.rig.client();
  second->send(get("/v1/b"));
  REQUIRE(it.advance_until_has(*second, "GET /v1/b"));
  CHECK(it.rig.advance_until([&] { return silent->is_over(); }));
  CHECK_FALSE(asks->is_over());
  const auto third = it.rig.client();
  third->send(get("/v1/c"));
  REQUIRE(it.advance_until_has(*third, "GET /v1/c"));
  CHECK(it.rig.advance_until([&] { return asks->is_over(); }));
  CHECK_FALSE(second->is_over());
  CHECK(it.rig.proxy->counts().sessions_cut_for_room == 2);
}

TEST_CASE("http: a client that speaks as it is about to make room is served, and not counted as ended", "[room]") {
  constexpr std::size_t kClients = 32;  // at that maxconn two are ended at a time
  HttpRig it;
  it.rig.options.maxconn = kClients;
  StuckWorker worker(it.rig);
  it.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(it.rig.client());
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == kClients; }));
  it.rig.advance(100ms);  // all have been silent for long enough
  const auto next = it.rig.client();
  REQUIRE(worker.until_stuck());  // it has chosen two and ended one of them
  for (const auto& client : clients) client->send(get("/v1/a"));
  worker.release();
  const auto answered = [&] {
    return std::count_if(clients.begin(), clients.end(), [](const auto& client) { return !client->received.empty(); });
  };
  REQUIRE(it.rig.until([&] { return answered() == kClients - 1 && it.rig.made_room > 0; }));
  CHECK(it.rig.made_room == 1);
  CHECK(it.rig.proxy->counts().sessions_cut_for_room == 1);
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
  it.rig.advance(1500ms);
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
  REQUIRE(rig.advance_until([&] { return asks->received.find("HTTP/1.1 307 ") != std::string::npos; }));
  CHECK(rig.proxy->counts().sessions_cut_for_room >= 1);
}

}  // namespace bellwether::proxy
