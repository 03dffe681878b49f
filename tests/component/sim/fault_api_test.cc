#include <nlohmann/json.hpp>

#include "app/demo/fault_api.h"
#include "sim_lab.h"

using namespace bellwether;
using namespace bellwether::sim;
using nlohmann::json;

namespace {

// A quick cluster with the fault API in front of it.
struct FaultLab : SimLab {
  FaultLab() {
    auto listening = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
    REQUIRE(listening);
    api.emplace(*loop, *cluster, std::move(*listening));
    api_address = *net::Address::parse(api->url().substr(std::string("http://").size()));
  }
  std::shared_ptr<Asked> call(const std::string& method, const std::string& target) {
    auto asked = send(api_address, {method, target, "", {}, ""});
    REQUIRE(until([&] { return asked->ended.has_value(); }));
    return asked;
  }
  std::optional<app::FaultApi> api;
  net::Address api_address;
};

}  // namespace

TEST_CASE("the fault API makes a fault at the leader, and tells how each node is", "[sim][app]") {
  FaultLab lab;
  CHECK(json::parse(lab.call("GET", "/nodes")->body())["leader"] == "n1");
  CHECK(lab.call("POST", "/node/leader/crash")->status() == 200);
  const json nodes = json::parse(lab.call("GET", "/nodes")->body());
  CHECK(nodes["leader"].is_null());
  CHECK(nodes["nodes"][0]["state"] == "stopped");
  CHECK(nodes["nodes"][1]["state"] == "standby");
}

TEST_CASE("the fault API takes a duration after which the fault is over", "[sim][app]") {
  FaultLab lab;
  CHECK(lab.call("POST", "/node/2/hang?for=20ms")->status() == 200);
  CHECK(lab.cluster->node(1).state == "frozen");
  CHECK(lab.until([&] { return lab.cluster->node(1).state == "standby"; }));
}

TEST_CASE("the fault API counts the writes that were executed", "[sim][app]") {
  FaultLab lab;
  lab.ask(0, "PUT", "/v1/secret/data/a/b", R"({"data":{}})");
  lab.ask(0, "PUT", "/v1/secret/data/a/b", R"({"data":{}})");
  CHECK(json::parse(lab.call("GET", "/writes/a/b")->body())["writes"] == 2);
  CHECK(json::parse(lab.call("GET", "/writes")->body())["writes"] == 2);
}

TEST_CASE("the fault API says what is wrong with a request", "[sim][app]") {
  FaultLab lab;
  CHECK_THAT(lab.call("POST", "/node/n9/crash")->body(), CATCH_CONTAINS("no node n9"));
  CHECK_THAT(lab.call("POST", "/node/n1/crush")->body(), CATCH_CONTAINS("did you mean \\\"crash\\\""));
  CHECK_THAT(lab.call("POST", "/node/n2/step-down")->body(), CATCH_CONTAINS("n2 does not lead"));
  CHECK(lab.call("POST", "/node/n2/hang?for=soon")->status() == 400);
  CHECK(lab.call("GET", "/node/n1/crash")->status() == 404);
  CHECK(lab.call("POST", "/")->status() == 404);
  CHECK(lab.cluster->leader() == 0);
}
