#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/doctor/examined.h"
#include "app/doctor/finding.h"
#include "bellwether/config/load.h"
#include "commands.h"

namespace bellwether::app {

// What `check` found of one cluster.
struct ClusterReport {
  std::string name;             // empty in a configuration without `clusters`
  bool verify = true;           // the certificates of its nodes
  Diagnosis files;              // of certificates, keys and names
  std::vector<Examined> nodes;  // --live
  Diagnosis live;

  [[nodiscard]] bool is_fine() const { return files.is_fine() && live.is_fine(); }
};

// What `check` found beyond the configuration's own problems.
struct CheckReport {
  // With `clusters`: of the process, and what all clusters have alike. Empty without.
  Diagnosis files;
  Diagnosis live;
  std::vector<ClusterReport> clusters;  // in the order of config::clusters_of

  [[nodiscard]] bool is_fine() const;
};

// Looks at the files and names of a configuration, and at its nodes if `options` say so: at all clusters side by side.
// Blocks until it is done.
[[nodiscard]] CheckReport examine(const config::Config& config, const CheckOptions& options);

// For people: what is wrong, files and names on standard error, and what was seen of the nodes.
void print_findings(const CheckReport& report, const CheckOptions& options);
// All of it, the configuration's own problems and hints included.
[[nodiscard]] nlohmann::ordered_json findings_json(const config::Loaded& loaded, const CheckReport& report,
                                                   const CheckOptions& options);

}  // namespace bellwether::app
