// When a request that a node refused may be sent again, to whom, and what is never taken for its answer.
#include <string>

#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

std::string not_active() { return HttpNode::error(500, "local node not active but active cluster node not found"); }

std::string get_with_index(std::string_view target) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: v\r\nX-Vault-Token: t\r\nX-Vault-Index: eyJ4IjoxfQ==\r\n\r\n";
}

// The first node refuses the first requests, and answers those that follow.
struct RefusingRig : HttpRig {
  explicit RefusingRig(std::size_t refusals = 1) {
    one.answer = [this, refusals](const Seen& asked, Peer&) {
      return one.seen.size() <= refusals ? not_active() : HttpNode::ok(asked.line);
    };
  }
  void confirm(Epoch epoch, NodeId node) { rig.proxy->confirm({node, epoch, rig.loop->precise_now()}); }
  [[nodiscard]] bool until_held(std::size_t count = 1) {
    return rig.until([&] { return rig.proxy->counts().held_now == count; });
  }
  // Far longer than the first pause, and far shorter than the longest.
  [[nodiscard]] bool is_asked_again_soon(std::size_t times) {
    return rig.advance_until([&] { return one.seen.size() >= times; }, 250ms);
  }
};

// A client whose request is held, for the leader has said that it is behind its index, and will say so again.
std::unique_ptr<Peer> hold_behind_index(RefusingRig& it) {
  it.one.answer = [](const Seen&, Peer&) { return HttpNode::error(412, "required index state not present"); };
  it.start();
  auto client = it.rig.client();
  client->send(get_with_index("/v1/a"));
  REQUIRE(it.until_held());
  return client;
}

}  // namespace

TEST_CASE("a claim from before the refusal is no reason to ask the same node again", "[proxy][http][again]") {
  RefusingRig it;
  it.one.answer = [&](const Seen& asked, Peer&) {
    return it.one.seen.size() == 2 ? not_active() : HttpNode::ok(asked.line);
  };
  it.rig.options.listeners[0].fresh = true;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/first"));
  REQUIRE(it.rig.until([&] { return !it.rig.claims_wanted.empty(); }));
  it.confirm(1, it.n1);
  REQUIRE(it.until_has(*client, "GET /v1/first"));
  it.rig.advance(1ms);
  client->send(put("/v1/cubbyhole/a", "x"));
  REQUIRE(it.until_held());
  CHECK_FALSE(it.is_asked_again_soon(3));
  it.confirm(1, it.n1);
  CHECK(it.rig.advance_until([&] { return it.one.seen.size() == 3; }, 700ms));
}

TEST_CASE("another epoch of the node that refused is no other leader", "[proxy][http][again]") {
  RefusingRig it;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/cubbyhole/a", "x"));
  REQUIRE(it.until_held());
  it.rig.lead(2, it.n1);
  CHECK_FALSE(it.is_asked_again_soon(2));
  it.confirm(2, it.n1);
  CHECK(it.until_has(*client, "PUT /v1/cubbyhole/a"));
}

TEST_CASE("one that has waited before goes to the next leader before those who came later", "[proxy][http][again]") {
  RefusingRig it;
  Peer* asked = nullptr;
  it.one.answer = [&](const Seen&, Peer& peer) {
    asked = &peer;
    return std::string();
  };
  it.two.answer = [](const Seen&, Peer&) { return std::string(); };
  it.rig.start();
  auto first = it.rig.client();
  first->send(put("/v1/cubbyhole/first", "x"));
  REQUIRE(it.until_held());
  it.rig.lead(1, it.n1);
  REQUIRE(it.rig.until([&] { return asked != nullptr; }));
  it.rig.no_leader(1);
  std::vector<std::unique_ptr<Peer>> others;
  for (std::size_t i = 1; i <= 4; ++i) {
    others.push_back(it.rig.client());
    others.back()->send(get("/v1/later"));
    REQUIRE(it.until_held(i));
  }
  asked->send(not_active());
  REQUIRE(it.until_held(5));
  it.rig.lead(2, it.n2);
  REQUIRE(it.rig.until([&] { return it.two.seen.size() >= 2; }));
  // Two are dialled at once, whose requests may come in either order.
  const bool is_first = it.two.seen[0].line.find("/first") != std::string::npos;
  const bool is_second = it.two.seen[1].line.find("/first") != std::string::npos;
  CHECK((is_first || is_second));
}

TEST_CASE("what a request has waited in several holds counts together", "[proxy][http][again]") {
  RefusingRig it;
  it.rig.options.hold_timeout_http = 1s;
  it.rig.start();
  auto client = it.rig.client();
  client->send(put("/v1/cubbyhole/a", "x"));
  REQUIRE(it.until_held());
  it.rig.advance(700ms);
  it.rig.lead(1, it.n1);
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  it.rig.no_leader(1);
  REQUIRE(it.until_held());
  const TimePoint again = it.rig.loop->precise_now();
  REQUIRE(it.advance_until_has(*client, "HTTP/1.1 503 "));
  CHECK(it.rig.loop->precise_now() - again == 300ms);
}

TEST_CASE("a request that a node is behind the index of goes to another leader", "[proxy][http][again]") {
  RefusingRig it;
  const auto client = hold_behind_index(it);
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "GET /v1/a"));
  CHECK(it.one.seen.size() == 1);
}

TEST_CASE("a leader that says again that it is behind the index is believed", "[proxy][http][again]") {
  RefusingRig it;
  const auto client = hold_behind_index(it);
  it.confirm(1, it.n1);
  REQUIRE(it.advance_until_has(*client, "HTTP/1.1 412 "));
  CHECK(it.one.seen.size() == 2);
}

TEST_CASE("a node that switches protocols unasked has given no answer", "[proxy][http][again]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) {
    return std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "HTTP/1.1 502 "));
  CHECK(it.counts().ambiguous == 1);
}

TEST_CASE("a replaced node that was heard since it fell silent is not given up", "[proxy][http][again]") {
  HttpRig it;
  it.rig.options.grace = 10s;
  Peer* asked = nullptr;
  it.one.answer = [&](const Seen&, Peer& peer) {
    asked = &peer;
    return std::string("HTTP/1.1 103 Early Hints\r\n\r\n");
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.until_has(*client, "103 Early Hints"));
  auto view = it.rig.view(2, it.n2);
  view.nodes[it.n1.number].silent_since = it.rig.loop->precise_now() - 10s;
  it.rig.publish(std::move(view));
  auto other = it.rig.client();
  other->send(get("/v1/b"));
  REQUIRE(it.until_has(*other, "GET /v1/b"));  // the view has come
  asked->send(HttpNode::ok("late"));
  REQUIRE(it.until_has(*client, "late"));
  CHECK(client->received.find("HTTP/1.1 502 ") == std::string::npos);
}

TEST_CASE("a connection that the node will end is not used again", "[proxy][http][again]") {
  HttpRig it;
  it.one.answer = [](const Seen& asked, Peer&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(asked.line.size()) + "\r\n\r\n" +
           asked.line;
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "GET /v1/a"));
  client->send(get("/v1/b"));
  REQUIRE(it.until_has(*client, "GET /v1/b"));
  CHECK(it.one.backend.peers.size() == 2);
}

TEST_CASE("a refused init may be asked for again", "[proxy][http][again]") {
  HttpRig it;
  it.rig.options.bootstrap = true;
  it.one.answer = [](const Seen&, Peer&) { return HttpNode::error(400, "secret_shares must be positive"); };
  it.rig.start();
  cluster::View view = it.rig.view(1, std::nullopt, cluster::HoldReason::kNoLeader);
  for (auto& node : view.nodes) node.role = cluster::Role::kUninitialized;
  it.rig.publish(std::move(view));
  auto client = it.rig.client();
  for (std::size_t times = 1; times <= 2; ++times) {
    client->received.clear();
    client->send(put("/v1/sys/init", "{}"));
    REQUIRE(it.until_has(*client, "must be positive"));
    CHECK(it.one.seen.size() == times);
  }
}

TEST_CASE("the claim of another node or epoch does not make a view fresh", "[proxy][http][again]") {
  RefusingRig it(0);
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/before"));
  REQUIRE(it.until_has(*client, "GET /v1/before"));  // the view has come
  it.rig.proxy->require_claim_since(it.rig.loop->precise_now());
  client->send(get("/v1/a"));
  REQUIRE(it.until_held());
  for (const auto& [epoch, node] : {std::pair(Epoch{1}, it.n2), std::pair(Epoch{2}, it.n1)}) {
    const std::size_t asked_before = it.rig.claims_wanted.size();
    REQUIRE(it.rig.until([&] { return !it.rig.claims_wanted.empty(); }));
    it.confirm(epoch, node);
    // It is asked for another one, and waits.
    REQUIRE(it.rig.advance_until([&] { return it.rig.claims_wanted.size() > asked_before; }));
    CHECK(it.one.seen.size() == 1);
  }
  it.confirm(1, it.n1);
  CHECK(it.until_has(*client, "GET /v1/a"));
}

TEST_CASE("the requests that wait take no more than hold_bytes, and give all of it back", "[proxy][http][again]") {
  HttpRig it;
  it.rig.options.hold_bytes = 80'000;
  it.rig.options.hold_max = 3;
  it.rig.start();
  const auto held = [&](std::size_t count) {
    return it.rig.until([&] { return it.rig.proxy->counts().held_now == count; });
  };
  const std::string request = put("/v1/a", std::string(30'000, 'x'));  // two of these fit
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 1; i <= 2; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send(request);
    REQUIRE(held(i));
  }
  for (int i = 0; i < 3; ++i) {
    auto refused = it.rig.client();
    refused->send(request);
    REQUIRE(it.until_has(*refused, "(hold_bytes)"));
  }
  clients.front()->close();
  REQUIRE(held(1));
  clients.push_back(it.rig.client());
  clients.back()->send(request);
  REQUIRE(held(2));
  it.rig.lead(1, it.n1);
  for (std::size_t i = 1; i < clients.size(); ++i) REQUIRE(it.until_has(*clients[i], "200 OK"));
  CHECK(it.rig.proxy->counts().held_bytes == 0);
}

}  // namespace bellwether::proxy
