#include "bellwether/vault/consistency.h"

#include "bellwether/vault/health.h"
#include "bellwether/vault/retry.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::vault;

namespace {

http::RequestHead request(const std::string& text) {
  http::RequestHead head;
  REQUIRE(http::parse_request_head(text, {}, head).status == http::ParseStatus::kDone);
  return head;
}

bool is_refusal(const std::string& text, bool states_index = true) {
  http::ResponseHead head;
  REQUIRE(http::parse_response_head(text, "GET", {}, head).status == http::ParseStatus::kDone);
  return says_index_not_reached(head, states_index);
}

}  // namespace

TEST_CASE("Probes keep a standby from forwarding them for want of a consistency header", "[vault][consistency]") {
  for (const std::string& probe : {health_request("a:8200", {}), leader_request("a:8200", {})}) {
    CHECK(probe.find("\r\nX-Vault-Inconsistent: fail\r\n") != std::string::npos);
    CHECK(probe.find("\r\nX-Vault-No-Request-Forwarding: true\r\n") != std::string::npos);
  }
}

TEST_CASE("A request states an index if it carries one", "[vault][consistency]") {
  const std::string with = "GET /v1/a HTTP/1.1\r\nHost: a\r\nx-vault-index: eyJ4IjoxfQ==\r\n\r\n";
  const std::string empty = "GET /v1/a HTTP/1.1\r\nHost: a\r\nX-Vault-Index:\r\n\r\n";
  CHECK(states_index(request(with)));
  CHECK_FALSE(states_index(request(empty)));
}

TEST_CASE("A 429 or 412 about the index is told from a quota's and a standby's", "[vault][consistency]") {
  const std::string openbao = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
  CHECK(is_refusal(openbao));
  CHECK(is_refusal("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(is_refusal(openbao, false));
  CHECK_FALSE(is_refusal("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n", false));
  CHECK_FALSE(is_refusal("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(
      is_refusal("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nX-Ratelimit-Limit: 5\r\nContent-Length: "
                 "0\r\n\r\n"));
  CHECK_FALSE(is_refusal("HTTP/1.1 200 OK\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("A health answer of 429 about the index states no role", "[vault][consistency]") {
  const cluster::HealthFacts facts = classify_health(429, R"({"errors":["required index has not been reached"]})");
  CHECK(facts.role == cluster::Role::kError);
  CHECK(facts.problem == "HTTP 429: required index has not been reached");
}

TEST_CASE("A request that a node refused for its index was not executed", "[vault][consistency]") {
  Attempt attempt;
  attempt.path = "/v1/a";
  Answer answer;
  answer.status = 429;
  answer.index_not_reached = true;
  const Row row = judge(attempt, answer);
  CHECK(row == Row::kIndexNotReached);
  CHECK(verdict_of(row) == Verdict::kProof);
}
