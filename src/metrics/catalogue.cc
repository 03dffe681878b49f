#include "bellwether/metrics/catalogue.h"

#include <fmt/format.h>

#include "bellwether/base/assert.h"

namespace bellwether::metrics {
namespace {

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  return "";
}

std::vector<Row> rows() {
  using M = Metric;
  constexpr Kind kCounter = Kind::kCounter;
  constexpr Kind kGauge = Kind::kGauge;
  constexpr Kind kHistogram = Kind::kHistogram;
  return {
      {M::kBuildInfo, "bellwether_build_info", kGauge, "Always 1; which build this is.", {"version", "tls"}},
      {M::kNodeRole,
       "bellwether_node_role",
       kGauge,
       "1 for the role that the node has now, 0 for all others. A role is not health.",
       {"node", "role"}},
      {M::kNodeAdminState,
       "bellwether_node_admin_state",
       kGauge,
       "1 for the state that the operator has given the node (ready, drain, maint), 0 for the others.",
       {"node", "state"}},
      {M::kNodeUp, "bellwether_node_up", kGauge, "1 if the node answers at all, whatever its role.", {"node"}},
      {M::kTakeoverCandidates,
       "bellwether_takeover_candidates",
       kGauge,
       "Unsealed standbys that answer and are ready: nodes that could lead next.",
       {}},
      {M::kLeaderInfo, "bellwether_leader_info", kGauge, "1 for the node that clients are sent to.", {"node"}},
      {M::kLeaderEpoch, "bellwether_leader_epoch", kGauge, "Grows by one with each new leader; 0: none yet.", {}},
      {M::kLeaderChanges, "bellwether_leader_changes_total", kCounter, "How often another node took the lead.", {}},
      {M::kLeaderSince,
       "bellwether_leader_since_timestamp_seconds",
       kGauge,
       "When the present leader was taken (Unix time); 0 while there is none.",
       {}},
      {M::kLeaderlessSeconds,
       "bellwether_leaderless_seconds_total",
       kCounter,
       "Time without a leader, the present spell included.",
       {}},
      {M::kFailovers,
       "bellwether_failovers_total",
       kCounter,
       "Changes of leader, by cause; counted once the cause is clear, at most 10 s after the new leader is there.",
       {"cause"}},
      {M::kFailoverDuration,
       "bellwether_failover_duration_seconds",
       kHistogram,
       "How long failovers took, by phase: detect (last claim of the old leader to first sign), elect (to the new "
       "leader), first_success (to the first client served by it).",
       {"phase"}},
      {M::kHold,
       "bellwether_hold",
       kGauge,
       "1 for the reason why new requests wait unsent now, 0 for the others; all 0: they do not wait. paused is 1 "
       "during "
       "`bellwether pause` whatever else there is.",
       {"reason"}},
      {M::kConflicts,
       "bellwether_conflicts_total",
       kCounter,
       "Contradictions seen in the cluster, by kind: two leaders, a foreign cluster_id.",
       {"kind"}},
      {M::kContested,
       "bellwether_contested",
       kGauge,
       "1 while another node claims to lead too, whether or not we wait for the outcome.",
       {}},
      {M::kStalled,
       "bellwether_stalled",
       kGauge,
       "1 while the leader answers health checks but completes no exchange.",
       {}},
      {M::kProbes, "bellwether_probes_total", kCounter, "Health probes that have ended.", {"node"}},
      {M::kProbeFailures,
       "bellwether_probe_failures_total",
       kCounter,
       "Probes without an answer that is Vault's, by reason.",
       {"node", "reason"}},
      {M::kProbeDuration,
       "bellwether_probe_duration_seconds",
       kHistogram,
       "From a probe's last byte sent to its answer.",
       {"node"}},
      {M::kHeld, "bellwether_held_requests", kGauge, "Requests and connections that wait for a leader now.", {}},
      {M::kHeldTotal, "bellwether_held_total", kCounter, "Requests and connections that have waited for a leader.", {}},
      {M::kHoldTimeouts, "bellwether_hold_timeouts_total", kCounter, "Held ones given up because no leader came.", {}},
      {M::kHoldOverflows, "bellwether_hold_overflows_total", kCounter, "Turned away because the hold was full.", {}},
      {M::kHoldClientGone,
       "bellwether_hold_client_gone_total",
       kCounter,
       "Held ones whose client went away before a leader came.",
       {}},
      {M::kHelloReplays,
       "bellwether_tls_hello_replays_total",
       kCounter,
       "TLS hellos of tcp clients that were said again, to a node after one that had not answered them.",
       {}},
      {M::kHoldDuration, "bellwether_hold_duration_seconds", kHistogram, "How long held ones waited.", {}},
      {M::kSessionsCut,
       "bellwether_sessions_cut_total",
       kCounter,
       "Sessions that the proxy ended, by reason: quiet (nothing was under way on a demoted node), request "
       "(the client began one, and the node was not given it), answer (the node's last one was complete), silent "
       "(another node leads and this one answered neither its client nor us, or it blocked and is sealed), deadline "
       "(drain_deadline), dead, admin, idle (timeout_idle), no_first_byte (none came within timeout_header), maxconn "
       "(the longest idle, for another connection).",
       {"reason"}},
      {M::kOpenConnections,
       "bellwether_open_connections",
       kGauge,
       "Open connections, by side: client, node.",
       {"side"}},
      {M::kConnections,
       "bellwether_connections",
       kGauge,
       "Deprecated, gone in the next release: use bellwether_open_connections.",
       {"side"}},
      {M::kConnectionsTotal,
       "bellwether_connections_total",
       kCounter,
       "Connections accepted from clients and made to nodes, by side: client, node.",
       {"side"}},
      {M::kNodeOpenConnections, "bellwether_node_open_connections", kGauge, "Open sessions with the node.", {"node"}},
      {M::kNodeConnections,
       "bellwether_node_connections",
       kGauge,
       "Deprecated, gone in the next release: use bellwether_node_open_connections.",
       {"node"}},
      {M::kNodeConnectionsTotal,
       "bellwether_node_connections_total",
       kCounter,
       "Connections made to the node for clients.",
       {"node"}},
      {M::kBytesTotal,
       "bellwether_bytes_total",
       kCounter,
       "Bytes moved, by direction: up (to the node), down (to the client).",
       {"direction"}},
      {M::kConnectFailures,
       "bellwether_connect_failures_total",
       kCounter,
       "Connections to the node, for clients, that could not be made.",
       {"node"}},
      {M::kMaxconn, "bellwether_maxconn", kGauge, "The limit on client connections.", {}},
      {M::kMaxconnPauses,
       "bellwether_maxconn_pauses_total",
       kCounter,
       "How often accepting stopped because maxconn was reached.",
       {}},
      {M::kAdminMadeRoom,
       "bellwether_admin_connections_made_room_total",
       kCounter,
       "Connections to the admin address and the control socket that were ended for new ones, because there were too "
       "many.",
       {}},
      {M::kAcceptFailures,
       "bellwether_accept_failures_total",
       kCounter,
       "Connections that the system would not give us, such as for want of file descriptors.",
       {}},
      {M::kRedirects, "bellwether_redirects_total", kCounter, "Requests answered with the leader's address.", {}},
      {M::kRedirectLoops,
       "bellwether_redirect_loops_total",
       kCounter,
       "Redirects refused because they would have pointed to ourselves.",
       {}},
      {M::kRejectedRequests,
       "bellwether_rejected_requests_total",
       kCounter,
       "Requests refused because they are not valid HTTP/1.1.",
       {}},
      {M::kHttpReceived,
       "bellwether_http_received_total",
       kCounter,
       "Requests to http listeners, whatever became of them: those under way and the sum of all outcomes.",
       {}},
      {M::kHttpHeld,
       "bellwether_http_held_total",
       kCounter,
       "Ended requests to http listeners that had waited for a leader.",
       {}},
      {M::kHttpRequestsInFlight,
       "bellwether_http_requests_in_flight",
       kGauge,
       "Requests to http listeners that are under way.",
       {}},
      {M::kHttpRequestsNow,
       "bellwether_http_requests",
       kGauge,
       "Deprecated, gone in the next release: use bellwether_http_requests_in_flight.",
       {}},
      {M::kHttpRequests,
       "bellwether_http_requests_total",
       kCounter,
       "Requests to http listeners that were answered, by the status' class: 1xx (tunnels) to 5xx.",
       {"class"}},
      {M::kHttpOutcomes,
       "bellwether_http_outcomes_total",
       kCounter,
       "How requests to http listeners ended: ok, ambiguous (perhaps executed), unserved (surely not), cut amid the "
       "answer, client_gone, rejected.",
       {"outcome"}},
      {M::kHttpRejected,
       "bellwether_http_rejected_total",
       kCounter,
       "Requests to http listeners that were refused as not valid or not safe, by reason.",
       {"reason"}},
      {M::kHttpDuration,
       "bellwether_http_duration_seconds",
       kHistogram,
       "How long requests to http listeners took, by phase: waiting for a leader, upstream, total.",
       {"phase"}},
      {M::kHttpHeaderTimeouts,
       "bellwether_http_header_timeouts_total",
       kCounter,
       "Connections ended because a request's head took too long.",
       {}},
      {M::kRetries,
       "bellwether_retries_total",
       kCounter,
       "Requests sent again after proof that they had not been executed.",
       {}},
      {M::kJudged,
       "bellwether_judged_answers_total",
       kCounter,
       "What nodes answered to requests of http listeners, by the row of the safe-retry table that judged it.",
       {"row"}},
      {M::kPoolIdle, "bellwether_pool_idle_connections", kGauge, "Idle connections to nodes, kept for reuse.", {}},
      {M::kProxyHeaderErrors,
       "bellwether_proxy_header_errors_total",
       kCounter,
       "Connections ended because their PROXY header was missing or wrong.",
       {}},
      {M::kTlsVerify, "bellwether_tls_verify", kGauge, "0 if the certificates of nodes are not verified.", {}},
      {M::kCertNotAfter,
       "bellwether_cert_not_after_timestamp_seconds",
       kGauge,
       "When our own certificate expires (Unix time), by use: client (to nodes), server (to clients).",
       {"cert"}},
      {M::kCertReloads,
       "bellwether_cert_reloads_total",
       kCounter,
       "Changes of certificate, key or CA files, by use (client: to nodes, server: to clients) and result: ok, failed.",
       {"cert", "result"}},
      {M::kCertReloadSuccessful,
       "bellwether_cert_last_reload_successful",
       kGauge,
       "1 if the certificate, key and CA files on disk are in use, 0 if they could not be used and older ones still "
       "are.",
       {"cert"}},
      {M::kHandshakeFailures,
       "bellwether_tls_handshake_failures_total",
       kCounter,
       "TLS handshakes of clients that failed, by reason; alert: the client refused us.",
       {"reason"}},
      {M::kLogDropped, "bellwether_log_dropped_lines_total", kCounter, "Log lines lost to a reader that stalled.", {}},
      {M::kConfigReloadSuccessful,
       "bellwether_config_last_reload_successful",
       kGauge,
       "1 if the configuration in force is the last one that was read, 0 if a later one was refused.",
       {}},
      {M::kConfigReloadTimestamp,
       "bellwether_config_last_reload_success_timestamp_seconds",
       kGauge,
       "When the configuration in force was read (Unix time).",
       {}},
      {M::kNameLookups,
       "bellwether_name_lookups_total",
       kCounter,
       "How often names of nodes were asked for while we run, by result: ok, failed.",
       {"result"}},
      {M::kNamesUnanswered,
       "bellwether_names_unanswered",
       kGauge,
       "Names of nodes without an answer when they were asked for last; their last addresses stay.",
       {}},
      {M::kLoopLateness,
       "bellwether_loop_lateness_seconds",
       kGauge,
       "How late the control loop was at its worst since the last scrape.",
       {}},
  };
}

}  // namespace

const std::vector<Row>& catalogue() {
  static const std::vector<Row> all = rows();
  return all;
}

const Row& row(Metric metric) {
  const auto index = static_cast<std::size_t>(metric);
  BW_ASSERT(index < catalogue().size() && catalogue()[index].metric == metric);
  return catalogue()[index];
}

std::string catalogue_markdown() {
  std::string out = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const Row& each : catalogue()) {
    std::string labels;
    for (std::string_view label : each.labels) {
      labels += fmt::format("{}`{}`", labels.empty() ? "" : ", ", label);
    }
    out += fmt::format("| `{}` | {} | {} | {} |\n", each.name, kind_text(each.kind), labels, each.help);
  }
  return out;
}

}  // namespace bellwether::metrics
