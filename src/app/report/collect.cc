#include "collect.h"

#include <fmt/format.h>

#include <iterator>
#include <limits>
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

double unix_seconds(WallTime at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

// What does not exist does not expire.
double expiry(const std::optional<WallTime>& at) {
  return at ? unix_seconds(*at) : std::numeric_limits<double>::infinity();
}

class MetricsCollector {
 public:
  explicit MetricsCollector(const ScrapeInput& input) : g_(input) {}

  std::string render() {
    add_process();
    add_cluster();
    add_failovers();
    for (const NodeId id : g_.view->nodes.ids()) add_node(id);
    add_hold();
    add_traffic();
    add_http();
    return scrape_.render();
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

  void add_process() {
    add(Metric::kBuildInfo, {g_.version, "openssl"}, 1);
    flag(Metric::kTlsVerify, {}, g_.verify);
    add_certificate("client", g_.client_cert);
    add_certificate("server", g_.server_cert);
    count(Metric::kLogDropped, {}, g_.log_dropped);
    flag(Metric::kConfigReloadSuccessful, {}, g_.config_is_current);
    add(Metric::kConfigReloadTimestamp, {}, unix_seconds(g_.config_read));
    add(Metric::kLoopLateness, {}, to_seconds(g_.loop_lateness));
    count(Metric::kNameLookups, {"ok"}, g_.names.answers);
    count(Metric::kNameLookups, {"failed"}, g_.names.failures);
    count(Metric::kNamesUnanswered, {}, g_.names.unanswered);
  }

  void add_certificate(const std::string& use, const CertificateCounts& counts) {
    add(Metric::kCertNotAfter, {use}, expiry(counts.not_after));
    count(Metric::kCertReloads, {use, "ok"}, counts.reloads);
    count(Metric::kCertReloads, {use, "failed"}, counts.failures);
    flag(Metric::kCertReloadSuccessful, {use}, counts.is_current);
  }

  void add_cluster() {
    const cluster::View& view = *g_.view;
    add(Metric::kTakeoverCandidates, {}, view.takeover_candidates());
    count(Metric::kLeaderEpoch, {}, view.epoch);
    count(Metric::kLeaderChanges, {}, g_.tally.leader_changes());
    add(Metric::kLeaderSince, {}, view.leader ? unix_seconds(g_.leader_since) : 0);
    add(Metric::kLeaderlessSeconds, {}, to_seconds(g_.tally.leaderless(g_.now)));
    for (const HoldReason reason : {HoldReason::kStarting, HoldReason::kNoLeader, HoldReason::kSuspect,
                                    HoldReason::kConflict, HoldReason::kIdle}) {
      flag(Metric::kHold, {std::string(to_text(reason))}, view.hold == reason);
    }
    flag(Metric::kHold, {std::string(to_text(HoldReason::kPaused))}, view.paused_until.has_value());
    count(Metric::kConflicts, {"two_leaders"}, g_.tally.two_leaders());
    count(Metric::kConflicts, {"cluster_id"}, g_.tally.foreign_nodes());
    flag(Metric::kContested, {}, view.challenger.has_value());
    flag(Metric::kStalled, {}, view.stalled);
  }

  void add_failovers() {
    for (std::size_t i = 0; i < cluster::kFailoverCauseCount; ++i) {
      const auto cause = static_cast<cluster::FailoverCause>(i);
      count(Metric::kFailovers, {std::string(to_text(cause))}, g_.failovers.by_cause[i]);
    }
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
    for (const Metric metric : {Metric::kNodeOpenConnections, Metric::kNodeConnections}) {
      count(metric, {name}, counts.sessions_now);
    }
    count(Metric::kNodeConnectionsTotal, {name}, counts.connects);
    count(Metric::kConnectFailures, {name}, counts.connect_failures);
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

  void add_hold() {
    const proxy::ProxyCounts& p = g_.proxy;
    count(Metric::kHeld, {}, p.held_now);
    count(Metric::kHeldTotal, {}, p.held_total);
    count(Metric::kHoldTimeouts, {}, p.hold_timeouts);
    count(Metric::kHoldOverflows, {}, p.hold_overflows);
    count(Metric::kHoldClientGone, {}, p.client_gone_while_held);
    count(Metric::kHelloReplays, {}, p.hello_replays);
    std::vector<std::uint64_t> buckets = p.hold_buckets;
    buckets.resize(std::size(proxy::kHoldBuckets) + 1);
    scrape_.add(
        Metric::kHoldDuration,
        metrics::HistogramSample{
            {}, {std::begin(proxy::kHoldBuckets), std::end(proxy::kHoldBuckets)}, std::move(buckets), p.hold_sum_s});
  }

  void add_http() {
    const proxy::HttpCounts& h = g_.proxy.http;
    count(Metric::kHttpReceived, {}, h.requests_total);
    for (const Metric metric : {Metric::kHttpRequestsInFlight, Metric::kHttpRequestsNow}) {
      count(metric, {}, h.requests_now);
    }
    count(Metric::kHttpHeld, {}, h.held);
    for (std::size_t i = 0; i < 5; ++i) {
      count(Metric::kHttpRequests, {fmt::format("{}xx", i + 1)}, at(h.by_status_class, i));
    }
    count(Metric::kHttpOutcomes, {"ok"}, h.ok);
    count(Metric::kHttpOutcomes, {"ambiguous"}, h.ambiguous);
    count(Metric::kHttpOutcomes, {"unserved"}, h.unserved);
    count(Metric::kHttpOutcomes, {"cut"}, h.cut);
    count(Metric::kHttpOutcomes, {"client_gone"}, h.client_gone);
    count(Metric::kHttpOutcomes, {"rejected"}, sum(h.rejected));
    for (std::size_t i = 0; i < http::kRejectCount; ++i) {
      count(Metric::kHttpRejected, {std::string(to_text(static_cast<http::Reject>(i)))}, at(h.rejected, i));
    }
    for (std::size_t i = 0; i < vault::kRowCount; ++i) {
      count(Metric::kJudged, {std::string(to_text(static_cast<vault::Row>(i)))}, at(h.rows, i));
    }
    add_http_duration("waiting", h.waiting);
    add_http_duration("upstream", h.upstream);
    add_http_duration("total", h.total);
    count(Metric::kHttpHeaderTimeouts, {}, h.header_timeouts);
    count(Metric::kRetries, {}, h.resent);
    count(Metric::kPoolIdle, {}, h.upstream_idle);
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
    count(Metric::kSessionsCut, {"quiet"}, p.sessions_cut_quiet);
    count(Metric::kSessionsCut, {"request"}, p.sessions_cut_request);
    count(Metric::kSessionsCut, {"answer"}, p.sessions_cut_answer);
    count(Metric::kSessionsCut, {"silent"}, p.sessions_cut_silent);
    count(Metric::kSessionsCut, {"deadline"}, p.sessions_cut_deadline);
    count(Metric::kSessionsCut, {"dead"}, p.sessions_cut_dead);
    count(Metric::kSessionsCut, {"admin"}, p.sessions_cut_admin);
    count(Metric::kSessionsCut, {"idle"}, p.sessions_cut_idle);
    count(Metric::kSessionsCut, {"no_first_byte"}, p.sessions_cut_no_first_byte);
    count(Metric::kSessionsCut, {"maxconn"}, p.sessions_cut_for_room);
    for (const Metric metric : {Metric::kOpenConnections, Metric::kConnections}) {
      count(metric, {"client"}, p.sessions_now);
      count(metric, {"node"}, all.sessions_now);
    }
    count(Metric::kConnectionsTotal, {"client"}, p.sessions_total);
    count(Metric::kConnectionsTotal, {"node"}, all.connects);
    count(Metric::kBytesTotal, {"up"}, p.bytes_up);
    count(Metric::kBytesTotal, {"down"}, p.bytes_down);
    add(Metric::kMaxconn, {}, g_.maxconn);
    count(Metric::kMaxconnPauses, {}, p.maxconn_pauses);
    count(Metric::kAdminMadeRoom, {}, g_.admin_made_room);
    count(Metric::kAcceptFailures, {}, p.accept_failures);
    for (std::size_t i = 0; i < net::kHandshakeFailureCount; ++i) {
      const auto failure = static_cast<net::HandshakeFailure>(i);
      count(Metric::kHandshakeFailures, {std::string(to_text(failure))}, p.handshake_failures[i]);
    }
    count(Metric::kRedirects, {}, p.redirects_total);
    count(Metric::kRedirectLoops, {}, p.redirect_loops);
    count(Metric::kRejectedRequests, {}, p.rejected_requests);
    count(Metric::kProxyHeaderErrors, {}, p.proxy_header_errors);
  }

  static std::uint64_t at(const std::vector<std::uint64_t>& values, std::size_t index) {
    return index < values.size() ? values[index] : 0;
  }
  static std::uint64_t sum(const std::vector<std::uint64_t>& values) {
    std::uint64_t total = 0;
    for (const std::uint64_t value : values) total += value;
    return total;
  }

  const ScrapeInput& g_;
  metrics::Scrape scrape_;
};

}  // namespace

std::string collect_metrics(const ScrapeInput& input) { return MetricsCollector(input).render(); }

}  // namespace bellwether::app
