#pragma once

#include <string>
#include <vector>

#include "app/files/certificates.h"
#include "bellwether/base/node_table.h"
#include "bellwether/cluster/view.h"
#include "bellwether/metrics/slots.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"
#include "timeline.h"

namespace bellwether::app {

// A copy of everything that a scrape says of one cluster.
struct ClusterScrape {
  std::string name{};  // empty: the only cluster, without a name
  cluster::ViewPtr view;
  NodeTable<probe::ProbeCounts> probes;  // of the view's nodes
  proxy::ProxyCounts proxy;
  metrics::ControlValues values;  // but for what the view says
  FailoverCounts failovers;
  CertificateCounts client_cert;
  CertificateCounts server_cert;
};

// ... and of the process: taken on the control thread, rendered on another.
struct ScrapeInput {
  std::string version;
  metrics::ProcessValues values;
  std::vector<ClusterScrape> clusters;
};

// The scrape: every metric of the catalogue, those that never happened at 0.
[[nodiscard]] std::string collect_metrics(const ScrapeInput& input);

[[nodiscard]] double unix_seconds(WallTime at);

}  // namespace bellwether::app
