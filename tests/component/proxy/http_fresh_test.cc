#include "bellwether/vault/retry.h"
#include "component/proxy/http_rig.h"

namespace bellwether::proxy {
namespace {

struct FreshRig : HttpRig {
  FreshRig() { rig.options.listeners[0].fresh = true; }
  [[nodiscard]] bool until_asked(std::size_t times = 1) {
    return rig.until([&] { return rig.claims_wanted.size() >= times; });
  }
  // The node says that it leads, in answer to what it was asked now.
  void confirm(Epoch epoch, NodeId node) { rig.proxy->confirm({node, epoch, rig.loop->precise_now()}); }
};

}  // namespace

TEST_CASE("an answer waits until the leader has confirmed itself, whatever the method", "[proxy][http]") {
  for (const char* method : {"GET", "LIST", "SCAN", "HEAD", "POST", "PUT", "PATCH", "DELETE", "X"}) {
    CAPTURE(method);
    FreshRig it;
    it.start();
    auto client = it.rig.client();
    client->send(std::string(method) + " /v1/a HTTP/1.1\r\nHost: v\r\n\r\n");
    REQUIRE(it.until_asked());
    CHECK(client->received.empty());
    it.confirm(1, it.n1);
    REQUIRE(it.until_has(*client, "200 OK"));
    CHECK(it.one.seen.size() == 1);
  }
}

TEST_CASE("a claim that was asked for before the answer came confirms nothing", "[proxy][http]") {
  FreshRig it;
  it.start();
  const TimePoint before = it.rig.loop->precise_now();
  it.rig.advance(1ms);
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  CHECK(it.rig.claims_wanted[0] > before);
  it.rig.proxy->confirm({it.n1, 1, before});
  // Nor does one of another epoch, or of another node: there is asked again.
  it.confirm(2, it.n1);
  REQUIRE(it.until_asked(2));
  it.confirm(1, it.n2);
  REQUIRE(it.until_asked(3));
  CHECK(client->received.empty());
  it.confirm(1, it.n1);
  REQUIRE(it.until_has(*client, "200 OK"));
}

TEST_CASE("one claim serves all that wait, and only one is asked for at a time", "[proxy][http]") {
  FreshRig it;
  it.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(it.rig.client());
    clients.back()->send(get("/v1/" + std::to_string(i)));
  }
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 20; }));
  REQUIRE(it.until_asked());
  CHECK(it.rig.claims_wanted.size() == 1);
  it.confirm(1, it.n1);
  const auto all_have_theirs = [&] {
    return std::all_of(clients.begin(), clients.end(), [](const auto& c) { return !c->received.empty(); });
  };
  // Of those whose answer came after that claim: they ask once more, together.
  CHECK(it.rig.until([&] {
    if (it.rig.claims_wanted.size() >= 2) it.confirm(1, it.n1);
    return all_have_theirs();
  }));
  CHECK(it.rig.claims_wanted.size() < clients.size());
}

TEST_CASE("an answer of a node that has lost the lead is not passed on, and not asked for again", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  SECTION("nobody leads") { it.rig.no_leader(1); }
  SECTION("another leads") { it.rig.lead(2, it.n2); }
  SECTION("it leads again: in between it may not have") { it.rig.lead(2, it.n1); }
  REQUIRE(it.until_has(*client, "not confirmed"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.one.seen.size() + it.two.seen.size() == 1);
  CHECK(it.counts().ambiguous == 1);
  CHECK(it.counts().rows[static_cast<std::size_t>(vault::Row::kUnconfirmed)] == 1);
}

TEST_CASE("an answer that waited in vain keeps none of those behind it waiting", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  it.rig.lead(2, it.n1);
  REQUIRE(it.until_has(*client, "not confirmed"));
  auto other = it.rig.client();
  other->send(get("/v1/b"));
  REQUIRE(it.rig.until([&] { return it.one.seen.size() == 2; }));
  CHECK(it.rig.until([&] {
    it.confirm(2, it.n1);
    return !other->received.empty();
  }));
  CHECK(other->received.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a leader that does not confirm itself in time costs the ambiguous error", "[proxy][http]") {
  FreshRig it;
  it.rig.options.grace = 100ms;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  it.rig.advance(100ms - Duration(1));
  CHECK(client->received.empty());
  it.rig.advance(Duration(1));
  REQUIRE(it.until_has(*client, "not confirmed"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  client->received.clear();
  client->send(get("/v1/sys/health"));
  CHECK(it.until_has(*client, "GET /v1/sys/health"));
}

TEST_CASE("a write without a confirmation is told as perhaps executed, and not sent again", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/auth/token/revoke", "x"));
  REQUIRE(it.until_asked());
  it.rig.lead(2, it.n2);
  REQUIRE(it.until_has(*client, "what it wrote may stand"));
  CHECK(client->received.starts_with("HTTP/1.1 502 "));
  CHECK(it.one.seen.size() + it.two.seen.size() == 1);
  CHECK(it.counts().ambiguous == 1);
}

TEST_CASE("new versions of secrets, node-local requests, endless streams and 5xx need no confirmation",
          "[proxy][http]") {
  FreshRig it;
  it.one.answer = [](const Seen& asked, Peer&) {
    if (asked.line.find("/broken") != std::string::npos) return HttpNode::error(500, "1 error occurred: it broke");
    if (asked.line.starts_with("PUT")) return HttpNode::ok(R"({"data":{"created_time":"x","version":2}})");
    return HttpNode::ok(asked.line);
  };
  it.start();
  auto client = it.rig.client();
  for (const std::string& request :
       {put("/v1/secret/data/a", "x"), get("/v1/sys/health"), get("/v1/sys/monitor"), get("/v1/broken")}) {
    CAPTURE(request);
    client->received.clear();
    client->send(request);
    REQUIRE(it.until_has(*client, "HTTP/1.1 "));
  }
  CHECK(it.rig.claims_wanted.empty());
}

TEST_CASE("a secret whose name ends like a stream's path is confirmed as any other", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/sys/monitor"));
  REQUIRE(it.until_asked());
  CHECK(client->received.empty());
  it.confirm(1, it.n1);
  REQUIRE(it.until_has(*client, "200 OK"));
}

TEST_CASE("404 and 403 wait too: a node that is behind knows no key and no token yet", "[proxy][http]") {
  for (const int status : {403, 404}) {
    FreshRig it;
    it.one.answer = [&](const Seen&, Peer&) { return HttpNode::error(status, "x"); };
    it.start();
    auto client = it.rig.client();
    client->send(get("/v1/a"));
    REQUIRE(it.until_asked());
    CHECK(client->received.empty());
    it.confirm(1, it.n1);
    REQUIRE(it.until_has(*client, "HTTP/1.1 " + std::to_string(status)));
  }
}

TEST_CASE("of a big answer no more than the buffers is taken before it is confirmed", "[proxy][http]") {
  FreshRig it;
  const std::string big(8 * 1024 * 1024, 'b');
  Peer* node = nullptr;
  it.one.answer = [&](const Seen&, Peer& peer) {
    node = &peer;
    return HttpNode::ok(big);
  };
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  CHECK(client->received.empty());
  it.confirm(1, it.n1);
  REQUIRE(it.rig.until([&] { return client->received.size() > big.size(); }));
  CHECK(client->received.ends_with(big.substr(0, 100)));
}

TEST_CASE("a client that leaves while its answer waits leaves nothing behind", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  client->abort();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 0; }));
  it.confirm(1, it.n1);
  auto other = it.rig.client();
  other->send(get("/v1/sys/health"));
  CHECK(it.until_has(*other, "GET /v1/sys/health"));
  CHECK(it.counts().client_gone == 1);
}

TEST_CASE("an answer waits through a suspicion that ends well", "[proxy][http]") {
  FreshRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_asked());
  it.rig.publish(it.rig.suspect(1, it.n1));
  it.rig.lead(1, it.n1);
  it.confirm(1, it.n1);
  REQUIRE(it.until_has(*client, "200 OK"));
}

TEST_CASE("without fresh nothing waits", "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(get("/v1/a"));
  REQUIRE(it.until_has(*client, "200 OK"));
  CHECK(it.rig.claims_wanted.empty());
}

TEST_CASE("after a proof the same node is asked again once it has claimed when asked after it", "[proxy][http]") {
  HttpRig it;
  int refusals = 1;
  it.one.answer = [&](const Seen& asked, Peer&) {
    if (refusals-- > 0) return HttpNode::error(500, "local node not active but active cluster node not found");
    return HttpNode::ok(asked.line);
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return !it.rig.claims_wanted.empty(); }));
  CHECK(it.one.seen.size() == 1);
  const TimePoint asked = it.rig.loop->precise_now();
  it.rig.proxy->confirm({it.n1, 1, asked});
  REQUIRE(it.advance_until_has(*client, "PUT /v1/a"));
  // Long before the second that it waits where nothing is known.
  CHECK(it.rig.loop->precise_now() - asked < 900ms);
}

TEST_CASE("a newer view alone is no reason to ask a node again that has refused", "[proxy][http]") {
  HttpRig it;
  it.one.answer = [](const Seen&, Peer&) {
    return HttpNode::error(500, "local node not active but active cluster node not found");
  };
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/a", "x"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  it.rig.lead(1, it.n1);  // the same epoch, another serial
  it.rig.advance(200ms);
  CHECK(it.one.seen.size() == 1);
  it.rig.lead(2, it.n2);
  CHECK(it.until_has(*client, "PUT /v1/a"));
}

}  // namespace bellwether::proxy
