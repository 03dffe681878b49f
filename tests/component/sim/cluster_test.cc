#include "sim_lab.h"

#include "support/paths.h"

using namespace bellwether;
using namespace bellwether::sim;
using wire::ExchangeFailure;

TEST_CASE("a crashed node refuses, and comes back on the same port as standby", "[sim]") {
  SimLab lab;
  lab.inject(0, "crash");
  CHECK(lab.ask(0, "GET", "/v1/sys/health")->failure() == ExchangeFailure::kRefused);
  REQUIRE(lab.until([&] { return lab.cluster->leader() > 0; }));
  CHECK(lab.health(lab.cluster->leader()) == 200);
  lab.inject(0, "restart");
  REQUIRE(lab.until([&] { return lab.cluster->node(0).state == "standby"; }));
  CHECK(lab.health(0) == 429);
}

TEST_CASE("a crash ends the connections of requests in flight without an answer", "[sim]") {
  SimLab lab;
  lab.inject(0, "slow", 10s);
  const auto write = lab.send(0, "PUT", "/v1/secret/data/k", R"({"data":{"v":"1"}})");
  REQUIRE(lab.until([&] { return lab.cluster->writes() == 1; }));
  lab.inject(0, "crash");
  REQUIRE(lab.until([&] { return write->ended.has_value(); }));
  CHECK((write->failure() == ExchangeFailure::kClosed || write->failure() == ExchangeFailure::kReset));
  CHECK(lab.cluster->writes("k") == 1);
}

TEST_CASE("a frozen node accepts and does not answer until it wakes", "[sim]") {
  SimLab lab;
  lab.inject(1, "hang");
  const auto health = lab.send(1, "GET", "/v1/sys/health");
  REQUIRE(lab.until([&] { return health->client->is_connected(); }));
  // The answers of a healthy node show that time for one has passed.
  for (int i = 0; i < 5; ++i) CHECK(lab.health(0) == 200);
  CHECK_FALSE(health->ended);
  lab.inject(1, "wake");
  REQUIRE(lab.until([&] { return health->ended.has_value(); }));
  CHECK(health->status() == 429);
}

TEST_CASE("a frozen leader that wakes after its successor's start tells its old 200 and then its new 429", "[sim]") {
  SimLab lab;
  lab.inject(0, "hang");
  const auto asked_before = lab.send(0, "GET", "/v1/sys/health");
  REQUIRE(lab.until([&] { return asked_before->client->is_connected(); }));
  REQUIRE(lab.until([&] { return lab.cluster->leader() > 0; }));
  CHECK_FALSE(asked_before->ended);
  lab.inject(0, "wake");
  REQUIRE(lab.until([&] { return asked_before->ended.has_value(); }));
  CHECK(asked_before->status() == 200);
  REQUIRE(lab.until([&] { return lab.cluster->node(0).state == "standby"; }));
  CHECK(lab.health(0) == 429);
}

TEST_CASE("what a leader is asked while it steps down is answered after its block, and not executed", "[sim]") {
  SimLab lab;
  CHECK(lab.ask(0, "PUT", "/v1/sys/step-down")->status() == 204);
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  const auto write = lab.send(0, "PUT", "/v1/secret/data/k", R"({"data":{"v":"1"}})");
  CHECK(lab.health(1) == 429);
  CHECK_FALSE(health->ended);
  REQUIRE(lab.until([&] { return health->ended && write->ended; }));
  CHECK(health->status() == 429);
  CHECK(write->status() == 500);
  CHECK(lab.cluster->writes() == 0);
  REQUIRE(lab.until([&] { return lab.cluster->leader() > 0; }));
  CHECK(lab.health(lab.cluster->leader()) == 200);
}

TEST_CASE("the same over TLS", "[sim]") {
  SimOptions options = SimLab::quick();
  net::TlsServerOptions server;
  server.cert_file = bellwether::testing::cert_path("common.pem");
  server.key_file = bellwether::testing::cert_path("common.key");
  const auto server_context = net::TlsContext::server(server);
  REQUIRE(server_context);
  options.tls = *server_context;
  SimLab lab(options);
  net::TlsClientOptions client;
  client.ca_file = bellwether::testing::cert_path("ca.pem");
  const auto client_context = net::TlsContext::client(client);
  REQUIRE(client_context);
  lab.tls = *client_context;

  CHECK(lab.cluster->url(0).starts_with("https://"));
  CHECK(lab.ask(0, "PUT", "/v1/secret/data/k", R"({"data":{"v":"1"}})")->status() == 200);
  CHECK(lab.health(1) == 429);
  lab.inject(0, "crash", 1ms);
  CHECK(lab.ask(0, "GET", "/v1/sys/health")->failure() == ExchangeFailure::kRefused);
  REQUIRE(lab.until([&] { return lab.cluster->node(0).state == "standby" && lab.cluster->leader() > 0; }));
  CHECK(lab.health(0) == 429);
}

TEST_CASE("a check-and-set conflict is a 400 in Vault's words", "[sim]") {
  SimLab lab;
  const std::string body = R"({"data":{"v":"1"},"options":{"cas":0}})";
  CHECK(lab.ask(0, "POST", "/v1/secret/data/k", body)->status() == 200);
  const auto again = lab.ask(0, "POST", "/v1/secret/data/k", body);
  CHECK(again->status() == 400);
  CHECK_THAT(again->body(), CATCH_CONTAINS("check-and-set parameter did not match the current version"));
  CHECK(lab.cluster->writes("k") == 1);
}

TEST_CASE("a standby's redirect names the dead leader until there is another", "[sim]") {
  SimOptions options = SimLab::quick();
  options.crash_election = 1h;
  SimLab lab(options);
  lab.inject(0, "crash");
  const auto write = lab.ask(1, "PUT", "/v1/secret/data/a%2Fb?x=1", R"({"data":{}})");
  CHECK(write->status() == 307);
  CHECK(write->header("Location") == lab.cluster->url(0) + "/v1/secret/data/a%2Fb?x=1");
}

TEST_CASE("HEAD health has the code and no body", "[sim]") {
  SimLab lab;
  const auto head = lab.ask(1, "HEAD", "/v1/sys/health");
  CHECK(head->status() == 429);
  CHECK(head->body().empty());
}

TEST_CASE("one connection carries many requests", "[sim]") {
  SimLab lab;
  const auto first = lab.ask(0, "GET", "/v1/sys/health");
  for (int i = 0; i < 10; ++i) {
    first->ended.reset();
    first->client->send(http::serialize({"GET", "/v1/sys/leader", "n1", {}, ""}), "GET",
                        [&](auto ended) { first->ended = std::move(ended); });
    REQUIRE(lab.until([&] { return first->ended.has_value(); }));
    REQUIRE(first->status() == 200);
    CHECK((*first->ended)->reused);
  }
}

TEST_CASE("a cluster whose address is taken does not start", "[sim]") {
  SimLab lab;
  SimOptions options;
  options.addresses = {lab.cluster->address(0)};
  const auto second = Cluster::start(*lab.loop, options);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, CATCH_CONTAINS(lab.cluster->address(0).to_string()));
}

TEST_CASE("a cluster of no nodes does not start", "[sim]") {
  SimLab lab;
  SimOptions options;
  options.nodes = 0;
  CHECK_FALSE(Cluster::start(*lab.loop, options));
}
