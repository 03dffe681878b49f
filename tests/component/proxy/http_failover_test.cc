#include "component/proxy/http_rig.h"

namespace bellwether::proxy {

TEST_CASE("a request is held while there is no leader and sent to the new one", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "body"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  CHECK(it.rig.until([&] { return it.rig.traffic > 0; }));
  it.rig.lead(1, it.n2);
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.two.seen.size() == 1);
  CHECK(it.two.seen[0].body == "body");
  CHECK(it.counts().held == 1);
}

TEST_CASE("a held request that waits too long gets 503 with Retry-After, and the connection goes on", "[proxy][http]") {
  HttpRig it;
  it.rig.options.hold_timeout_http = 100ms;
  it.rig.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.advance(100ms - Duration(1));
  CHECK(client->received.empty());
  it.rig.advance(Duration(1));
  REQUIRE(it.until_has(*client, "{\"errors\":["));
  CHECK(client->received.starts_with("HTTP/1.1 503 "));
  CHECK_THAT(client->received, CATCH_CONTAINS("\r\nRetry-After: 1\r\n"));
  it.rig.lead(1, it.n1);
  client->send(get("/v1/b"));
  CHECK(it.until_has(*client, "GET /v1/b"));
  CHECK(it.counts().unserved == 1);
}

TEST_CASE("a client that leaves while its request is held is removed", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  client->close();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().client_gone_while_held == 1; }));
  it.rig.lead(1, it.n1);
  auto other = it.rig.client();
  other->send(get("/v1/b"));
  REQUIRE(it.until_has(*other, "GET /v1/b"));
  CHECK(it.one.seen.size() == 1);
}

TEST_CASE("node-local requests are served without a leader", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  it.rig.no_leader(0);
  auto client = it.rig.client();
  client->send(get("/v1/sys/seal-status"));
  REQUIRE(it.until_has(*client, "200 OK"));
  it.one.answer = [](const Seen&, Peer&) { return HttpNode::error(503, "Vault is sealed"); };
  client->send(get("/v1/sys/health"));
  REQUIRE(it.until_has(*client, "Vault is sealed"));
  CHECK(it.rig.proxy->counts().held_total == 0);
}

TEST_CASE("a node-local request goes on to the next node where nobody listens", "[proxy][http]") {
  HttpRig it;
  it.one.backend.stop();
  it.rig.start();
  it.rig.no_leader(0);
  auto client = it.rig.client();
  client->send(get("/v1/sys/leader"));
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("an answer that proves non-execution is swallowed and the request sent to the new leader, once",
          "[proxy][http]") {
  struct Case {
    const char* name;
    std::string answer;
    cluster::HintKind hint;
  };
  const std::string redirect =
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://other:8200/v1/cubbyhole/a\r\nContent-Length: 0\r\n\r\n";
  const std::vector<Case> cases = {
      {"307", redirect, cluster::HintKind::kRedirected},
      {"500", HttpNode::error(500, "local node not active but active cluster node not found"),
       cluster::HintKind::kNotActive},
      {"503", HttpNode::error(503, "Vault is sealed"), cluster::HintKind::kSealed}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    HttpRig it;
    it.one.answer = [&](const Seen&, Peer&) { return c.answer; };
    it.start();
    auto client = it.rig.client();
    client->send(put("/v1/cubbyhole/a", "once"));
    REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
    CHECK(client->received.empty());
    CHECK(it.rig.until([&] { return !it.rig.hints.empty() && it.rig.hints.front().kind == c.hint; }));
    it.rig.no_leader(1);
    it.rig.lead(2, it.n2);
    REQUIRE(it.until_has(*client, "200 OK"));
    CHECK(it.two.seen.size() == 1);
    CHECK(it.two.seen[0].body == "once");
    CHECK(it.one.seen.size() == 1);
    CHECK(it.counts().resent == 1);
    CHECK(it.counts().ok == 1);
  }
}

TEST_CASE("a refused connection is proof, and the request waits for a node that takes it", "[proxy][http]") {
  HttpRig it;
  it.one.backend.stop();
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return !it.rig.hints.empty(); }));
  CHECK(it.rig.hints[0].kind == cluster::HintKind::kRefused);
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("what may have been executed is never sent again", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen& seen, Peer& peer) -> std::string {
    if (seen.line.find("/lost") != std::string::npos)
      return HttpNode::error(500, "leadership lost while committing log");
    peer.abort();
    return {};
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/lost", "x"));
  REQUIRE(it.until_has(*client, "leadership lost"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  client->received.clear();
  client->send(put("/v1/cut", "x"));
  REQUIRE(it.until_has(*client, "{\"errors\":["));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  it.rig.lead(2, it.n2);
  client->send(get("/v1/next"));
  REQUIRE(it.until_has(*client, "GET /v1/next"));
  CHECK(it.one.seen.size() == 2);
  CHECK(it.two.seen.size() == 1);
  CHECK(it.counts().ambiguous == 2);
}

TEST_CASE("a body that is too big to be kept is not sent again, and the client is told that it was not executed",
          "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) {
    return HttpNode::error(500, "local node not active but active cluster node not found");
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", std::string(1024 * 1024, 'x')));
  REQUIRE(it.until_has(*client, "not executed"));
  CHECK(client->received.starts_with("HTTP/1.1 503 "));
  CHECK(it.two.seen.empty());
}

TEST_CASE("a node's own error passes", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) { return HttpNode::error(500, "1 error occurred: the plugin broke"); };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "the plugin broke"));
  CHECK(client->received.starts_with("HTTP/1.1 500 "));
  CHECK(it.counts().by_status_class[4] == 1);
}

TEST_CASE("an exchange finishes on a demoted node, its idle connections are closed, the next goes to the new leader",
          "[proxy][http]") {
  HttpRig it;
  Peer* asked = nullptr;
  it.one.answer = [&](const Seen& seen, Peer& peer) -> std::string {
    if (seen.line.find("/slow") == std::string::npos) return HttpNode::ok("idle");
    asked = &peer;
    return {};
  };
  it.start();
  auto slow = it.rig.client();
  slow->send(get("/v1/slow"));
  REQUIRE(it.rig.until([&] { return asked != nullptr; }));
  auto other = it.rig.client();
  other->send(get("/v1/x"));
  REQUIRE(it.until_has(*other, "idle"));
  it.rig.lead(2, it.n2);
  REQUIRE(it.rig.until([&] { return it.one.backend.peers[1]->is_over(); }));
  CHECK(!asked->is_over());
  asked->send(HttpNode::ok("done"));
  REQUIRE(it.until_has(*slow, "done"));
  slow->send(get("/v1/next"));
  REQUIRE(it.until_has(*slow, "GET /v1/next"));
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("an old leader that stays silent is given up after grace, and the client is told", "[proxy][http]") {
  HttpRig it;
  it.rig.options.grace = 100ms;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  REQUIRE(it.rig.advance_until([&] { return !it.rig.hints.empty(); }));
  CHECK(it.rig.hints[0].kind == cluster::HintKind::kSlow);
  it.rig.lead(2, it.n2);
  REQUIRE(it.advance_until_has(*client, "{\"errors\":["));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.two.seen.empty());
}

TEST_CASE("a pooled connection that the node closed is not used again", "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "GET /v1/a"));
  it.one.backend.peers[0]->close();
  client->send(put("/v1/b", "x"));
  REQUIRE(it.until_has(*client, "PUT /v1/b"));
  CHECK(it.one.backend.peers.size() == 2);
}

TEST_CASE("what a hung leader was asked ends with the change of leader, if it has been silent for grace by then",
          "[proxy][http]") {
  HttpRig it;
  it.rig.options.grace = 10s;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  auto view = it.rig.view(2, it.n2);
  view.nodes[it.n1.number].silent_since = it.rig.loop->precise_now() - 10s;
  it.rig.publish(std::move(view));
  REQUIRE(it.until_has(*client, "{\"errors\":["));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.two.seen.empty());
}

TEST_CASE("a leader that fell silent a moment before it was replaced has the rest of grace to answer",
          "[proxy][http]") {
  HttpRig it;
  it.rig.options.grace = 300ms;
  it.one.answer = [](const Seen&, Peer&) { return std::string(); };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/cubbyhole/a", "x"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 1; }));
  auto view = it.rig.view(2, it.n2);
  const TimePoint silent_since = it.rig.loop->precise_now() - 100ms;
  view.nodes[it.n1.number].silent_since = silent_since;
  it.rig.publish(std::move(view));
  SECTION("and does") {
    it.one.backend.peers[0]->send(HttpNode::error(503, "Vault is sealed"));
    REQUIRE(it.until_has(*client, "200 OK"));
    CHECK(it.two.seen.size() == 1);
  }
  SECTION("and does not") {
    REQUIRE(it.advance_until_has(*client, "HTTP/1.1 502 "));
    CHECK(it.rig.loop->precise_now() - silent_since >= 300ms);
  }
}

}  // namespace bellwether::proxy
