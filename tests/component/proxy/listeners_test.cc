#include <algorithm>
#include <cerrno>

#include "bellwether/net/listener.h"
#include "component/net/stream_pair.h"
#include "component/proxy/http_rig.h"
#include "proxy/listeners.h"

// Listeners that come, change and go while the proxy runs.
namespace bellwether::proxy {
namespace {

using net::testing::server_tls;

struct ListenerRig {
  ListenerRig() : node(*rig.loop) {
    n1 = rig.add_node(node.backend.address());
    rig.options.listeners[0].mode = Mode::kHttp;
  }
  void start() {
    rig.start();
    rig.lead(1, n1);
  }
  [[nodiscard]] std::vector<ListenerOptions> listeners() const { return rig.options.listeners; }
  void use(const std::vector<ListenerOptions>& listeners) {
    const auto bound = rig.proxy->bind_listeners(listeners, rig.options);
    REQUIRE(bound);
    rig.proxy->use_listeners(**bound);
  }
  [[nodiscard]] bool until_has(const Peer& client, std::string_view text) {
    return rig.until([&] { return client.received.find(text) != std::string::npos; });
  }
  [[nodiscard]] std::unique_ptr<Peer> dial(const net::Address& address) { return Peer::dial(*rig.loop, address); }
  // Whether a client that connects there is served.
  [[nodiscard]] bool serves(const net::Address& address) {
    auto client = dial(address);
    client->send(get("/v1/a"));
    if (!rig.until([&] { return client->received.find("/v1/a") != std::string::npos || client->is_over(); }))
      return false;
    return client->received.find("HTTP/1.1 200 ") != std::string::npos;
  }
  // In a moment, for it is the workers that close.
  [[nodiscard]] bool refuses(const net::Address& address) {
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries; ++i) {
      const auto client = net::Socket::connect(address, std::nullopt, {});
      if (!client || client->connect_error() == ECONNREFUSED) return true;
      (void)rig.until([] { return false; }, 5ms);
    }
    return false;
  }

  Rig rig;
  HttpNode node;
  NodeId n1;
};

ListenerOptions at(const net::Address& address, Mode mode) { return {address, mode, false, false, nullptr}; }
// A port that was free a moment ago: of several listeners with port 0 none is known again by its address.
net::Address free_address() {
  const auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  return socket->local_address().value();
}
ListenerOptions at_any_port(Mode mode) { return at(*net::Address::parse("127.0.0.1:0"), mode); }

}  // namespace

TEST_CASE("a listener that is added serves, and one that is removed refuses while its sessions go on", "[listeners]") {
  ListenerRig it;
  it.rig.options.threads = GENERATE(1, 3);
  it.start();
  auto two = it.listeners();
  two.push_back(at(free_address(), Mode::kTcp));
  it.use(two);
  REQUIRE(it.rig.proxy->addresses().size() == 2);
  const net::Address first = it.rig.proxy->addresses()[0];
  const net::Address second = it.rig.proxy->addresses()[1];
  CHECK(it.serves(first));
  CHECK(it.serves(second));

  auto session = it.dial(first);
  session->send(get("/v1/b"));
  REQUIRE(it.until_has(*session, "/v1/b"));
  it.use({two[1]});
  CHECK(it.rig.proxy->addresses() == std::vector{second});
  CHECK(it.refuses(first));
  CHECK(it.serves(second));
  session->send(get("/v1/c"));
  CHECK(it.until_has(*session, "/v1/c"));
}

TEST_CASE("a listener whose mode changes keeps its port, and its sessions their mode", "[listeners]") {
  ListenerRig it;
  it.rig.options.log_requests = it.rig.options.log_sessions = true;
  it.start();
  const net::Address address = it.rig.proxy->addresses()[0];
  auto before = it.dial(address);
  before->send(get("/v1/a"));
  REQUIRE(it.until_has(*before, "/v1/a"));
  auto changed = it.listeners();
  changed[0].mode = Mode::kTcp;
  it.use(changed);
  CHECK(it.rig.proxy->addresses() == std::vector{address});
  // A tcp listener passes on what no http listener would.
  auto after = it.dial(address);
  after->send("GET /v1/raw HTTP/1.1\r\nHost: v\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
  REQUIRE(it.until_has(*after, "/v1/raw"));
  CHECK(it.node.seen.back().head.find("192.0.2.7") != std::string::npos);
  before->send("GET /v1/b HTTP/1.1\r\nHost: v\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
  REQUIRE(it.until_has(*before, "/v1/b"));
  CHECK(it.node.seen.back().head.find("192.0.2.7") == std::string::npos);
  before->abort();
  after->abort();
  REQUIRE(it.rig.until([&] { return it.rig.records.size() == 2; }));
  CHECK(it.rig.records[0].listener == address.to_string());
  CHECK(it.rig.records[1].listener == address.to_string());
}

TEST_CASE("a listener that cannot be bound changes nothing", "[listeners]") {
  ListenerRig it;
  it.rig.options.threads = GENERATE(1, 2);
  it.start();
  const auto other = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  REQUIRE(other);
  const auto taken = other->local_address();
  REQUIRE(taken);
  auto wanted = it.listeners();
  wanted[0].mode = Mode::kTcp;
  wanted.push_back(at_any_port(Mode::kHttp));
  wanted.push_back(at(*taken, Mode::kHttp));
  const auto bound = it.rig.proxy->bind_listeners(wanted, it.rig.options);
  REQUIRE_FALSE(bound);
  CHECK(bound.error().message.find(taken->to_string()) != std::string::npos);
  CHECK(it.rig.proxy->addresses().size() == 1);
  CHECK(it.serves(it.rig.proxy->addresses()[0]));

  const net::Address own = it.rig.proxy->addresses()[0];
  const auto overlaps = it.rig.proxy->bind_listeners(
      {at(*net::Address::parse("0.0.0.0:" + std::to_string(own.port())), Mode::kHttp)}, it.rig.options);
  REQUIRE_FALSE(overlaps);
  CHECK(overlaps.error().message.find("only a restart") != std::string::npos);
}

TEST_CASE("what is bound and not used is closed", "[listeners]") {
  ListenerRig it;
  it.start();
  auto wanted = it.listeners();
  const net::Address free_port = free_address();
  wanted.push_back(at(free_port, Mode::kHttp));
  {
    const auto bound = it.rig.proxy->bind_listeners(wanted, it.rig.options);
    REQUIRE(bound);
  }
  CHECK(it.refuses(free_port));
  it.use(wanted);
  CHECK(it.serves(free_port));
}

TEST_CASE("who waits below maxconn at a listener that is removed is served all the same", "[listeners]") {
  ListenerRig it;
  it.rig.options.maxconn = 1;
  it.start();
  auto two = it.listeners();
  two.push_back(at_any_port(Mode::kHttp));
  it.use(two);
  const net::Address second = it.rig.proxy->addresses()[1];
  // A request that is under way makes no room.
  it.node.answer = [](const Seen& asked, Peer&) {
    return asked.line.find("/v1/slow") == std::string::npos ? HttpNode::ok(asked.line) : std::string();
  };
  auto busy = it.dial(it.rig.proxy->addresses()[0]);
  busy->send(get("/v1/slow"));
  REQUIRE(it.rig.until([&] { return it.node.seen.size() == 1; }));
  std::vector<std::unique_ptr<Peer>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(it.dial(second));
    waiting.back()->send(get("/v1/waited"));
  }
  REQUIRE(it.rig.until(
      [&] { return std::all_of(waiting.begin(), waiting.end(), [](const auto& each) { return each->connected; }); }));
  it.use({two[0]});
  CHECK(it.refuses(second));
  busy->abort();
  for (const auto& each : waiting) {
    CHECK(it.until_has(*each, "/v1/waited"));
    each->close();
  }
}

TEST_CASE("who was accepted before its listener changed is spoken to as it was", "[listeners][tls]") {
  ListenerRig it;
  it.rig.options.maxconn = 1;
  ListenerOptions with_tls = at_any_port(Mode::kHttp);
  with_tls.tls = server_tls("server");
  it.rig.options.listeners.push_back(with_tls);
  it.start();
  it.node.answer = [](const Seen&, Peer&) { return std::string(); };
  auto busy = it.dial(it.rig.proxy->addresses()[0]);
  busy->send(get("/v1/slow"));
  REQUIRE(it.rig.until([&] { return it.node.seen.size() == 1; }));
  auto waiting = it.dial(it.rig.proxy->addresses()[1]);
  waiting->send(get("/v1/plain"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().maxconn_pauses == 1; }));
  auto wanted = it.listeners();
  wanted[1].fresh = true;
  SECTION("it changes") {}
  SECTION("it is closed") { wanted.pop_back(); }
  it.use(wanted);
  busy->abort();
  REQUIRE(it.rig.until([&] { return waiting->is_over() || !waiting->received.empty(); }));
  // That it speaks TLS is what it says to plain HTTP.
  CHECK(waiting->received.find("HTTP/1.1 200 ") == std::string::npos);
  CHECK(it.node.seen.size() == 1);
}

TEST_CASE("a listener speaks TLS from now on, or no more", "[listeners][tls]") {
  ListenerRig it;
  it.start();
  const net::Address address = it.rig.proxy->addresses()[0];
  const auto hello = [&] {
    auto client = it.dial(address);
    client->send("\x16\x03\x01");
    (void)it.rig.until([&] { return client->is_over() || !client->received.empty(); }, 300ms);
    // Plain HTTP says 400 to that; TLS waits for the rest.
    return client->received.empty() && !client->is_over();
  };
  CHECK(it.serves(address));
  auto wanted = it.listeners();
  wanted[0].tls = server_tls("server");
  it.use(wanted);
  CHECK(hello());
  wanted[0].tls = nullptr;
  it.use(wanted);
  CHECK(it.serves(address));
}

TEST_CASE("a certificate that is renewed is that of the listeners that had it, and of no others", "[listeners][tls]") {
  ListenerRig it;
  const auto first = server_tls("server");
  const auto other = server_tls("server");
  for (const auto& tls : {first, other}) {
    ListenerOptions listener = at_any_port(Mode::kHttp);
    listener.tls = tls;
    it.rig.options.listeners.push_back(listener);
  }
  it.start();
  const auto common_name_at = [&](std::size_t listener) {
    net::testing::End end;
    end.stream = net::Stream::connect(*it.rig.loop, it.rig.proxy->addresses()[listener],
                                      {.tls = net::testing::client_tls(), .server_name = "localhost"}, end);
    REQUIRE(it.rig.until([&] { return end.opened || end.broken; }));
    return end.broken ? "refused" : "localhost";
  };
  CHECK(common_name_at(1) == std::string("localhost"));
  it.rig.proxy->renew_client_tls(first, server_tls("common"));
  REQUIRE(it.rig.until([&] { return common_name_at(1) == std::string("refused"); }));
  CHECK(common_name_at(2) == std::string("localhost"));
  CHECK(it.serves(it.rig.proxy->addresses()[0]));
}

TEST_CASE("the certificates of a listener that is gone are let go", "[listeners][tls]") {
  ListenerRig it;
  it.rig.options.listeners.push_back(at_any_port(Mode::kHttp));
  it.rig.options.listeners[1].tls = server_tls("server");
  it.start();
  auto wanted = it.listeners();
  const std::weak_ptr<net::TlsContext> certificates = wanted[1].tls;
  wanted.pop_back();
  it.rig.options.listeners.pop_back();
  it.use(wanted);
  CHECK(it.rig.until([&] { return certificates.expired(); }));
}

TEST_CASE("a listener has times of its own, and what is under way follows them", "[listeners]") {
  ListenerRig it;
  it.rig.options.listeners.push_back(at_any_port(Mode::kHttp));
  const auto with_idle = [&](Duration idle) {
    SessionSettings settings = static_cast<const SessionSettings&>(it.rig.options);
    settings.timeout_idle = idle;
    return std::make_shared<const SessionSettings>(settings);
  };
  it.rig.options.listeners[1].own = with_idle(1h);
  it.start();
  auto common = it.dial(it.rig.proxy->addresses()[0]);
  auto own = it.dial(it.rig.proxy->addresses()[1]);
  for (const auto& each : {common.get(), own.get()}) {
    each->send(get("/v1/a"));
    REQUIRE(it.until_has(*each, "/v1/a"));
  }
  auto wanted = it.listeners();
  SECTION("they change") { wanted[1].own = with_idle(50ms); }
  SECTION("they change together with what makes it another listener") {
    wanted[1].own = with_idle(50ms);
    wanted[1].fresh = true;
  }
  SECTION("it is gone, and the common ones count") {
    wanted.pop_back();
    it.rig.options.timeout_idle = 50ms;
    it.rig.proxy->set_settings(static_cast<const ProxySettings&>(it.rig.options));
  }
  it.use(wanted);
  REQUIRE(it.rig.advance_until([&] { return own->is_over(); }));
  CHECK(common->is_over() == (wanted.size() == 1));
}

TEST_CASE("a listener believes the PROXY headers of its own balancers only", "[listeners]") {
  ListenerRig it;
  it.rig.options.accept_proxy_from = {IpRange::parse("127.0.0.0/8").value()};
  it.rig.options.listeners[0].accept_proxy = true;
  ListenerOptions own = at_any_port(Mode::kHttp);
  own.accept_proxy = true;
  SessionSettings settings;
  settings.accept_proxy_from = {IpRange::parse("10.0.0.0/8").value()};
  own.own = std::make_shared<const SessionSettings>(settings);
  it.rig.options.listeners.push_back(own);
  it.start();
  CHECK(it.serves(it.rig.proxy->addresses()[1]));
  CHECK_FALSE(it.serves(it.rig.proxy->addresses()[0]));
}

TEST_CASE("listeners come and go under load, and what stays refuses and cuts nobody", "[listeners]") {
  ListenerRig it;
  it.rig.options.threads = 2;
  it.start();
  const net::Address kept = it.rig.proxy->addresses()[0];
  std::vector<std::unique_ptr<Peer>> clients;
  int served = 0;
  int failed = 0;
  const std::function<void()> begin = [&] {
    clients.push_back(it.dial(kept));
    Peer& client = *clients.back();
    client.on_data = [&](Peer& self, std::string_view) {
      if (self.received.find("/v1/x") == std::string::npos) return;
      ++served;
      self.on_end = {};
      self.close();
    };
    client.on_end = [&](Peer&) { ++failed; };
    client.send(get("/v1/x"));
  };
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 5; ++i) begin();
    auto wanted = it.listeners();
    wanted[0].mode = round % 2 == 0 ? Mode::kTcp : Mode::kHttp;
    for (int more = 0; more < round % 4; ++more)
      wanted.push_back(at_any_port(more % 2 == 0 ? Mode::kTcp : Mode::kHttp));
    it.use(wanted);
    for (int i = 0; i < 5; ++i) begin();
    REQUIRE(it.rig.until([&] { return served + failed == (round + 1) * 10; }));
    clients.clear();
  }
  CHECK(failed == 0);
}

TEST_CASE("a listener that is gone is forgotten when its last connection has ended", "[listeners]") {
  ListenerRig it;
  it.rig.options.threads = GENERATE(1, 3);
  it.start();
  const auto one = it.listeners();
  auto two = one;
  two.push_back(at(free_address(), Mode::kHttp));
  const auto known = [&] { return it.rig.proxy->bind_listeners(one, it.rig.options).value()->table->size(); };
  it.use(two);
  auto session = it.dial(it.rig.proxy->addresses()[1]);
  session->send(get("/v1/a"));
  REQUIRE(it.until_has(*session, "/v1/a"));
  it.use(one);
  it.use(one);
  REQUIRE(it.serves(it.rig.proxy->addresses()[0]));
  CHECK(known() == 2);
  session->send(get("/v1/b"));
  REQUIRE(it.until_has(*session, "/v1/b"));

  session->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  it.use(one);
  CHECK(it.rig.until([&] { return known() == 1; }));
}

TEST_CASE("listeners that come and go take no more room than those of one reload", "[listeners]") {
  ListenerRig it;
  it.start();
  const auto one = it.listeners();
  const auto with_another = [&] {
    auto two = one;
    two.push_back(at_any_port(Mode::kHttp));
    return two;
  };
  for (int i = 0; i < 20; ++i) {
    it.use(with_another());
    REQUIRE(it.serves(it.rig.proxy->addresses()[1]));
    it.use(one);
    REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
    CHECK(it.rig.proxy->bind_listeners(one, it.rig.options).value()->table->size() <= 3);
  }
}

TEST_CASE("a number is free when all workers have said that none of their connections has it", "[listeners]") {
  constexpr std::size_t kWorkers = 2;
  const std::vector<ListenerOptions> one = {at_any_port(Mode::kHttp)};
  const std::vector<ListenerOptions> two = {one[0], at(free_address(), Mode::kTcp)};
  Listeners listeners;
  const auto known = [&] { return listeners.bind(one, kWorkers, {}).value()->table->size(); };
  const auto use = [&](const std::vector<ListenerOptions>& wanted) {
    const auto change = listeners.bind(wanted, kWorkers, {}).value();
    listeners.use(*change);
    return change->open;  // with its sockets gone
  };
  use(one);
  use(two);
  const std::uint64_t opened = listeners.round();
  use(one);
  CHECK(known() == 2);
  for (std::size_t worker = 0; worker < kWorkers; ++worker) listeners.on_unused(worker, opened, {1});
  CHECK(known() == 2);  // said of a time before it was closed
  listeners.on_unused(0, listeners.round(), {1});
  listeners.on_unused(0, listeners.round(), {1});
  CHECK(known() == 2);
  listeners.on_unused(1, listeners.round(), {0, 1});
  CHECK(known() == 1);
  CHECK(use(two) == std::vector<ListenerNumber>{0, 1});
  CHECK(known() == 2);
}

}  // namespace bellwether::proxy
