#include "admin/cluster_path.h"

#include "admin/state.h"
#include "catch.hpp"

using namespace bellwether::admin;

TEST_CASE("a path behind a cluster's prefix is taken apart, the name decoded and the rest as it is", "[admin]") {
  const auto parsed = parse_cluster_path("/clusters/eu%2F1/node/a%2Fb/drain");
  REQUIRE(parsed);
  CHECK(parsed->cluster == "eu/1");
  CHECK(parsed->rest == "/node/a%2Fb/drain");
  CHECK(parse_cluster_path("/clusters/east")->rest == "/");
  CHECK(parse_cluster_path("/clusters/east/")->rest == "/");
  CHECK(parse_cluster_path("/clusters/")->cluster == "");
}

TEST_CASE("a path without a cluster's prefix is the rest alone", "[admin]") {
  for (const char* path : {"/", "/status", "/clusters", "/clustersx/east", "", "*"}) {
    INFO(path);
    const auto parsed = parse_cluster_path(path);
    REQUIRE(parsed);
    CHECK_FALSE(parsed->cluster.has_value());
    CHECK(parsed->rest == path);
  }
}

TEST_CASE("the prefix of a cluster leads back to it", "[admin]") {
  for (const char* name : {"east", "a/b", "100%", "..", "\xc3\xa4 \"<"}) {
    CHECK(parse_cluster_path(cluster_prefix(name) + "/status")->cluster == name);
  }
  CHECK(cluster_prefix("").empty());
}

TEST_CASE("a refusal repeats no more than the beginning of a long name", "[admin]") {
  CHECK(no_such_cluster(std::string(20'000, 'x'), {"east", "west"}).size() < 200);
  CHECK(several_clusters("/node/" + std::string(20'000, 'x'), {"east", "west"}).size() < 250);
  CHECK_FALSE(parse_cluster_path("/clusters/%/status"));
}

TEST_CASE("an answer needs no more than what it is made of", "[admin]") {
  CHECK(needs_of({.rest = "/metrics"}).metrics);
  CHECK_FALSE(needs_of({.rest = "/metrics"}).views);
  CHECK_FALSE(needs_of({.rest = "/healthz"}).views);
  Needs needs = needs_of({.cluster = "east", .rest = "/status"});
  CHECK(needs.failovers);
  CHECK_FALSE(needs.ambiguous);
  CHECK_FALSE(needs.of_all_clusters);
  CHECK(needs.of_clusters == std::set<std::string>{"east"});
  needs |= needs_of({.rest = "/ambiguous"});
  CHECK(needs.ambiguous);
  CHECK(needs.of_all_clusters);
}
