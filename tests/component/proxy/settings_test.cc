#include <fmt/format.h>

#include <algorithm>

#include "bellwether/net/proxy_protocol.h"
#include "component/proxy/http_rig.h"

// Settings that change while the proxy runs.
namespace bellwether::proxy {
namespace {

// The rig's options as they are now, to be changed.
ProxySettings settings_of(const Rig& rig) { return static_cast<const ProxySettings&>(rig.options); }

void use(Rig& rig, const ProxySettings& settings) {
  bool is_used = false;
  rig.proxy->set_settings(settings);
  rig.proxy->when_all_have_it([&is_used] { is_used = true; });
  REQUIRE(rig.until([&is_used] { return is_used; }));
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("what waits for a leader is refused by the hold timeout of now", "[settings]") {
  HttpRig it;
  it.rig.options.hold_timeout_http = 1min;
  it.start();
  it.rig.no_leader(2);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  ProxySettings next = settings_of(it.rig);
  next.hold_timeout_http = 20ms;
  use(it.rig, next);
  it.rig.advance(20ms);
  REQUIRE(it.until_has(*client, "HTTP/1.1 503 "));
  CHECK(client->received.find("it waited for 20ms") != std::string::npos);
}

TEST_CASE("a tcp session that is quiet ends by the idle timeout of now", "[settings]") {
  Rig rig;
  const auto backend = Backend::echo(*rig.loop);
  const NodeId node = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, node);
  auto client = rig.client();
  client->send("x");
  REQUIRE(rig.until([&] { return client->received == "x"; }));
  ProxySettings next = settings_of(rig);
  next.timeout_idle = 50ms;
  use(rig, next);
  REQUIRE(rig.advance_until([&] { return client->is_over(); }));
  CHECK(rig.proxy->counts().sessions_cut_idle == 1);
}

TEST_CASE("who waits below maxconn comes in when it grows, and a smaller one ends nobody", "[settings]") {
  Rig rig;
  const auto backend = Backend::echo(*rig.loop);
  const NodeId node = rig.add_node(backend->address());
  rig.options.maxconn = 1;
  rig.start();
  rig.lead(1, node);
  auto first = rig.client();
  first->send("1");
  REQUIRE(rig.until([&] { return first->received == "1"; }));
  // In use, so that it makes no room: its answer is under way.
  first->on_data = [](Peer& self, std::string_view) { self.send("."); };
  first->send(".");
  auto second = rig.client();
  second->send("2");
  REQUIRE(rig.until([&] { return rig.proxy->counts().maxconn_pauses == 1; }));
  ProxySettings next = settings_of(rig);
  next.maxconn = 3;
  use(rig, next);
  REQUIRE(rig.until([&] { return second->received == "2"; }));
  next.maxconn = 1;
  use(rig, next);
  const std::size_t so_far = first->received.size();
  REQUIRE(rig.until([&] { return first->received.size() > so_far + 10; }));
  CHECK_FALSE(second->is_over());
  CHECK(rig.proxy->counts().sessions_now == 2);
}

TEST_CASE("places in the hold may become fewer than are taken", "[settings]") {
  HttpRig it;
  it.start();
  it.rig.no_leader(2);
  auto first = it.rig.client();
  auto second = it.rig.client();
  first->send(get("/v1/a"));
  second->send(get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 2; }));
  ProxySettings next = settings_of(it.rig);
  next.hold_max = 1;
  use(it.rig, next);
  auto third = it.rig.client();
  third->send(get("/v1/c"));
  REQUIRE(it.until_has(*third, "HTTP/1.1 503 "));
  it.rig.lead(3, it.n1);
  REQUIRE(it.until_has(*first, "HTTP/1.1 200 "));
  REQUIRE(it.until_has(*second, "HTTP/1.1 200 "));
}

TEST_CASE("a head that is being read is judged by the limits of now", "[settings]") {
  HttpRig it;
  it.start();
  const std::string rest = fmt::format("X-Long: {}\r\n\r\n", std::string(6000, 'x'));
  auto client = it.rig.client();
  client->send("GET /v1/a HTTP/1.1\r\nHost: v\r\n");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  ProxySettings next = settings_of(it.rig);
  next.head_limits.max_head_bytes = 4096;
  use(it.rig, next);
  client->send(rest);
  REQUIRE(it.until_has(*client, "HTTP/1.1 431 "));
  next.head_limits.max_head_bytes = 64 * 1024;
  use(it.rig, next);
  auto another = it.rig.client();
  another->send("GET /v1/a HTTP/1.1\r\nHost: v\r\n" + rest);
  REQUIRE(it.until_has(*another, "HTTP/1.1 200 "));
}

TEST_CASE("with a PROXY header from now on, no client's request goes over another's connection", "[settings]") {
  HttpRig it;
  std::vector<std::string> first_lines;
  // The header is taken off each connection before what follows it is read as a request.
  const auto take_header = [&first_lines](Peer& self) {
    if (self.received.substr(0, 6) != "PROXY ") return;
    const std::size_t end = self.received.find("\r\n");
    first_lines.push_back(self.received.substr(0, end));
    self.received.erase(0, end + 2);
  };
  const auto read = it.one.backend.on_accept;
  it.one.backend.on_accept = [&](Peer& peer) {
    read(peer);
    peer.on_data = [take_header, inner = peer.on_data](Peer& self, std::string_view bytes) {
      take_header(self);
      inner(self, bytes);
    };
  };
  it.start();
  auto before = it.rig.client();
  before->send(get("/v1/a"));
  REQUIRE(it.until_has(*before, "HTTP/1.1 200 "));
  REQUIRE(it.rig.advance_until([&] { return it.rig.proxy->counts().http.upstream_idle == 1; }));

  ProxySettings next = settings_of(it.rig);
  next.send_proxy = net::ProxyVersion::kV1;
  use(it.rig, next);
  auto after = it.rig.client();
  after->send(get("/v1/b"));
  REQUIRE(it.until_has(*after, "HTTP/1.1 200 "));
  REQUIRE(first_lines.size() == 1);
  CHECK(first_lines[0].substr(0, 21) == "PROXY TCP4 127.0.0.1 ");
  // It came while no header was sent: the node still has to get one.
  before->send(get("/v1/c"));
  REQUIRE(it.rig.until([&] { return count_of(before->received, "HTTP/1.1 200 ") == 2; }));
  REQUIRE(first_lines.size() == 2);
  CHECK(first_lines[1] == "PROXY UNKNOWN");

  next.send_proxy = net::ProxyVersion::kNone;
  use(it.rig, next);
  const std::size_t connections = it.one.backend.peers.size();
  after->send(get("/v1/d"));
  REQUIRE(it.rig.until([&] { return count_of(after->received, "HTTP/1.1 200 ") == 2; }));
  CHECK(it.one.backend.peers.size() == connections + 1);
  CHECK(first_lines.size() == 2);
}

TEST_CASE("the header that a trusted sender states certificates in is the one of now", "[settings]") {
  HttpRig it;
  it.rig.options.forwarded_for_trusted = {IpRange::parse("127.0.0.0/8").value()};
  const auto with_header = [&](const std::string& name) {
    ProxySettings next = settings_of(it.rig);
    next.client_identity = {name, http::CertificateEncoding::kBase64, http::DroppedHeaders({name})};
    return next;
  };
  static_cast<ProxySettings&>(it.rig.options) = with_header("X-Forwarded-Tls-Client-Cert-Of-Ours");
  it.start();
  auto client = it.rig.client();
  const auto ask = [&](const std::string& header) {
    client->received.clear();
    client->send("GET /v1/a HTTP/1.1\r\nHost: v\r\n" + header + ": abc\r\n\r\n");
    REQUIRE(it.until_has(*client, "HTTP/1.1 200 "));
    return it.one.seen.back().head.find(header) != std::string::npos;
  };
  CHECK(ask("X-Forwarded-Tls-Client-Cert-Of-Ours"));
  // Twice: the first settings live as long as the proxy.
  for (int i = 0; i < 2; ++i) use(it.rig, with_header("X-Another-Header-For-Client-Certificates"));
  CHECK(ask("X-Another-Header-For-Client-Certificates"));
  use(it.rig, with_header("X-Third"));
  CHECK(ask("X-Third"));
}

TEST_CASE("the access log begins and ends with its setting", "[settings]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  const auto ask = [&] {
    const std::size_t so_far = count_of(client->received, "HTTP/1.1 200 ");
    client->send(get("/v1/a"));
    REQUIRE(it.rig.until([&] { return count_of(client->received, "HTTP/1.1 200 ") == so_far + 1; }));
  };
  ask();
  ProxySettings next = settings_of(it.rig);
  next.log_requests = next.log_paths = true;
  use(it.rig, next);
  ask();
  REQUIRE(it.rig.until([&] { return it.rig.requests.size() == 1; }));
  CHECK(it.rig.requests[0].path == "/v1/a");
  next.log_requests = false;
  use(it.rig, next);
  ask();
  ask();
  CHECK(it.rig.requests.size() == 1);
}

TEST_CASE("settings change under load, and each request is answered", "[settings]") {
  HttpRig it;
  it.rig.options.threads = 2;
  it.start();
  std::vector<std::unique_ptr<Peer>> clients;
  int answers = 0;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->on_data = [&answers](Peer& self, std::string_view bytes) {
      const std::size_t whole = count_of(bytes, "HTTP/1.1 200 ");
      answers += static_cast<int>(whole);
      for (std::size_t n = 0; n < whole; ++n) self.send(put("/v1/x", "0123456789"));
    };
    clients.back()->send(put("/v1/x", "0123456789"));
  }
  ProxySettings next = settings_of(it.rig);
  for (int round = 0; round < 60; ++round) {
    const bool even = round % 2 == 0;
    next.maxconn = even ? 8 : 2000;
    next.hold_max = even ? 1 : 1024;
    next.suspect_after = even ? 200ms : 100ms;
    next.timeout_idle = even ? 5s : 1h;
    next.retry_buffer = even ? 4 : 64 * 1024;
    next.log_requests = even;
    next.source = even ? net::Address::parse("127.0.0.2:0").value() : std::optional<net::Address>();
    next.client_identity.dropped = http::DroppedHeaders({fmt::format("X-Round-{}", round)});
    use(it.rig, next);
    const int so_far = answers;
    REQUIRE(it.rig.until([&] { return answers >= so_far + 20; }));
  }
  CHECK(std::none_of(clients.begin(), clients.end(), [](const auto& client) { return client->is_over(); }));
  CHECK(it.counts().ambiguous + it.counts().unserved + it.counts().cut == 0);
}

}  // namespace bellwether::proxy
