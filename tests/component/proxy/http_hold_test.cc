#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

// Nobody leads; those nodes could.
cluster::View election(Rig& rig, Epoch epoch, const std::vector<NodeId>& standbys) {
  cluster::View view = rig.view(epoch, std::nullopt, cluster::HoldReason::kNoLeader);
  for (const NodeId node : standbys) view.nodes[node.number].role = cluster::Role::kStandby;
  return view;
}

std::vector<std::unique_ptr<Peer>> held_clients(HttpRig& it, std::size_t count) {
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send(get("/v1/a"));
  }
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == count; }));
  return clients;
}

}  // namespace

TEST_CASE("while a request waits for a leader, connections to those that may be the next are opened", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  it.rig.publish(election(it.rig, 1, {it.n1, it.n2}));
  const auto clients = held_clients(it, 1);
  REQUIRE(it.rig.until([&] { return it.one.backend.peers.size() == 2 && it.two.backend.peers.size() == 2; }));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().nodes.at(it.n2).connects == 2; }));
  it.rig.lead(1, it.n2);
  REQUIRE(it.until_has(*clients[0], "200 OK"));
  CHECK(it.two.backend.peers.size() == 2);
  // Those to the other are of no use now.
  CHECK(it.rig.until([&] { return it.one.backend.peers[0]->is_over() && it.one.backend.peers[1]->is_over(); }));
  CHECK_FALSE(it.two.backend.peers[0]->is_over());
}

TEST_CASE("connections to the next leader are opened for a leader that is suspect, and not to itself",
          "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "200 OK"));
  cluster::View suspect = it.rig.suspect(1, it.n1);
  suspect.nodes[it.n2.number].role = cluster::Role::kStandby;
  it.rig.publish(std::move(suspect));
  REQUIRE(it.rig.until([&] { return it.two.backend.peers.size() == 2; }));
  // It stands down: no connection of its time is kept, and none is opened anew.
  it.rig.publish(election(it.rig, 1, {it.n1, it.n2}));
  REQUIRE(it.rig.until([&] { return it.one.backend.peers[0]->is_over(); }));
  client->received.clear();
  client->send(get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "GET /v1/b"));
  CHECK(it.one.backend.peers.size() == 1);
  CHECK(it.two.backend.peers.size() == 2);
}

TEST_CASE("no connection is opened in advance for nobody, to who cannot lead, or where it must name its client",
          "[proxy][http]") {
  HttpRig it;
  bool is_held = true;
  std::vector<NodeId> standbys = {it.n2};
  SECTION("nobody is there") { is_held = false; }
  SECTION("it is sealed") { standbys = {}; }
  SECTION("it begins with a PROXY header") {
    it.rig.options.send_proxy = net::ProxyVersion::kV1;
    it.one.backend.on_accept = nullptr;  // no HTTP
  }
  it.rig.start();
  it.rig.publish(election(it.rig, 1, standbys));
  const auto held = held_clients(it, is_held ? 1 : 0);
  it.rig.lead(1, it.n1);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return !client->received.empty() || it.one.backend.peers.size() == 2; }));
  // One that was opened earlier would be accepted before this.
  auto last = Peer::dial(*it.rig.loop, it.two.backend.address());
  REQUIRE(it.rig.until([&] { return !it.two.backend.peers.empty() && last->connected; }));
  CHECK(it.two.backend.peers.size() == 1);
  CHECK(it.rig.proxy->counts().nodes.at(it.n2).connects == 0);
}

TEST_CASE("a node that takes no connection in advance is dialled when it leads", "[proxy][http]") {
  HttpRig it;
  const net::Address address = it.two.backend.address();
  it.two.backend.stop();
  it.rig.start();
  it.rig.publish(election(it.rig, 1, {it.n2}));
  const auto clients = held_clients(it, 1);
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().nodes.at(it.n2).connect_failures == 2; }));
  CHECK(it.rig.proxy->counts().held_now == 1);
  CHECK(it.rig.hints.empty());
  Backend again(*it.rig.loop, address.to_string().c_str());
  again.on_accept = [](Peer& peer) {
    peer.on_data = [](Peer& self, std::string_view) { self.send(HttpNode::ok("late")); };
  };
  it.rig.lead(1, it.n2);
  CHECK(it.until_has(*clients[0], "late"));
}

TEST_CASE("a new leader hears the rest of the requests only when it has answered the first or is late",
          "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.rig.start();
  const auto clients = held_clients(it, 12);
  it.rig.lead(1, it.n1);
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 2; }));
  it.rig.advance(20ms - Duration(1));
  CHECK(it.one.seen.size() == 2);
  it.rig.advance(Duration(1));
  CHECK(it.one.seen.size() > 2);
  CHECK(it.rig.advance_until([&] { return it.one.seen.size() == 12; }));
}

TEST_CASE("requests that waited share the connections of those that were answered", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  const auto clients = held_clients(it, 100);
  it.rig.lead(1, it.n1);
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 100; }));
  for (const auto& client : clients) CHECK(it.until_has(*client, "200 OK"));
  CHECK(it.one.backend.peers.size() < 64);
}

}  // namespace bellwether::proxy
