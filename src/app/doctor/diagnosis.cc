#include "diagnosis.h"

#include <algorithm>

#include "rules.h"

namespace bellwether::app {

Diagnosis diagnose(const ExaminedCluster& seen, const config::Config& config) {
  Diagnosis out;
  for (const Examined& node : seen.nodes) check_node(node, out);
  check_same_servers(seen.nodes, out);
  check_cluster_ids(seen.nodes, config, out);
  check_leadership(seen, config, out);
  check_raft(seen.nodes, config, out);
  check_versions(seen.nodes, config, out);
  check_api_addresses(seen, config, out);
  check_exposure(config, out);
  check_limits(seen.own, config, out);
  check_own_certificates(seen.own, out);
  // Problems first: a screen may be small.
  std::stable_partition(out.findings.begin(), out.findings.end(),
                        [](const Finding& each) { return each.severity() == Severity::kProblem; });
  return out;
}

Diagnosis diagnose_files(const OwnSide& own) {
  Diagnosis out;
  check_own_files(own, out);
  return out;
}

Diagnosis diagnose_names(const std::vector<Examined>& nodes) {
  Diagnosis out;
  check_same_servers(nodes, out);
  for (const Examined& node : nodes) check_way_back(node, out);
  return out;
}

}  // namespace bellwether::app
