#include "diagnosis.h"

#include <algorithm>

#include "rules.h"

namespace bellwether::app {
namespace {

// Problems first: a screen may be small.
void sort(Diagnosis& found) {
  std::stable_partition(found.findings.begin(), found.findings.end(),
                        [](const Finding& each) { return each.severity() == Severity::kProblem; });
}

// Whether several clusters can have it for the same reason: an option that is said for all, or a file that it names.
bool is_of_options(FindingId id) {
  return id == FindingId::kOwnFiles || id == FindingId::kOwnCertificateInvalid ||
         id == FindingId::kOwnCertificateEnds || id == FindingId::kVerifyOff;
}

bool has(const Diagnosis& diagnosis, const Finding& finding) {
  return std::find(diagnosis.findings.begin(), diagnosis.findings.end(), finding) != diagnosis.findings.end();
}

}  // namespace

Diagnosis diagnose(const ExaminedCluster& seen, const config::Config& config) {
  Diagnosis out;
  for (const Examined& node : seen.nodes) check_node(node, out);
  check_same_servers(seen.nodes, out);
  check_cluster_ids(seen.nodes, config, out);
  check_leadership(seen, config, out);
  check_raft(seen.nodes, config, out);
  check_versions(seen.nodes, config, out);
  check_api_addresses(seen, config, out);
  check_exposed_listeners(config, out);
  if (config.cluster.empty()) {
    check_exposed_admin(config, out);
    check_limits(seen.own, config, out);
  }
  check_own_certificates(seen.own, out);
  sort(out);
  return out;
}

Diagnosis diagnose_process(const OwnSide& own, const config::Config& config) {
  Diagnosis out;
  check_exposed_admin(config, out);
  check_limits(own, config, out);
  sort(out);
  return out;
}

Diagnosis take_common(const std::vector<Diagnosis*>& clusters) {
  Diagnosis common;
  if (clusters.size() < 2) return common;
  for (const Finding& each : clusters.front()->findings) {
    const bool is_everywhere =
        std::all_of(clusters.begin(), clusters.end(), [&](const Diagnosis* found) { return has(*found, each); });
    if (is_of_options(each.id) && is_everywhere) common.findings.push_back(each);
  }
  for (Diagnosis* found : clusters) {
    found->findings.erase(std::remove_if(found->findings.begin(), found->findings.end(),
                                         [&](const Finding& each) { return has(common, each); }),
                          found->findings.end());
  }
  return common;
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
