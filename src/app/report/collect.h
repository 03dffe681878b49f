#pragma once

#include <string>

#include "app/files/certificates.h"
#include "bellwether/base/node_table.h"
#include "bellwether/cluster/view.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"
#include "tally.h"
#include "timeline.h"

namespace bellwether::app {

// How the resolver has answered about the names of nodes.
struct NameLookups {
  std::uint64_t answers = 0;
  std::uint64_t failures = 0;
  std::uint64_t unanswered = 0;  // names without an answer when they were asked for last
};

// A copy of everything one scrape is made of: taken on the control thread, rendered on another.
struct ScrapeInput {
  cluster::ViewPtr view;
  NodeTable<probe::ProbeCounts> probes;  // of the view's nodes
  proxy::ProxyCounts proxy;
  Tally tally;
  FailoverCounts failovers;
  std::string version;
  int maxconn = 0;
  bool verify = true;
  CertificateCounts client_cert;
  CertificateCounts server_cert;
  std::uint64_t log_dropped = 0;
  std::uint64_t admin_made_room = 0;
  Duration loop_lateness{};
  WallTime config_read{};
  bool config_is_current = true;
  NameLookups names{};
  TimePoint now{};
  WallTime leader_since{};  // when there is a leader
};

// The scrape: every metric of the catalogue, those that never happened at 0.
[[nodiscard]] std::string collect_metrics(const ScrapeInput& input);

}  // namespace bellwether::app
