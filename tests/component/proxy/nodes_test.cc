#include <memory>
#include <string>

#include "catch.hpp"
#include "component/proxy/http_rig.h"
#include "component/proxy/two_nodes.h"

// Nodes that come and go while the proxy runs: Proxy::set_nodes and views with other nodes.
namespace bellwether::proxy {
namespace {

constexpr NodeId kNew{7};

cluster::View without(cluster::View view, NodeId gone) {
  view.nodes.keep_if([gone](NodeId id, const cluster::NodeView&) { return id != gone; });
  return view;
}

cluster::View with_leader(cluster::View view, NodeId node) {
  view.leader = node;
  cluster::NodeView seen;
  seen.up = true;
  seen.role = cluster::Role::kActive;
  seen.facts.version = "2.4.4";
  view.nodes.add(node, seen);
  return view;
}

// The nodes of `options` but for `gone`, and a new one.
NodeTable<NodeOptions> changed(const ProxyOptions& options, NodeId gone, const net::Address& address) {
  NodeTable<NodeOptions> nodes = options.nodes;
  nodes.keep_if([gone](NodeId id, const NodeOptions&) { return id != gone; });
  nodes.add(kNew, {"new", address, ""});
  return nodes;
}

}  // namespace

TEST_CASE("a session on a node that was removed ends between two requests, and its client reaches a new node",
          "[proxy][nodes]") {
  TwoNodes it;
  auto third = Backend::echo(*it.rig.loop);
  it.rig.start();
  it.rig.lead(1, it.n1);
  auto client = it.session();
  it.rig.proxy->set_nodes(changed(it.rig.options, it.n1, third->address()));
  it.rig.publish(with_leader(without(it.rig.view(2, std::nullopt), it.n1), kNew));
  REQUIRE(it.rig.advance_until([&] { return client->saw_end; }));
  CHECK(it.end_of_first() == "DD");
  CHECK(it.rig.records.front().node_name == "n1");
  auto again = it.rig.client();
  again->send("2");
  REQUIRE(it.rig.until([&] { return again->received == "2"; }));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().nodes.at(kNew).connects == 1; }));
  CHECK_FALSE(it.rig.proxy->counts().nodes.has(it.n1));
  CHECK(it.rig.proxy->counts().removed_nodes.connects == 1);
}

TEST_CASE("what a node that is removed still serves is counted until it has ended", "[proxy][nodes]") {
  TwoNodes it;
  it.first->on_accept = [](Peer&) {};
  it.rig.options.drain_deadline = 1h;
  it.rig.start();
  it.rig.lead(1, it.n1);
  auto client = it.rig.client();
  client->send("question");
  REQUIRE(it.rig.until([&] { return !it.first->peers.empty() && it.first->peers[0]->received == "question"; }));
  NodeTable<NodeOptions> nodes = it.rig.options.nodes;
  nodes.keep_if([&](NodeId id, const NodeOptions&) { return id != it.n1; });
  it.rig.proxy->set_nodes(nodes);
  // It answers its probes no more: nobody asks it. So it is not known to hang, and has until drain_deadline.
  it.rig.publish(without(it.rig.view(2, it.n2), it.n1));
  auto other = it.rig.client();
  other->send("2");
  REQUIRE(it.rig.until([&] { return other->received == "2"; }));
  CHECK(it.rig.proxy->counts().removed_nodes.sessions_now == 1);
  CHECK_FALSE(client->is_over());
  it.first->peers[0]->send("answer");
  REQUIRE(it.rig.advance_until([&] { return client->received == "answer" && client->saw_end; }));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().removed_nodes.sessions_now == 0; }));
  CHECK(it.rig.proxy->counts().removed_nodes.connects == 1);
}

TEST_CASE("sessions on a node that stays are not touched, whatever it is called now", "[proxy][nodes]") {
  TwoNodes it;
  it.rig.start();
  it.rig.lead(1, it.n1);
  auto client = it.session();
  NodeTable<NodeOptions> nodes = it.rig.options.nodes;
  nodes.at(it.n1).name = "renamed";
  nodes.keep_if([&](NodeId id, const NodeOptions&) { return id != it.n2; });
  it.rig.proxy->set_nodes(nodes);
  it.rig.publish(without(it.rig.view(1, it.n1), it.n2));
  client->send("2");
  REQUIRE(it.rig.until([&] { return client->received == "12"; }));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.records.size() == 1; }));
  CHECK(it.rig.records[0].node_name == "renamed");
  CHECK(std::string(it.rig.records[0].end) == "--");
}

TEST_CASE("a node that is gone before a view had it is forgotten", "[proxy][nodes]") {
  TwoNodes it;
  auto third = Backend::echo(*it.rig.loop);
  it.rig.start();
  it.rig.lead(1, it.n1);
  NodeTable<NodeOptions> nodes = it.rig.options.nodes;
  it.rig.proxy->set_nodes(changed(it.rig.options, it.n2, third->address()));
  it.rig.proxy->set_nodes(nodes);
  it.rig.lead(2, it.n2);
  auto client = it.rig.client();
  client->send("2");
  REQUIRE(it.rig.until([&] { return client->received == "2"; }));
  // Nobody holds its counters any more: they are added up, and gone.
  CHECK(it.rig.proxy->counts().nodes.size() == 2);
  CHECK(it.rig.proxy->counts().removed_nodes.connects == 0);
}

TEST_CASE("an http answer under way comes whole from a node that was removed, and the next request goes to a new one",
          "[proxy][http][nodes]") {
  HttpRig it;
  HttpNode three(*it.rig.loop);
  Peer* asked = nullptr;
  it.one.answer = [&asked](const Seen&, Peer& peer) {
    asked = &peer;
    return std::string();
  };
  three.answer = [](const Seen&, Peer&) { return HttpNode::ok("three"); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/a"));
  REQUIRE(it.rig.until([&] { return asked != nullptr; }));
  it.rig.proxy->set_nodes(changed(it.rig.options, it.n1, three.backend.address()));
  it.rig.publish(with_leader(without(it.rig.view(2, std::nullopt), it.n1), kNew));
  auto other = it.rig.client();
  other->send(get("/v1/secret/data/b"));
  REQUIRE(it.until_has(*other, "three"));
  asked->send(HttpNode::ok("one"));
  REQUIRE(it.until_has(*client, "one"));
  client->send(get("/v1/secret/data/c"));
  REQUIRE(it.until_has(*client, "three"));
  CHECK(it.counts().ok >= 2);
  CHECK(it.counts().ambiguous + it.counts().cut + it.counts().unserved == 0);
}

TEST_CASE("idle connections to a node that was removed are closed", "[proxy][http][nodes]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/a"));
  REQUIRE(it.until_has(*client, "200 OK"));
  REQUIRE(it.one.backend.peers.size() == 1);
  NodeTable<NodeOptions> nodes = it.rig.options.nodes;
  nodes.keep_if([&](NodeId id, const NodeOptions&) { return id != it.n1; });
  it.rig.proxy->set_nodes(nodes);
  it.rig.publish(without(it.rig.view(2, it.n2), it.n1));
  REQUIRE(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
}

TEST_CASE("a request that waits goes to a node that was added", "[proxy][http][nodes]") {
  HttpRig it;
  HttpNode three(*it.rig.loop);
  it.rig.start();
  it.rig.no_leader(1);
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.proxy->set_nodes(changed(it.rig.options, it.n1, three.backend.address()));
  it.rig.publish(with_leader(without(it.rig.view(2, std::nullopt), it.n1), kNew));
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(three.seen.size() == 1);
}

TEST_CASE("a node's new public address is what a redirect names", "[proxy][redirect][nodes]") {
  Rig rig;
  rig.options.listeners[0].mode = Mode::kRedirect;
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(backend->address(), "https://before.test:8200");
  rig.start();
  rig.lead(1, n1);
  NodeTable<NodeOptions> nodes = rig.options.nodes;
  nodes.at(n1).public_url = "https://after.test:8200";
  rig.proxy->set_nodes(nodes);
  auto client = rig.client();
  client->send(get("/v1/a"));
  REQUIRE(rig.until([&] { return client->received.find("https://after.test:8200/v1/a") != std::string::npos; }));
}

}  // namespace bellwether::proxy
