#pragma once

#include <string>

#include "app/files/certificates.h"
#include "bellwether/base/node_table.h"
#include "bellwether/cluster/view.h"
#include "bellwether/metrics/slots.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"
#include "timeline.h"

namespace bellwether::app {

// A copy of everything one scrape is made of: taken on the control thread, rendered on another.
struct ScrapeInput {
  cluster::ViewPtr view;
  NodeTable<probe::ProbeCounts> probes;  // of the view's nodes
  proxy::ProxyCounts proxy;
  metrics::ControlValues values;  // but for what the view says
  FailoverCounts failovers;
  std::string version;
  CertificateCounts client_cert;
  CertificateCounts server_cert;
};

// The scrape: every metric of the catalogue, those that never happened at 0.
[[nodiscard]] std::string collect_metrics(const ScrapeInput& input);

[[nodiscard]] double unix_seconds(WallTime at);

}  // namespace bellwether::app
