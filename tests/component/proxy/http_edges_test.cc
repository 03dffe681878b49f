#include <array>

#include "bellwether/net/stream.h"
#include "bellwether/net/tls.h"
#include "component/proxy/http_rig.h"
#include "component/proxy/stuck_worker.h"
#include "support/paths.h"

namespace bellwether::proxy {
namespace {

std::string cert(const std::string& file) { return bellwether::testing::cert_path(file); }

// A TLS client that keeps what it reads.
struct TlsPeer final : net::StreamHandler {
  TlsPeer(net::Loop& loop, const net::Address& to, const std::string& server_name = "localhost") {
    net::ConnectOptions options;
    options.tls = *net::TlsContext::client({.ca_file = cert("ca.pem")});
    options.server_name = server_name;
    stream = net::Stream::connect(loop, to, std::move(options), *this);
  }
  void on_open() override { on_writable(); }
  void on_readable() override {
    std::array<char, 16384> buffer;
    while (true) {
      const net::IoResult read = stream->read(buffer);
      if (read.status != net::IoStatus::kOk) return;
      received.append(buffer.data(), read.bytes);
    }
  }
  void on_writable() override {
    while (!outgoing.empty()) {
      const net::IoResult wrote = stream->write(outgoing);
      if (wrote.status != net::IoStatus::kOk) return;
      outgoing.erase(0, wrote.bytes);
    }
  }
  void on_broken(Error error) override { broken = error.message; }

  std::string outgoing, received, broken;
  std::unique_ptr<net::Stream> stream;
};

std::shared_ptr<net::TlsContext> server_tls(const std::string& name) {
  return *net::TlsContext::server({.cert_file = cert(name + ".pem"), .key_file = cert(name + ".key")});
}

// A node that speaks TLS and answers every request, unless it is told to wait.
struct TlsNode {
  struct Link final : net::StreamHandler {
    void on_open() override {}
    void on_readable() override {
      std::array<char, 16384> buffer;
      while (true) {
        const net::IoResult read = stream->read(buffer);
        if (read.status != net::IoStatus::kOk) return;
        received.append(buffer.data(), read.bytes);
        while (!holds && has_request()) answer();
      }
    }
    [[nodiscard]] bool has_request() const { return received.find("\r\n\r\n") != std::string::npos; }
    void answer() {
      received.erase(0, received.find("\r\n\r\n") + 4);
      const std::string bytes = HttpNode::ok("over tls");
      CHECK(stream->write(bytes).bytes == bytes.size());
    }
    void on_writable() override {}
    void on_broken(Error) override {}
    bool holds = false;
    std::string received;
    std::unique_ptr<net::Stream> stream;
  };

  explicit TlsNode(net::Loop& loop)
      : tls(*net::TlsContext::server({.cert_file = cert("server.pem"), .key_file = cert("server.key")})) {
    auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
    address = *socket->local_address();
    listener =
        std::make_unique<net::Listener>(loop, std::move(*socket), [&](net::Socket accepted, const net::Address&) {
          links.push_back(std::make_unique<Link>());
          links.back()->holds = holds;
          links.back()->stream = net::Stream::accept(loop, std::move(accepted), tls, 3s, *links.back());
        });
  }

  std::shared_ptr<net::TlsContext> tls;
  net::Address address;
  std::vector<std::unique_ptr<Link>> links;
  std::unique_ptr<net::Listener> listener;
  bool holds = false;
};

// In http mode, with this node as the leader, whose certificate that authority must have signed.
NodeId start_before(Rig& rig, const TlsNode& node, const std::string& ca_file = "ca.pem") {
  rig.options.listeners[0].mode = Mode::kHttp;
  const NodeId leader = rig.add_node(node.address);
  rig.options.nodes[0].is_tls = true;
  rig.options.node_tls = *net::TlsContext::client({.ca_file = cert(ca_file)});
  rig.options.nodes[0].server_name = "localhost";
  rig.start();
  rig.lead(1, leader);
  return leader;
}

}  // namespace

TEST_CASE("TLS is spoken to the client and to the node, on one connection each", "[proxy][http][tls]") {
  Rig rig;
  TlsNode node(*rig.loop);
  rig.options.listeners[0].tls =
      *net::TlsContext::server({.cert_file = cert("server.pem"), .key_file = cert("server.key")});
  start_before(rig, node);
  TlsPeer client(*rig.loop, rig.proxy->addresses()[0]);
  client.outgoing = get("/v1/a");
  REQUIRE(rig.until([&] { return client.received.find("over tls") != std::string::npos; }));
  client.received.clear();
  client.outgoing = get("/v1/b");
  client.on_writable();
  REQUIRE(rig.until([&] { return client.received.find("over tls") != std::string::npos; }));
  CHECK(node.links.size() == 1);
}

TEST_CASE("new contexts are used from the next handshake on, and what runs goes on", "[proxy][http][tls]") {
  Rig rig;
  TlsNode node(*rig.loop);
  rig.options.listeners[0].tls = server_tls("server");
  start_before(rig, node);
  const auto answered = [&](TlsPeer& client) {
    client.received.clear();
    client.outgoing = get("/v1/a");
    client.on_writable();
    return rig.until([&] { return client.received.find("over tls") != std::string::npos; });
  };
  TlsPeer early(*rig.loop, rig.proxy->addresses()[0]);
  REQUIRE(answered(early));
  REQUIRE(rig.advance_until([&] { return rig.proxy->counts().http.upstream_idle == 1; }));
  rig.proxy->renew_client_tls(rig.options.listeners[0].tls, server_tls("common"));
  REQUIRE(rig.proxy->set_node_tls(*net::TlsContext::client({.ca_file = cert("ca.pem")})));
  // The idle connection to the node is not used again.
  REQUIRE(rig.advance_until([&] { return rig.proxy->counts().http.upstream_idle == 0; }));
  const std::size_t links = node.links.size();
  CHECK(answered(early));
  CHECK(node.links.size() == links + 1);

  TlsPeer late(*rig.loop, rig.proxy->addresses()[0], "vault.test");
  CHECK(answered(late));
  TlsPeer wrong(*rig.loop, rig.proxy->addresses()[0], "localhost");
  REQUIRE(rig.until([&] { return !wrong.broken.empty(); }));
  REQUIRE(rig.until([&] {
    return rig.proxy->counts().handshake_failures[static_cast<std::size_t>(net::HandshakeFailure::kAlert)] == 1;
  }));
}

TEST_CASE("a connection that was in use when its certificates were replaced is not kept", "[proxy][http][tls]") {
  Rig rig;
  TlsNode node(*rig.loop);
  node.holds = true;
  const NodeId n1 = start_before(rig, node);
  auto client = rig.client();
  client->send(get("/v1/a"));
  REQUIRE(rig.until([&] { return node.links.size() == 1 && node.links[0]->has_request(); }));
  REQUIRE(rig.proxy->set_node_tls(*net::TlsContext::client({.ca_file = cert("other-ca.pem")})));
  rig.publish(rig.view(1, n1, cluster::HoldReason::kSuspect));
  auto next = rig.client();
  next->send(get("/v1/b"));
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  node.links[0]->answer();
  REQUIRE(rig.until([&] { return client->received.find("over tls") != std::string::npos; }));
  rig.lead(1, n1);
  // It needs a new connection, and that is not trusted any more.
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes[0].connect_failures > 0; }));
  CHECK(next->received.empty());
}

TEST_CASE("an early answer over TLS reaches a client that is still sending, though the node then resets the connection",
          "[proxy][http][tls]") {
  Rig rig;
  StuckWorker worker(rig);
  TlsNode node(*rig.loop);
  node.holds = true;
  start_before(rig, node);
  auto client = rig.client();
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 1000000\r\n\r\nabc");
  REQUIRE(rig.until([&] { return node.links.size() == 1 && node.links[0]->received.ends_with("abc"); }));
  // More of the body comes to the worker before the node's last words do: it writes first.
  worker.make_stuck();
  client->send("def");
  const std::string answer = HttpNode::error(413, "too big");
  REQUIRE(node.links[0]->stream->write(answer).bytes == answer.size());
  node.links[0]->stream->abort();
  worker.release();
  REQUIRE(rig.until([&] { return client->is_over(); }));
  CHECK(client->received.starts_with("HTTP/1.1 413 "));
  CHECK_THAT(client->received, CATCH_CONTAINS("too big"));
}

TEST_CASE("a node whose certificate is not trusted gets no request, and the client is told", "[proxy][http][tls]") {
  Rig rig;
  TlsNode node(*rig.loop);
  rig.options.hold_timeout_http = 200ms;
  start_before(rig, node, "other-ca.pem");
  auto client = rig.client();
  client->send(get("/v1/a"));
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  REQUIRE(rig.advance_until([&] { return client->received.find("{\"errors\":[") != std::string::npos; }));
  CHECK(client->received.starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a PROXY header goes before each node connection, which then serves one client only", "[proxy][http]") {
  HttpRig it;
  std::string first;
  it.rig.options.send_proxy = net::ProxyVersion::kV1;
  it.one.backend.on_accept = [&](Peer& peer) {
    peer.on_data = [&](Peer& self, std::string_view) {
      if (self.received.find("\r\n\r\n") == std::string::npos) return;
      first = self.received.substr(0, self.received.find("\r\n"));
      self.send(HttpNode::ok("seen"));
    };
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "seen"));
  CHECK(first.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
  client->received.clear();
  client->send(get("/v1/b"));
  REQUIRE(it.until_has(*client, "seen"));
  CHECK(it.one.backend.peers.size() == 2);
}

TEST_CASE("a node that redirects to itself is asked again shortly", "[proxy][http]") {
  HttpRig it;
  const std::string self = "http://" + it.one.backend.address().to_string() + "/v1/a";
  it.one.answer = [&](const Seen&, Peer&) {
    if (it.one.seen.size() > 2) return HttpNode::ok("at last");
    return "HTTP/1.1 307 Temporary Redirect\r\nLocation: " + self + "\r\nContent-Length: 0\r\n\r\n";
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.advance_until([&] { return client->received.find("at last") != std::string::npos; }, 700ms));
  CHECK(it.one.seen.size() == 3);
}

TEST_CASE("an answer nobody asked for closes the idle connection that it came on", "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "GET /v1/a"));
  it.one.backend.peers[0]->send(HttpNode::ok("poison"));
  REQUIRE(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
  client->send(get("/v1/b"));
  REQUIRE(it.until_has(*client, "GET /v1/b"));
  CHECK(client->received.find("poison") == std::string::npos);
}

TEST_CASE("an early answer reaches a client that is still sending, and the connection ends with it", "[proxy][http]") {
  HttpRig it;
  it.one.on_head = [](Peer& peer, const http::RequestHead&) { peer.send(HttpNode::error(413, "too big")); };
  it.start();
  auto client = it.rig.client();
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nContent-Length: 1000000\r\n\r\nabc");
  REQUIRE(it.rig.until([&] { return client->saw_end; }));
  CHECK(client->received.starts_with("HTTP/1.1 413 "));
  CHECK_THAT(client->received, CATCH_CONTAINS("Connection: close\r\n"));
}

TEST_CASE("a 307 before the body is swallowed: the client's body goes to the new leader", "[proxy][http]") {
  HttpRig it;
  it.one.on_head = [](Peer& peer, const http::RequestHead&) {
    peer.send("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://other:8200/v1/a\r\nContent-Length: 0\r\n\r\n");
  };
  it.two.on_head = [](Peer& peer, const http::RequestHead& head) {
    if (head.expects_continue) peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send("PUT /v1/a HTTP/1.1\r\nHost: v\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "100 Continue"));
  client->send("hello");
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.two.seen.size() == 1);
  CHECK(it.two.seen[0].body == "hello");
}

TEST_CASE("a monitor stream on a leader that has begun to block is ended visibly", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlog\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/sys/monitor"));
  REQUIRE(it.until_has(*client, "log"));
  it.rig.publish(it.rig.suspect(1, it.n1));
  REQUIRE(it.rig.advance_until([&] { return client->is_over(); }));
  CHECK(client->received.find("\r\n0\r\n\r\n") == std::string::npos);
  CHECK(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
}

TEST_CASE("a monitor stream without a line yet is ended too when its leader blocks", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/sys/monitor"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  it.rig.publish(it.rig.suspect(1, it.n1));
  REQUIRE(it.advance_until_has(*client, "502"));
  CHECK(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
  CHECK(it.rig.until([&] { return it.rig.ended_streams == std::vector<NodeId>{it.n1}; }));
}

TEST_CASE("requests beyond the hold's limit go to a suspect leader rather than nowhere", "[proxy][http]") {
  HttpRig it;
  it.rig.options.hold_max = 1;
  it.rig.start();
  it.rig.publish(it.rig.suspect(1, it.n1));
  auto held = it.rig.client();
  held->send(get("/v1/held"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  auto other = it.rig.client();
  other->send(get("/v1/other"));
  REQUIRE(it.until_has(*other, "GET /v1/other"));
  CHECK(held->received.empty());
}

TEST_CASE("an answer that stops short is a sign of life when its bytes come, not when its client says more",
          "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& asked, Peer&) {
    const std::string refusal = HttpNode::error(503, "Vault is sealed");
    return asked.line.find("/short") == std::string::npos ? HttpNode::ok("") : refusal.substr(0, refusal.size() - 5);
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/short"));
  const auto last_answer = [&] { return it.rig.proxy->live(it.n1).last_answer; };
  REQUIRE(it.rig.until([&] { return last_answer() != TimePoint{}; }));
  const TimePoint came = last_answer();
  it.rig.advance(10ms);
  client->send(get("/v1/next"));
  // The worker has read it when it has refused who came later.
  for (int i = 0; i < 2; ++i) {
    auto other = it.rig.client();
    other->send("GET /v1/a HTTP/1.1\r\n\r\n");
    REQUIRE(it.until_has(*other, "HTTP/1.1 400 "));
  }
  CHECK(last_answer() == came);
}

}  // namespace bellwether::proxy
