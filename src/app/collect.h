#pragma once

#include <string>
#include <vector>

#include "bellwether/cluster/view.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"
#include "certificates.h"
#include "tally.h"
#include "timeline.h"

namespace bellwether::app {

// Everything one scrape is made of. Borrowed while it is rendered.
struct Gathered {
  const std::vector<std::string>& node_names;
  const cluster::View& view;
  const std::vector<const probe::ProbeCounts*> probes;
  const proxy::ProxyCounts& proxy;
  const Tally& tally;
  const FailoverCounts& failovers;
  std::string version;
  int maxconn = 0;
  bool verify = true;
  const CertificateCounts& client_cert;
  const CertificateCounts& server_cert;
  std::uint64_t log_dropped = 0;
  Duration loop_lateness{};
  WallTime config_read{};
  TimePoint now{};
  WallTime leader_since{};  // when there is a leader
};

// The scrape: every metric of the catalogue, those that never happened at 0.
[[nodiscard]] std::string collect_metrics(const Gathered& gathered);

}  // namespace bellwether::app
