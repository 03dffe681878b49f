#include "bellwether/net/proxy_protocol.h"

#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

namespace {

struct HeaderRig {
  HeaderRig() : backend(*rig.loop) { n1 = rig.add_node(backend.address()); }
  void start() {
    rig.start();
    rig.lead(1, n1);
  }
  // What the node has read, once it is all there.
  bool node_gets(const std::string& bytes) {
    return rig.until([&] { return !backend.peers.empty() && backend.peers.back()->received == bytes; });
  }
  Rig rig;
  Backend backend;
  NodeId n1;
};

const auto kFarClient = *net::Address::parse("203.0.113.7:4711");
const auto kFarService = *net::Address::parse("198.51.100.1:8200");

}  // namespace

TEST_CASE("a PROXY v1 header names the client to the node before the first byte", "[proxy]") {
  HeaderRig it;
  it.rig.options.send_proxy = net::ProxyVersion::kV1;
  it.rig.options.log_sessions = true;
  it.start();
  auto client = it.rig.client();
  client->send("hello");
  REQUIRE(it.rig.until([&] { return !it.backend.peers.empty() && it.backend.peers[0]->received.ends_with("hello"); }));
  const std::string listener = it.rig.proxy->addresses()[0].host();
  client->close();
  REQUIRE(it.rig.until([&] { return !it.rig.records.empty() || it.backend.peers[0]->is_over(); }));
  it.backend.peers[0]->close();
  REQUIRE(it.rig.until([&] { return !it.rig.records.empty(); }));
  const net::Address seen = *net::Address::parse(it.rig.records[0].client);
  CHECK(it.backend.peers[0]->received ==
        net::proxy_header(net::ProxyVersion::kV1, seen, it.rig.proxy->addresses()[0]) + "hello");
  CHECK(it.backend.peers[0]->received.substr(0, 22) == "PROXY TCP4 127.0.0.1 1");
}

TEST_CASE("a PROXY v2 header is made anew for each dial, and the client's own address passes through", "[proxy]") {
  HeaderRig it;
  it.rig.options.send_proxy = net::ProxyVersion::kV2;
  it.rig.options.listeners[0].accept_proxy = true;
  it.start();
  auto client = it.rig.client();
  client->send(net::proxy_header(net::ProxyVersion::kV1, kFarClient, kFarService) + "payload");
  CHECK(it.node_gets(net::proxy_header(net::ProxyVersion::kV2, kFarClient, kFarService) + "payload"));
}

TEST_CASE("PROXY headers are taken off byte by byte, in either version", "[proxy]") {
  const auto version = GENERATE(net::ProxyVersion::kV1, net::ProxyVersion::kV2);
  HeaderRig it;
  it.rig.options.listeners[0].accept_proxy = true;
  it.start();
  auto client = it.rig.client();
  REQUIRE(it.rig.until([&] { return client->connected; }));
  for (const char c : net::proxy_header(version, kFarClient, kFarService)) {
    client->send(std::string(1, c));
    (void)it.rig.until([] { return false; }, 1ms);
  }
  client->send("payload");
  CHECK(it.node_gets("payload"));
}

TEST_CASE("a local PROXY header leaves the socket's own address", "[proxy]") {
  HeaderRig it;
  it.rig.options.send_proxy = net::ProxyVersion::kV1;
  it.rig.options.listeners[0].accept_proxy = true;
  it.start();
  auto client = it.rig.client();
  client->send(net::proxy_header_local(net::ProxyVersion::kV2) + "x");
  REQUIRE(it.rig.until([&] { return !it.backend.peers.empty() && it.backend.peers[0]->received.ends_with("x"); }));
  CHECK(it.backend.peers[0]->received.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
}

TEST_CASE("a connection without the demanded PROXY header is closed, counted, and gives its room back", "[proxy]") {
  HeaderRig it;
  it.rig.options.listeners[0].accept_proxy = true;
  it.rig.options.maxconn = 1;
  it.start();
  auto client = it.rig.client();
  client->send("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(it.rig.until([&] { return client->is_over(); }));
  CHECK(it.rig.proxy->counts().proxy_header_errors == 1);
  CHECK(it.rig.proxy->counts().sessions_total == 0);
  auto next = it.rig.client();
  next->send(net::proxy_header_local(net::ProxyVersion::kV1) + "x");
  CHECK(it.node_gets("x"));
}

TEST_CASE("a client that sends half a PROXY header and leaves is forgotten", "[proxy]") {
  HeaderRig it;
  it.rig.options.listeners[0].accept_proxy = true;
  it.start();
  auto client = it.rig.client();
  client->send("PROXY TCP4 127");
  client->finish();
  CHECK(it.rig.until([&] { return it.rig.proxy->counts().proxy_header_errors == 1; }));
}

}  // namespace bellwether::proxy
