#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "lab.h"

using namespace bellwether;
using namespace bellwether::sim;
using nlohmann::json;

TEST_CASE("a secret is read back as written, with its version", "[sim]") {
  Lab lab;
  CHECK(lab.put(0, "app/db", "x").status == 200);
  const http::Response got = lab.ask(0, "GET", "/v1/secret/data/app/db");
  CHECK(got.status == 200);
  const json body = json::parse(got.body);
  CHECK(body["data"]["data"]["v"] == "x");
  CHECK(body["data"]["metadata"]["version"] == 1);
}

TEST_CASE("a check-and-set that does not match changes nothing and says so in Vault's words", "[sim]") {
  Lab lab;
  const std::string first = R"({"options":{"cas":0},"data":{"v":"1"}})";
  CHECK(lab.ask(0, "POST", "/v1/secret/data/k", first).status == 200);
  const http::Response again = lab.ask(0, "POST", "/v1/secret/data/k", first);
  CHECK(again.status == 400);
  CHECK_THAT(again.body, CATCH_CONTAINS("check-and-set parameter did not match the current version"));
  CHECK(lab.ask(0, "PUT", "/v1/secret/data/k", R"({"options":{"cas":1},"data":{"v":"2"}})").status == 200);
  CHECK(lab.model.store().puts("k") == 2);
}

TEST_CASE("an answer may name the node that executed it, which is not always the one that was asked", "[sim]") {
  const auto executor = [](const http::Response& response) {
    return response.headers.empty() ? std::string() : response.headers.back().value;
  };
  ModelOptions options;
  options.names_itself = true;
  Lab lab(std::move(options));
  CHECK(executor(lab.ask(1, "GET", "/v1/sys/health")) == "n2");
  CHECK(executor(lab.put(1, "k", "forwarded", false)) == "n1");
  CHECK(executor(lab.put(1, "k", "redirected")) == "n2");
  CHECK(executor(lab.put(0, "k", "executed")) == "n1");
}

TEST_CASE("an older version can be asked for", "[sim]") {
  Lab lab;
  lab.put(0, "k", "old");
  lab.put(0, "k", "new");
  CHECK_THAT(lab.ask(0, "GET", "/v1/secret/data/k?version=1").body, CATCH_CONTAINS("old"));
  CHECK(lab.ask(0, "GET", "/v1/secret/data/k?version=9").status == 404);
}

TEST_CASE("a deleted secret is 404 with its metadata, an unknown one 404 without", "[sim]") {
  Lab lab;
  lab.put(0, "k", "1");
  CHECK(lab.ask(0, "DELETE", "/v1/secret/data/k").status == 204);
  const http::Response got = lab.ask(0, "GET", "/v1/secret/data/k");
  CHECK(got.status == 404);
  CHECK(json::parse(got.body)["data"]["data"].is_null());
  CHECK(lab.ask(0, "GET", "/v1/secret/data/none").body == "{\"errors\":[]}\n");
}

TEST_CASE("a patch merges into the newest version", "[sim]") {
  Lab lab;
  lab.put(0, "k", "1");
  CHECK(lab.ask(0, "PATCH", "/v1/secret/data/k", R"({"data":{"w":"2"}})").status == 200);
  CHECK(json::parse(lab.ask(0, "GET", "/v1/secret/data/k").body)["data"]["data"] == json{{"v", "1"}, {"w", "2"}});
}

TEST_CASE("keys are listed by folder, by LIST and by GET with list=true", "[sim]") {
  Lab lab;
  for (const char* key : {"a/b/c", "a/d", "e"}) lab.put(0, key, "1");
  CHECK(json::parse(lab.ask(0, "LIST", "/v1/secret/metadata").body)["data"]["keys"] == json{"a/", "e"});
  CHECK(json::parse(lab.ask(0, "GET", "/v1/secret/metadata/a?list=true").body)["data"]["keys"] == json{"b/", "d"});
  CHECK(lab.ask(0, "LIST", "/v1/secret/metadata/none").status == 404);
}

TEST_CASE("removing the metadata removes the key", "[sim]") {
  Lab lab;
  lab.put(0, "k", "1");
  CHECK(json::parse(lab.ask(0, "GET", "/v1/secret/metadata/k").body)["data"]["current_version"] == 1);
  CHECK(lab.ask(0, "DELETE", "/v1/secret/metadata/k").status == 204);
  CHECK(lab.ask(0, "GET", "/v1/secret/metadata/k").status == 404);
}

TEST_CASE("a body that is no secret is refused", "[sim]") {
  Lab lab;
  const std::string deep = R"({"data":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
  for (const std::string& body :
       {std::string(), std::string("{"), std::string(R"({"a":1})"), std::string("\xff"), deep}) {
    const http::Response answer = lab.ask(0, "PUT", "/v1/secret/data/k", body);
    CHECK(answer.status == 400);
    CHECK(answer.body == "{\"errors\":[\"no data provided\"]}\n");
  }
  CHECK(lab.ask(0, "PUT", "/v1/secret/data/k", R"({"data":{},"options":{"cas":-1}})").status == 400);
}

TEST_CASE("without the root token the answer is permission denied", "[sim]") {
  Lab lab;
  CHECK(lab.ask(0, "GET", "/v1/secret/data/k", "", {}).body == "{\"errors\":[\"permission denied\"]}\n");
  CHECK(lab.ask(0, "PUT", "/v1/sys/step-down", "", {{"X-Vault-Token", "wrong"}}).status == 403);
  CHECK(lab.model.leader() == 0);
  CHECK(lab.ask(0, "GET", "/v1/auth/token/lookup-self", "", {{"authorization", "Bearer root"}}).status == 200);
}

TEST_CASE("a standby serves reads itself, a little behind", "[sim]") {
  Lab lab;
  lab.advance(1s);
  lab.put(0, "k", "old");
  lab.advance(1s);
  lab.put(0, "k", "new");
  CHECK_THAT(lab.ask(1, "GET", "/v1/secret/data/k").body, CATCH_CONTAINS("old"));
  lab.advance(30ms);
  CHECK_THAT(lab.ask(1, "GET", "/v1/secret/data/k").body, CATCH_CONTAINS("new"));
}

TEST_CASE("without standby reads a standby redirects reads too", "[sim]") {
  ModelOptions options;
  options.standby_reads = false;
  Lab lab(options);
  const auto got = lab.ask(1, "GET", "/v1/secret/data/k?version=1", "",
                           {{"X-Vault-Token", "root"}, {"X-Vault-No-Request-Forwarding", "1"}});
  CHECK(got.status == 307);
  CHECK(Lab::location(got) == "http://n1/v1/secret/data/k?version=1");
}

TEST_CASE("a standby forwards a write to the leader, which executes it once", "[sim]") {
  Lab lab;
  CHECK(lab.put(1, "k", "1", false).status == 200);
  CHECK(lab.model.store().puts() == 1);
}

TEST_CASE("a write forwarded into a demotion is not executed", "[sim]") {
  Lab lab;
  lab.inject(0, "step-down");
  const auto write = lab.send_put(1, "k", "1", false);
  CHECK(lab.answer(write).status == 0);
  lab.advance(2s);
  CHECK((lab.answer(write).status == 307 || lab.answer(write).status == 500));
  CHECK(lab.model.store().puts() == 0);
}

TEST_CASE("health obeys the parameters that change its codes, as far as the real one does", "[sim]") {
  Lab lab;
  CHECK(lab.ask(1, "GET", "/v1/sys/health?standbyok=true").status == 200);
  CHECK(lab.ask(1, "GET", "/v1/sys/health?standbyok").status == 429);
  CHECK(lab.ask(1, "HEAD", "/v1/sys/health?standbycode=299").status == 299);
  CHECK(lab.ask(0, "GET", "/v1/sys/health?activecode=no").status == 400);
  CHECK(lab.ask(0, "POST", "/v1/sys/health").status == 405);
}

TEST_CASE("each state has its health code", "[sim]") {
  ModelOptions options;
  options.openbao = false;
  Lab lab(options);
  const std::pair<const char*, int> states[] = {{"uninitialized", 501},
                                                {"removed", 530},
                                                {"disconnected", 474},
                                                {"dr-secondary", 472},
                                                {"performance-standby", 473}};
  for (const auto& [state, code] : states) {
    lab.inject(1, state);
    CHECK(lab.health(1) == code);
    lab.inject(1, "heal");
    CHECK(lab.health(1) == 429);
  }
}

TEST_CASE("a Vault standby without a leader says 474 after ten seconds, an OpenBao one never", "[sim]") {
  for (const bool openbao : {false, true}) {
    ModelOptions options;
    options.openbao = openbao;
    options.crash_election = 60s;
    Lab lab(options);
    lab.inject(0, "crash");
    lab.advance(9s);
    CHECK(lab.health(1) == 429);
    lab.advance(2s);
    CHECK(lab.health(1) == (openbao ? 429 : 474));
  }
}

TEST_CASE("the bodies tell OpenBao from Vault", "[sim]") {
  for (const bool openbao : {false, true}) {
    ModelOptions options;
    options.openbao = openbao;
    Lab lab(options);
    const json body = json::parse(lab.ask(1, "GET", "/v1/sys/health").body);
    CHECK(body.contains("enterprise") == !openbao);
    CHECK(body["replication_performance_mode"] == (openbao ? "primary" : "disabled"));
    CHECK(json::parse(lab.ask(1, "GET", "/v1/sys/leader").body).contains("is_self") == !openbao);
  }
}

TEST_CASE("a foreign node has another cluster_id and is Vault otherwise", "[sim]") {
  Lab lab;
  const auto cluster_id = [&](int node) {
    return json::parse(lab.ask(node, "GET", "/v1/sys/health").body)["cluster_id"];
  };
  CHECK(cluster_id(0) == cluster_id(1));
  lab.inject(1, "foreign");
  CHECK(cluster_id(0) != cluster_id(1));
}

TEST_CASE("what is not Vault says a bare 429 to everything", "[sim]") {
  Lab lab;
  lab.inject(0, "not-vault");
  CHECK(lab.ask(0, "GET", "/v1/sys/health").body == "Too Many Requests\n");
  CHECK(lab.put(0, "k", "1").status == 429);
}

TEST_CASE("seal-status and leader are answered without a token", "[sim]") {
  Lab lab;
  const json seal = json::parse(lab.ask(1, "GET", "/v1/sys/seal-status", "", {}).body);
  CHECK(seal["sealed"] == false);
  CHECK(seal["storage_type"] == "raft");
  const json leader = json::parse(lab.ask(0, "GET", "/v1/sys/leader", "", {}).body);
  CHECK(leader["is_self"] == true);
  CHECK(leader["leader_address"] == "http://n1");
}

TEST_CASE("the mount at secret/ says that it is KV version 2", "[sim]") {
  Lab lab;
  const json mount = json::parse(lab.ask(0, "GET", "/v1/sys/internal/ui/mounts/secret/k").body)["data"];
  CHECK(mount["options"]["version"] == "2");
  CHECK(mount["path"] == "secret/");
  CHECK(lab.ask(0, "GET", "/v1/sys/internal/ui/mounts/none/k").status == 403);
}

TEST_CASE("the members of the cluster and its raft servers are told with who leads", "[sim]") {
  Lab lab;
  const json members = json::parse(lab.ask(0, "GET", "/v1/sys/ha-status").body);
  CHECK(members["nodes"].size() == 3);
  CHECK(members["nodes"][0]["active_node"] == true);
  const json raft = json::parse(lab.ask(0, "GET", "/v1/sys/storage/raft/configuration").body);
  CHECK(raft["data"]["config"]["servers"][0]["leader"] == true);
  CHECK(raft["data"]["config"]["servers"][2]["voter"] == true);
}

TEST_CASE("a path that nobody serves is 404", "[sim]") {
  Lab lab;
  for (const char* target : {"/v1/none", "/", "/v1/secret/", "/v1/secret/data/", "/v1/secret/other/k", "*"}) {
    CHECK(lab.ask(0, "GET", target).status == 404);
  }
}

TEST_CASE("the store keeps the last ten versions of a key", "[sim]") {
  Lab lab;
  for (int i = 1; i <= 12; ++i) lab.put(0, "k", std::to_string(i));
  CHECK(lab.ask(0, "GET", "/v1/secret/data/k?version=2").status == 404);
  CHECK(lab.ask(0, "GET", "/v1/secret/data/k?version=3").status == 200);
  CHECK(lab.model.store().puts("k") == 12);
}

TEST_CASE("parameters and escapes of a target are decoded", "[sim]") {
  const Request request{"GET", "/v1/x?a=1&list=tr%75e&b&c=%zz", {}, ""};
  CHECK(request.parameter("list") == "true");
  CHECK(request.parameter("b") == "");
  CHECK(request.parameter("c") == "%zz");
  CHECK_FALSE(request.parameter("d"));
  CHECK(request.path() == "/v1/x");
}
