#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/reference.h"
#include "app/doctor/finding.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "bellwether/config/reference.h"
#include "catch.hpp"
#include "support/paths.h"

// Files of the repository that are derived from the option table or say what the parser answers. To write them anew
// after a change: BELLWETHER_REWRITE=1 build/dev/bin/unit_tests "[reference],[broken]", then read the difference.

using namespace bellwether;
using namespace bellwether::config;

namespace {

const std::filesystem::path kRoot = testing::source_dir();

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void expect_file(const std::filesystem::path& path, const std::string& text) {
  INFO(path << " differs; see the top of this test for how to write it anew");
  if (std::getenv("BELLWETHER_REWRITE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  CHECK(read(path) == text);
}

Loaded load_file(const std::filesystem::path& path) {
  Sources sources;
  sources.file = File{path.filename().string(), read(path)};
  return load(sources);
}

}  // namespace

TEST_CASE("conf/bellwether.json is what the option table says, and every option in it has its default",
          "[config][reference]") {
  expect_file(kRoot / "conf/bellwether.json", example_file());
  const Loaded loaded = load_file(kRoot / "conf/bellwether.json");
  REQUIRE(loaded.problems.empty());
  for (const Option& option : options()) {
    INFO(option.key);
    if (option.key != "nodes") CHECK(value_text(option, loaded.config) == default_text(option));
  }
}

TEST_CASE("conf/bellwether.schema.json is what the option table says", "[config][reference]") {
  expect_file(kRoot / "conf/bellwether.schema.json", json_schema());
}

TEST_CASE("conf/REFERENCE.md is what the tables of options, exit codes and metrics say", "[config][reference]") {
  expect_file(kRoot / "conf/REFERENCE.md", app::reference_markdown());
}

TEST_CASE("conf/FINDINGS.md is what the table of findings says", "[config][reference]") {
  expect_file(kRoot / "conf/FINDINGS.md", app::findings_markdown());
}

TEST_CASE("conf/minimal.json is fine", "[config]") {
  const Loaded loaded = load_file(kRoot / "conf/minimal.json");
  CHECK(loaded.problems.empty());
  CHECK(loaded.hints.empty());
  CHECK(loaded.config.nodes.size() == 3);
}

TEST_CASE("the example of two clusters is fine, and is the one in the reference", "[config][reference]") {
  expect_file(kRoot / "conf/two-clusters.json", std::string(two_clusters_example()));
  CHECK(app::reference_markdown().find(two_clusters_example()) != std::string::npos);
  const Loaded loaded = load_file(kRoot / "conf/two-clusters.json");
  CHECK(loaded.problems.empty());
  CHECK(loaded.hints.empty());
  REQUIRE(loaded.config.clusters.size() == 2);
  for (const Config& each : loaded.config.clusters) CHECK(each.listen.size() == 1);
}

TEST_CASE("an editor takes a service as a node, but not as the address that clients are sent to",
          "[config][reference]") {
  const nlohmann::json schema = nlohmann::json::parse(json_schema());
  const nlohmann::json& node = schema.at("/properties/nodes/items/anyOf"_json_pointer);
  const std::string http = "[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$";
  CHECK(node[0]["pattern"] == "^([Ss][Rr][Vv]\\+)?" + http);
  CHECK(node[1]["properties"]["url"]["pattern"] == "^([Ss][Rr][Vv]\\+)?" + http);
  CHECK(node[1]["properties"]["public_address"]["pattern"] == "^" + http);
}

TEST_CASE("an editor takes in an object of clusters what the parser takes", "[config][reference]") {
  const nlohmann::json schema = nlohmann::json::parse(json_schema());
  const nlohmann::json& cluster = schema.at("/properties/clusters/items/properties"_json_pointer);
  CHECK(cluster.size() == cluster_keys().size());
  for (const std::string_view key : cluster_keys()) {
    INFO(key);
    CHECK(cluster.contains(std::string(key)));
  }
  const nlohmann::json& listener = schema.at("/properties/listen/anyOf/1/properties"_json_pointer);
  CHECK(listener.size() == listener_keys().size());
  CHECK(listener.contains("cluster"));
}

TEST_CASE("every broken example gets the diagnostics that stand beside it", "[config][broken]") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "tests/e2e/broken")) {
    if (entry.path().extension() != ".json") continue;
    ++seen;
    std::string text;
    for (const Problem& each : load_file(entry.path()).problems) text += each.to_string() + "\n";
    expect_file(std::filesystem::path(entry.path()).replace_extension(".expected"), text);
    CHECK_FALSE(text.empty());
  }
  CHECK(seen >= 10);
}
