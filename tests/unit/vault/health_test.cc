#include "bellwether/vault/health.h"

#include <fmt/format.h>

#include "bellwether/http/head.h"
#include "catch.hpp"

using namespace bellwether;
using cluster::HealthFacts;
using cluster::Role;
using vault::classify_health;

namespace {

// Field sets as src/vault/FACTS.md 1 lists them: OpenBao 2.6 has neither performance_standby nor enterprise.
struct Body {
  bool initialized = true;
  bool sealed = false;
  bool standby = false;
  bool performance_standby = false;
  std::string performance_mode = "disabled";
  std::string dr_mode = "disabled";
  bool removed = false;
};

std::string identity(const Body& body) {
  return body.sealed || !body.initialized ? "" : R"(,"cluster_name":"vault-cluster-1","cluster_id":"id-1")";
}

std::string vault_body(const Body& body) {
  return fmt::format(
      R"({{"initialized":{},"sealed":{},"standby":{},"performance_standby":{},"replication_performance_mode":"{}",)"
      R"("replication_dr_mode":"{}","server_time_utc":1795227319,"version":"1.21.2+ent","enterprise":true{},)"
      R"("echo_duration_ms":0,"clock_skew_ms":0,"removed_from_cluster":{},"license":{{"state":"autoloaded"}}}})",
      body.initialized, body.sealed, body.standby, body.performance_standby, body.performance_mode, body.dr_mode,
      identity(body), body.removed);
}

std::string openbao_body(const Body& body) {
  return fmt::format(R"({{"initialized":{},"sealed":{},"standby":{},"replication_performance_mode":"primary",)"
                     R"("replication_dr_mode":"disabled","server_time_utc":1795227319,"version":"2.6.2"{}}})",
                     body.initialized, body.sealed, body.standby, identity(body));
}

void check_role(int status, const std::string& body, Role role) {
  CAPTURE(status, body);
  const HealthFacts facts = classify_health(status, body);
  CHECK(static_cast<int>(facts.role) == static_cast<int>(role));
  CHECK(facts.status == status);
  CHECK(facts.problem.empty());
}

void check_error(int status, const std::string& body, const std::string& problem) {
  CAPTURE(status, body);
  const HealthFacts facts = classify_health(status, body);
  CHECK(static_cast<int>(facts.role) == static_cast<int>(Role::kError));
  CHECK_THAT(facts.problem, CATCH_CONTAINS(problem));
}

}  // namespace

TEST_CASE("200 is the active node", "[vault]") {
  check_role(200, vault_body({}), Role::kActive);
  check_role(200, openbao_body({}), Role::kActive);
}

TEST_CASE("200 of a performance replication secondary is an active node all the same", "[vault]") {
  check_role(200, vault_body({.performance_mode = "secondary"}), Role::kActive);
}

TEST_CASE("429 with the health body is a standby", "[vault]") {
  check_role(429, vault_body({.standby = true}), Role::kStandby);
  check_role(429, openbao_body({.standby = true}), Role::kStandby);
}

TEST_CASE("472 is a DR secondary, whether active or standby in its own cluster", "[vault]") {
  check_role(472, vault_body({.dr_mode = "secondary"}), Role::kDrSecondary);
  check_role(472, vault_body({.standby = true, .dr_mode = "secondary"}), Role::kDrSecondary);
}

TEST_CASE("473 is a performance standby", "[vault]") {
  check_role(473, vault_body({.standby = true, .performance_standby = true}), Role::kPerformanceStandby);
}

TEST_CASE("474 is a standby that cannot reach its active node", "[vault]") {
  check_role(474, vault_body({.standby = true}), Role::kDisconnected);
}

TEST_CASE("501 is not initialized", "[vault]") {
  check_role(501, vault_body({.initialized = false, .sealed = true, .standby = true}), Role::kUninitialized);
  check_role(501, openbao_body({.initialized = false, .sealed = true, .standby = true}), Role::kUninitialized);
}

TEST_CASE("503 with the health body is sealed, though it says standby too", "[vault]") {
  check_role(503, vault_body({.sealed = true, .standby = true}), Role::kSealed);
  check_role(503, openbao_body({.sealed = true, .standby = true}), Role::kSealed);
}

TEST_CASE("530 is removed from the raft cluster, sealed or not", "[vault]") {
  check_role(530, vault_body({.removed = true}), Role::kRemoved);
  check_role(530, vault_body({.sealed = true, .standby = true, .removed = true}), Role::kRemoved);
}

TEST_CASE("A quota's 429 is no standby", "[vault]") {
  check_error(429, R"({"errors":["request path \"sys/health\": rate limit quota exceeded"]})",
              "rate limit quota exceeded");
}

TEST_CASE("A bare 429 or 503 of something in between is neither standby nor sealed", "[vault]") {
  for (const int status : {429, 503}) {
    check_error(status, "", "without a body");
    check_error(status, "<html>no server is available</html>", "not JSON");
    check_error(status, "{}", "not Vault's health");
    check_error(status, "[true]", "not Vault's health");
  }
  check_error(503, R"({"errors":["Vault is sealed"]})", "Vault is sealed");
}

TEST_CASE("A bare 200 is no leader", "[vault]") {
  check_error(200, "OK", "not JSON");
  check_error(200, "", "without a body");
  check_error(200, R"({"initialized":true,"sealed":false})", "not Vault's health");
}

TEST_CASE("A 200 whose body says otherwise is no leader", "[vault]") {
  check_error(200, vault_body({.sealed = true}), "sealed or not initialized");
  check_error(200, vault_body({.initialized = false}), "sealed or not initialized");
  check_error(200, openbao_body({.standby = true}), "body says standby");
  check_error(200, vault_body({.performance_standby = true}), "performance standby");
  check_error(200, vault_body({.dr_mode = "secondary"}), "DR secondary");
  check_error(200, vault_body({.removed = true}), "removed from cluster");
}

TEST_CASE("A denial whose body says otherwise is an error", "[vault]") {
  check_error(429, vault_body({}), "body does not");
  check_error(429, vault_body({.sealed = true, .standby = true}), "body does not");
  check_error(474, vault_body({}), "body does not");
  check_error(503, vault_body({}), "does not say sealed");
  check_error(501, vault_body({}), "says initialized");
  check_error(472, vault_body({.sealed = true}), "DR secondary");
  check_error(473, vault_body({.sealed = true}), "performance standby");
}

TEST_CASE("Every other code is an error that names itself", "[vault]") {
  for (const int status : {100, 204, 299, 301, 307, 400, 404, 405, 500, 502, 504, 999}) {
    check_error(status, vault_body({}), std::to_string(status));
    check_error(status, R"({"errors":[]})", std::to_string(status));
  }
  check_error(400, R"({"errors":["missing x-forwarded-for header and configured to reject when not present"]})",
              "missing x-forwarded-for");
}

TEST_CASE("A health answer tells cluster, version and clock", "[vault]") {
  const HealthFacts facts = classify_health(200, openbao_body({}));
  CHECK(facts.cluster_id == "id-1");
  CHECK(facts.cluster_name == "vault-cluster-1");
  CHECK(facts.version == "2.6.2");
  CHECK(facts.server_time_utc == 1795227319);
  CHECK(classify_health(503, openbao_body({.sealed = true, .standby = true})).cluster_id.empty());
}

TEST_CASE("Fields of the wrong type count as absent", "[vault]") {
  check_error(200, R"({"initialized":"true","sealed":false,"standby":false})", "not Vault's health");
  check_error(200, R"({"initialized":1,"sealed":0,"standby":0})", "not Vault's health");
  check_error(200, R"({"initialized":null,"sealed":false,"standby":false})", "not Vault's health");
  const HealthFacts facts = classify_health(
      200,
      R"({"initialized":true,"sealed":false,"standby":false,"cluster_id":7,"version":null,"server_time_utc":1.5})");
  CHECK(facts.role == Role::kActive);
  CHECK(facts.cluster_id.empty());
  CHECK(facts.version.empty());
  CHECK_FALSE(facts.server_time_utc);
  const HealthFacts large = classify_health(
      200, R"({"initialized":true,"sealed":false,"standby":false,"server_time_utc":18446744073709551615})");
  CHECK_FALSE(large.server_time_utc);
}

TEST_CASE("Garbage of any kind is an error, never a crash", "[vault]") {
  check_error(200, std::string(200'000, '['), "not JSON");
  check_error(200, "{\"a\":" + std::string(100'000, '{'), "not JSON");
  check_error(200, std::string("\0\xff\xfe", 3), "not JSON");
  check_error(200, "{\"initialized\":true,\"sealed\":false,\"standby\":false", "not JSON");
  check_error(503, R"({"errors":[7]})", "HTTP 503");
  check_error(503, R"({"errors":"x"})", "HTTP 503");
  const HealthFacts shown = classify_health(503, R"({"errors":["a\nb\u0000"]})");
  CHECK(shown.problem == "HTTP 503: a?b?");
}

TEST_CASE("The probe asks for the node's own words", "[vault]") {
  const std::string text = vault::health_request("vault1:8200", {{"X-Forwarded-For", "10.0.0.1"}});
  http::RequestHead head;
  REQUIRE(http::parse_request_head(text, {}, head).status == http::ParseStatus::kDone);
  CHECK(head.method == "GET");
  CHECK(head.target == "/v1/sys/health");
  CHECK(head.host == "vault1:8200");
  CHECK(head.header("X-Vault-No-Request-Forwarding"));
  CHECK(head.header("X-Forwarded-For") == "10.0.0.1");
  CHECK_FALSE(head.header("X-Vault-Token"));
  CHECK_FALSE(head.header("X-Vault-Namespace"));
  CHECK_THAT(vault::leader_request("a", {}), CATCH_CONTAINS("GET /v1/sys/leader HTTP/1.1\r\n"));
}

TEST_CASE("What a node says about the leader is read in Vault's and in OpenBao's spelling", "[vault]") {
  const auto full = vault::parse_leader(
      200,
      R"({"ha_enabled":true,"is_self":true,"active_time":"x","leader_address":"https://a:8200","leader_cluster_address":"b"})");
  REQUIRE(full);
  CHECK(full->ha_enabled);
  CHECK(full->is_self);
  CHECK(full->leader_address == "https://a:8200");
  const auto brief = vault::parse_leader(200, R"({"ha_enabled":true})");
  REQUIRE(brief);
  CHECK_FALSE(brief->is_self);
  CHECK(brief->leader_address.empty());
}

TEST_CASE("No statement about the leader is made from anything else", "[vault]") {
  CHECK(vault::parse_leader(503, R"({"errors":["Vault is sealed"]})").error().kind == ErrorKind::kUnavailable);
  CHECK(vault::parse_leader(200, "<html>").error().kind == ErrorKind::kProtocol);
  CHECK(vault::parse_leader(200, R"({"ha_enabled":"yes"})").error().kind == ErrorKind::kProtocol);
}

TEST_CASE("sys/leader states the raft log where there is one", "[vault]") {
  const auto raft =
      vault::parse_leader(200, R"({"ha_enabled":true,"raft_committed_index":70,"raft_applied_index":69})");
  REQUIRE(raft);
  CHECK(raft->raft_committed_index == 70);
  CHECK(raft->raft_applied_index == 69);
  const auto other = vault::parse_leader(200, R"({"ha_enabled":true,"raft_committed_index":"many"})");
  REQUIRE(other);
  CHECK_FALSE(other->raft_committed_index);
  CHECK_FALSE(other->raft_applied_index);
}

TEST_CASE("an api_addr leads to a host and a port, or nowhere", "[vault]") {
  const auto origin = [](std::string_view url) {
    const auto found = vault::api_origin(url);
    return found ? found->host + " " + std::to_string(found->port) : std::string();
  };
  CHECK(origin("https://vault1:8200") == "vault1 8200");
  CHECK(origin("http://[fd00::1]:8200/") == "[fd00::1] 8200");
  CHECK(origin("https://vault1") == "vault1 443");
  for (const auto* text : {"", "vault1:8200", "https://", "https://vault1:0", "https://vault1:99999",
                           "https://vault1:82x", "ftp://vault1:8200"}) {
    INFO(text);
    CHECK(origin(text).empty());
  }
}
