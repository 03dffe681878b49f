#include "collect.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "bellwether/http/head.h"
#include "bellwether/metrics/catalogue.h"
#include "bellwether/vault/retry.h"

namespace bellwether::app {

namespace {

using cluster::AdminState;
using cluster::HoldReason;
using cluster::Role;
using metrics::Metric;

// What does not exist does not expire.
double expiry(const std::optional<WallTime>& at) {
  return at ? unix_seconds(*at) : std::numeric_limits<double>::infinity();
}

template <typename Slots>
void add_slots(const Slots& from, metrics::Scrape& scrape) {
  for (const auto& slot : Slots::all()) {
    std::vector<std::string> labels;
    if (!slot.label.empty()) labels.emplace_back(slot.label);
    scrape.add(slot.metric, metrics::Sample{std::move(labels), static_cast<double>(from.*slot.cell)});
  }
}

class ClusterCollector {
 public:
  ClusterCollector(const ClusterScrape& input, metrics::Scrape& scrape) : g_(input), scrape_(scrape) {}

  void add_all() {
    scrape_.set_cluster(g_.name);
    add_slots();
    add_certificate("client", g_.client_cert);
    add_certificate("server", g_.server_cert);
    add_cluster();
    add_failovers();
    for (const NodeId id : g_.view->nodes.ids()) add_node(id);
    add_traffic();
    add_http();
  }

 private:
  void add(Metric metric, std::vector<std::string> labels, double value) {
    scrape_.add(metric, metrics::Sample{std::move(labels), value});
  }
  void count(Metric metric, std::vector<std::string> labels, std::uint64_t value) {
    add(metric, std::move(labels), static_cast<double>(value));
  }
  void flag(Metric metric, std::vector<std::string> labels, bool value) {
    add(metric, std::move(labels), value ? 1 : 0);
  }

  // The plain rows of rows.def: each has a slot, and no line here.
  void add_slots() {
    app::add_slots<metrics::WorkerSlots<std::uint64_t>>(g_.proxy, scrape_);
    app::add_slots<metrics::HttpSlots<std::uint64_t>>(g_.proxy.http, scrape_);
    app::add_slots(values_of_view(), scrape_);
  }

  [[nodiscard]] metrics::ControlValues values_of_view() const {
    const cluster::View& view = *g_.view;
    metrics::ControlValues values = g_.values;
    values.takeover_candidates = view.takeover_candidates();
    values.leader_epoch = static_cast<double>(view.epoch);
    values.contested = view.challenger.has_value();
    values.stalled = view.stalled;
    return values;
  }

  // One sample for each enumerator, whose word is the label.
  template <typename Enum, std::size_t Count>
  void count_by(Metric metric, const std::array<std::uint64_t, Count>& counts) {
    for (std::size_t i = 0; i < Count; ++i) {
      count(metric, {std::string(to_text(static_cast<Enum>(i)))}, counts[i]);
    }
  }

  void add_certificate(const std::string& use, const CertificateCounts& counts) {
    add(Metric::kCertNotAfter, {use}, expiry(counts.not_after));
    count(Metric::kCertReloads, {use, "ok"}, counts.reloads);
    count(Metric::kCertReloads, {use, "failed"}, counts.failures);
    flag(Metric::kCertReloadSuccessful, {use}, counts.is_current);
  }

  void add_cluster() {
    const cluster::View& view = *g_.view;
    for (const HoldReason reason : {HoldReason::kStarting, HoldReason::kNoLeader, HoldReason::kSuspect,
                                    HoldReason::kConflict, HoldReason::kIdle}) {
      flag(Metric::kHold, {std::string(to_text(reason))}, view.hold == reason);
    }
    flag(Metric::kHold, {std::string(to_text(HoldReason::kPaused))}, view.paused_until.has_value());
  }

  void add_failovers() {
    count_by<cluster::FailoverCause>(Metric::kFailovers, g_.failovers.by_cause);
    add_phase("detect", g_.failovers.detect);
    add_phase("elect", g_.failovers.elect);
    add_phase("first_success", g_.failovers.first_success);
  }

  void add_phase(std::string phase, const PhaseCounts& counts) {
    scrape_.add(Metric::kFailoverDuration,
                metrics::HistogramSample{{std::move(phase)},
                                         {std::begin(kFailoverBuckets), std::end(kFailoverBuckets)},
                                         {counts.buckets.begin(), counts.buckets.end()},
                                         counts.sum_s});
  }

  void add_node(NodeId id) {
    const std::string name(g_.view->name(id));
    const cluster::NodeView& node = g_.view->nodes.at(id);
    for (std::size_t i = 0; i < cluster::kRoleCount; ++i) {
      const auto role = static_cast<Role>(i);
      flag(Metric::kNodeRole, {name, std::string(to_text(role))}, node.role == role);
    }
    for (const AdminState state : {AdminState::kReady, AdminState::kDrain, AdminState::kMaint}) {
      flag(Metric::kNodeAdminState, {name, std::string(to_text(state))}, node.admin == state);
    }
    flag(Metric::kNodeUp, {name}, node.up);
    flag(Metric::kLeaderInfo, {name}, g_.view->leader == id);
    add_probes(name, g_.probes.at(id));
    const proxy::NodeCounts* const found = g_.proxy.nodes.find(id);
    const proxy::NodeCounts counts = found != nullptr ? *found : proxy::NodeCounts{};
    for (const auto& slot : proxy::NodeCounts::all()) count(slot.metric, {name}, counts.*slot.cell);
    count(Metric::kNodeConnections, {name}, counts.sessions_now);
  }

  void add_probes(const std::string& name, const probe::ProbeCounts& counts) {
    count(Metric::kProbes, {name}, counts.probes);
    for (std::size_t i = 0; i < cluster::kProbeFailureCount; ++i) {
      const auto failure = static_cast<cluster::ProbeFailure>(i);
      count(Metric::kProbeFailures, {name, std::string(to_text(failure))}, counts.failures[i]);
    }
    count(Metric::kProbeFailures, {name, "not_vault"}, counts.failures.back());
    scrape_.add(Metric::kProbeDuration,
                metrics::HistogramSample{{name},
                                         {std::begin(probe::kProbeBuckets), std::end(probe::kProbeBuckets)},
                                         counts.duration_buckets,
                                         counts.duration_sum_s});
  }

  void add_http() {
    const proxy::HttpCounts& h = g_.proxy.http;
    count(Metric::kHttpRequestsNow, {}, h.requests_now);
    for (std::size_t i = 0; i < h.by_status_class.size(); ++i) {
      count(Metric::kHttpRequests, {fmt::format("{}xx", i + 1)}, h.by_status_class[i]);
    }
    count(Metric::kHttpOutcomes, {"ok"}, h.ok);
    count(Metric::kHttpOutcomes, {"ambiguous"}, h.ambiguous);
    count(Metric::kHttpOutcomes, {"unserved"}, h.unserved);
    count(Metric::kHttpOutcomes, {"cut"}, h.cut);
    count(Metric::kHttpOutcomes, {"client_gone"}, h.client_gone);
    count(Metric::kHttpOutcomes, {"rejected"}, std::accumulate(h.rejected.begin(), h.rejected.end(), std::uint64_t{0}));
    count_by<http::Reject>(Metric::kHttpRejected, h.rejected);
    count_by<vault::Row>(Metric::kJudged, h.rows);
    add_http_duration("waiting", h.waiting);
    add_http_duration("upstream", h.upstream);
    add_http_duration("total", h.total);
  }

  void add_http_duration(std::string phase, const proxy::DurationCounts& counts) {
    std::vector<std::uint64_t> buckets = counts.buckets;
    buckets.resize(std::size(proxy::kHttpBuckets) + 1);
    scrape_.add(Metric::kHttpDuration,
                metrics::HistogramSample{{std::move(phase)},
                                         {std::begin(proxy::kHttpBuckets), std::end(proxy::kHttpBuckets)},
                                         std::move(buckets),
                                         counts.sum_s});
  }

  void add_traffic() {
    const proxy::ProxyCounts& p = g_.proxy;
    proxy::NodeCounts all = p.removed_nodes;
    for (const proxy::NodeCounts& node : p.nodes) {
      all.connects += node.connects;
      all.sessions_now += node.sessions_now;
    }
    count(Metric::kOpenConnections, {"node"}, all.sessions_now);
    count(Metric::kConnections, {"client"}, p.sessions_now);
    count(Metric::kConnections, {"node"}, all.sessions_now);
    count(Metric::kConnectionsTotal, {"node"}, all.connects);
    count_by<net::HandshakeFailure>(Metric::kHandshakeFailures, p.handshake_failures);
    std::vector<std::uint64_t> buckets = p.hold_buckets;
    buckets.resize(std::size(proxy::kHoldBuckets) + 1);
    scrape_.add(
        Metric::kHoldDuration,
        metrics::HistogramSample{
            {}, {std::begin(proxy::kHoldBuckets), std::end(proxy::kHoldBuckets)}, std::move(buckets), p.hold_sum_s});
  }

  const ClusterScrape& g_;
  metrics::Scrape& scrape_;
};

}  // namespace

double unix_seconds(WallTime at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

std::string collect_metrics(const ScrapeInput& input) {
  metrics::Scrape scrape;
  scrape.add(Metric::kBuildInfo, {{input.version, "openssl"}, 1});
  add_slots(input.values, scrape);
  for (const ClusterScrape& each : input.clusters) ClusterCollector(each, scrape).add_all();
  return scrape.render();
}

}  // namespace bellwether::app
