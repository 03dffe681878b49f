#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/cluster/observation.h"
#include "bellwether/config/config.h"
#include "bellwether/vault/advice.h"
#include "bellwether/vault/health.h"
#include "bellwether/wire/client.h"

namespace bellwether::app {

// What one node showed when `check --live` asked it.
struct Examined {
  std::string name;
  std::string url;
  bool tls = false;
  vault::NodeSetUp set_up;
  std::string address;                 // empty: the name did not resolve
  std::optional<std::size_t> same_as;  // the place of the node whose server this is another name of, by its address
  std::optional<wire::ExchangeError> failure;
  cluster::HealthFacts facts;
  std::optional<vault::LeaderFacts> leader;
  Duration latency{};
  std::optional<Duration> clock_ahead;  // the node's clock minus ours
};

// What is wrong, in sentences with the way out. Empty: clients would be served.
struct Diagnosis {
  std::vector<std::string> problems;  // these make the check fail
  std::vector<std::string> remarks;
};
[[nodiscard]] Diagnosis diagnose(const std::vector<Examined>& nodes, const config::Config& config);
[[nodiscard]] std::string table_of(const std::vector<Examined>& nodes, bool verified);
[[nodiscard]] nlohmann::ordered_json nodes_json(const std::vector<Examined>& nodes);

// Connects to every node and asks it, for at most as long as its timeouts allow. Turns a loop of its own.
[[nodiscard]] Result<std::vector<Examined>> examine_nodes(const config::Config& config);

}  // namespace bellwether::app
