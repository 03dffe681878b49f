#include "component/proxy/http_rig.h"
#include "component/proxy/stuck_worker.h"

namespace bellwether::proxy {
namespace {

// Nobody leads; the nodes have said what they are.
void nobody_leads(HttpRig& it, cluster::Role first, cluster::Role second) {
  auto view = it.rig.view(0, std::nullopt, cluster::HoldReason::kNoLeader);
  view.nodes[0].role = first;
  view.nodes[1].role = second;
  it.rig.publish(view);
}

}  // namespace

TEST_CASE("without a leader sys/init and sys/unseal are refused at once, and the error names the way out",
          "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kUninitialized);
  for (const char* path : {"/v1/sys/init", "/v1/sys/unseal"}) {
    CAPTURE(path);
    auto client = it.rig.client();
    client->send(put(path, "{}"));
    REQUIRE(it.until_has(*client, "{\"errors\":["));
    CHECK(client->received.starts_with("HTTP/1.1 421 "));
    CHECK_THAT(client->received, CATCH_CONTAINS("own address"));
    CHECK_THAT(client->received, CATCH_CONTAINS("bootstrap"));
  }
  CHECK(it.one.seen.empty());
  CHECK(it.two.seen.empty());
  CHECK(it.counts().unserved == 2);
}

TEST_CASE("with bootstrap they go to the first node that can carry them out", "[proxy][http]") {
  HttpRig it;
  it.rig.options.bootstrap = true;
  it.rig.start();
  nobody_leads(it, cluster::Role::kUninitialized, cluster::Role::kUninitialized);
  auto client = it.rig.client();
  client->send(put("/v1/sys/init", "{\"a\":1}"));
  REQUIRE(it.until_has(*client, "PUT /v1/sys/init"));
  REQUIRE(it.one.seen.size() == 1);
  CHECK(it.one.seen[0].body == "{\"a\":1}");
  nobody_leads(it, cluster::Role::kUninitialized, cluster::Role::kSealed);
  client->send(put("/v1/sys/unseal", "{}"));
  REQUIRE(it.until_has(*client, "PUT /v1/sys/unseal"));
  CHECK(it.two.seen.size() == 1);
  // What it has done to the node is worth a look.
  CHECK(it.rig.until([&] { return !it.rig.hints.empty(); }));
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kSealed);
  client->received.clear();
  client->send(put("/v1/sys/unseal", "{}"));
  REQUIRE(it.until_has(*client, "PUT /v1/sys/unseal"));
  CHECK(it.one.seen.size() == 2);
}

TEST_CASE("with bootstrap and no node that can carry it out, the client is told to come again", "[proxy][http]") {
  HttpRig it;
  it.rig.options.bootstrap = true;
  it.rig.start();
  nobody_leads(it, cluster::Role::kStandby, cluster::Role::kSilent);
  auto client = it.rig.client();
  client->send(put("/v1/sys/unseal", "{}"));
  REQUIRE(it.until_has(*client, "no node that says sealed"));
  CHECK(client->received.starts_with("HTTP/1.1 503 "));
}

TEST_CASE("an init that is not begun is told with its cause, what to do, and an id", "[proxy][http]") {
  HttpRig it;
  it.rig.options.bootstrap = true;
  it.rig.start();
  nobody_leads(it, cluster::Role::kUninitialized, cluster::Role::kSilent);
  auto client = it.rig.client();
  client->send(put("/v1/sys/init", "{}"));
  REQUIRE(it.until_has(*client, "HTTP/1.1 503 "));
  REQUIRE(it.until_has(*client, "nothing was initialized: "));
  CHECK_THAT(client->received, CATCH_CONTAINS("The request was not executed: it can be sent again. (request id "));
  CHECK_THAT(client->received, CATCH_CONTAINS("Bellwether-Request-Id: "));
  CHECK(it.one.seen.empty());
}

TEST_CASE("a node that refuses the connection is passed over for the next in that role", "[proxy][http]") {
  HttpRig it;
  it.rig.options.bootstrap = true;
  it.one.backend.stop();
  it.rig.start();
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kSealed);
  auto client = it.rig.client();
  client->send(put("/v1/sys/unseal", "{}"));
  REQUIRE(it.until_has(*client, "PUT /v1/sys/unseal"));
  CHECK(it.two.seen.size() == 1);
}

TEST_CASE("a leader gets sys/init and sys/unseal like any other request", "[proxy][http]") {
  HttpRig it;
  it.start();
  auto client = it.rig.client();
  client->send(put("/v1/sys/init", "{}"));
  REQUIRE(it.until_has(*client, "PUT /v1/sys/init"));
  CHECK(it.one.seen.size() == 1);
}

TEST_CASE("a connection may end in the very step that uses up its turn", "[proxy][http]") {
  HttpRig it;
  StuckWorker worker(it.rig);
  it.rig.start();
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kSealed);
  // A turn has room for 15 answers of our own. The worker finds the requests and the client's end at once.
  const int requests = GENERATE(14, 15, 16);
  std::string bytes;
  for (int i = 1; i < requests; ++i) bytes += "PUT /v1/sys/unseal HTTP/1.1\r\nHost: a\r\n\r\n";
  bytes += "PUT /v1/sys/unseal HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  auto client = it.rig.client();
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().sessions_now == 1; }));
  worker.make_stuck();
  client->send(bytes);
  client->finish();
  worker.release();
  REQUIRE(it.rig.until([&] { return client->is_over(); }));
  CHECK(it.counts().unserved == static_cast<std::uint64_t>(requests));
  auto next = it.rig.client();
  next->send(get("/v1/sys/health"));
  REQUIRE(it.until_has(*next, "GET /v1/sys/health"));
}

TEST_CASE("one that waited to hear of a leader is refused once there is none", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  auto client = it.rig.client();
  client->send(put("/v1/sys/unseal", "{}"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kSealed);
  REQUIRE(it.until_has(*client, "HTTP/1.1 421 "));
  CHECK(it.rig.proxy->counts().held_now == 0);
}

TEST_CASE("whether the cluster is initialized is answered without a leader", "[proxy][http]") {
  HttpRig it;
  it.rig.start();
  nobody_leads(it, cluster::Role::kSealed, cluster::Role::kSealed);
  auto client = it.rig.client();
  client->send(get("/v1/sys/init"));
  REQUIRE(it.until_has(*client, "GET /v1/sys/init"));
}

}  // namespace bellwether::proxy
