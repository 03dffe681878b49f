#include "catch.hpp"
#include "lab.h"

using namespace bellwether;
using namespace bellwether::sim;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

ModelOptions with_consistency(bool missing_header_forward) {
  ModelOptions options;
  options.consistency_headers = true;
  options.missing_header_forward = missing_header_forward;
  return options;
}

std::string index_of(const http::Response& response) {
  for (const auto& header : response.headers) {
    if (header.name == "X-Vault-Index") return header.value;
  }
  return "";
}

int read_with(Lab& lab, int node, Headers headers) {
  headers.emplace_back("X-Vault-Token", "root");
  return lab.ask(node, "GET", "/v1/secret/data/k", "", headers).status;
}

}  // namespace

TEST_CASE("a standby that forwards what carries no consistency header says 200 as the leader does", "[sim]") {
  Lab lab(with_consistency(true));
  CHECK(lab.ask(1, "GET", "/v1/sys/health", "", {}).status == 200);
  CHECK(lab.ask(1, "GET", "/v1/sys/health", "", {{"X-Vault-Inconsistent", "fail"}}).status == 429);
}

TEST_CASE("a node that is behind the index refuses with 429, and has it a moment later", "[sim]") {
  Lab lab(with_consistency(false));
  const std::string index = index_of(lab.put(0, "k", "v"));
  CHECK(index == "1");
  const http::Response refused =
      lab.ask(1, "GET", "/v1/secret/data/k", "", {{"X-Vault-Index", index}, {"X-Vault-Token", "root"}});
  CHECK(refused.status == 429);
  CHECK(refused.headers.back().name == "Retry-After");
  CHECK(read_with(lab, 1, {{"X-Vault-Index", index}, {"X-Vault-Inconsistent", "forward-active-node"}}) == 200);
  CHECK(read_with(lab, 0, {{"X-Vault-Index", index}}) == 200);
  CHECK(read_with(lab, 0, {{"X-Vault-Index", index}, {"X-Vault-Index", index}}) == 400);
  lab.advance(40ms);
  CHECK(read_with(lab, 1, {{"X-Vault-Index", index}}) == 200);
}

TEST_CASE("without the option a node knows no index", "[sim]") {
  Lab lab;
  CHECK(index_of(lab.put(0, "k", "v")).empty());
  CHECK(read_with(lab, 1, {{"X-Vault-Index", "99"}}) == 404);
}
