#include "event_log.h"

#include <algorithm>

namespace bellwether::app {

namespace {

std::string or_none(const std::string& name) { return name.empty() ? std::string("none") : name; }

std::int64_t millis(Duration d) { return duration_cast<std::chrono::milliseconds>(d).count(); }

void log_leader(const log::ClusterLog& log, const cluster::Event& event, const std::string& node,
                const std::string& other) {
  const auto epoch = static_cast<std::int64_t>(event.epoch);
  if (event.kind == cluster::EventKind::kLeaderElected) {
    log.info(to_text(event.kind), {{"node", node},
                                   {"from", other},
                                   {"epoch", epoch},
                                   {"why", event.why},
                                   {"leaderless_ms", millis(event.unsettled)}});
  } else if (event.kind == cluster::EventKind::kLeaderLost) {
    log.warn(to_text(event.kind), {{"node", node}, {"epoch", epoch}, {"why", event.why}});
  } else if (event.kind == cluster::EventKind::kLeaderSuspect) {
    log.info(to_text(event.kind), {{"node", node}, {"epoch", epoch}, {"why", event.why}});
  } else {
    log.info(to_text(event.kind), {{"node", node}, {"epoch", epoch}});
  }
}

void log_role(const log::ClusterLog& log, const cluster::Event& event, const std::string& node) {
  const std::string from(to_text(event.from));
  const std::string to(to_text(event.to));
  if (event.why.empty()) {
    log.info(to_text(event.kind), {{"node", node}, {"from", from}, {"to", to}});
  } else {
    log.warn(to_text(event.kind), {{"node", node}, {"from", from}, {"to", to}, {"why", event.why}});
  }
}

}  // namespace

void log_event(const log::ClusterLog& log, const cluster::Event& event) {
  using cluster::EventKind;
  const std::string node = or_none(event.node_name);
  const std::string other = or_none(event.other_name);
  switch (event.kind) {
    case EventKind::kLeaderElected:
    case EventKind::kLeaderLost:
    case EventKind::kLeaderSuspect:
    case EventKind::kLeaderConfirmed:
      return log_leader(log, event, node, other);
    case EventKind::kRoleChanged:
      return log_role(log, event, node);
    case EventKind::kNodeUp:
    case EventKind::kNodeAdded:
      return log.info(to_text(event.kind), {{"node", node}});
    case EventKind::kAdminStateChanged:
    case EventKind::kNodeRenamed:
      return log.info(to_text(event.kind), {{"node", node}, {"why", event.why}});
    case EventKind::kNodeRemoved:
      if (event.why.empty()) return log.info(to_text(event.kind), {{"node", node}});
      return log.warn(to_text(event.kind), {{"node", node}, {"why", event.why}});
    case EventKind::kNodeDown:
      return log.warn(to_text(event.kind), {{"node", node}});
    case EventKind::kForeignNode:
    case EventKind::kStalled:
      return log.warn(to_text(event.kind), {{"node", node}, {"why", event.why}});
    case EventKind::kSameServer:
      return log.warn(to_text(event.kind),
                      {{"node", node}, {"same_as", other}, {"why", event.why + "; name the server once"}});
    case EventKind::kConflict:
      return log.warn(to_text(event.kind), {{"node", node}, {"challenger", other}, {"why", event.why}});
    case EventKind::kConflictEnded:
      return log.info(to_text(event.kind), {{"challenger", other}, {"why", event.why}});
    case EventKind::kStallEnded:
      return log.info(to_text(event.kind), {{"node", node}});
    case EventKind::kClusterIdLearned:
      return log.info(to_text(event.kind), {{"cluster_id", event.why}});
    case EventKind::kPaused:
    case EventKind::kResumed:
    case EventKind::kLoopLate:
      return log.warn(to_text(event.kind), {{"why", event.why}});
  }
}

void log_failover(const log::ClusterLog& log, const cluster::Failover& failover) {
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  const auto since_sign = [&](std::optional<TimePoint> at) {
    return at ? std::max<std::int64_t>(millis(*at - failover.first_sign), 0) : -1;
  };
  const cluster::FailoverTraffic& traffic = failover.traffic;
  log.info("failover", {{"cause", std::string(to_text(failover.cause))},
                        {"from", or_none(failover.from_name)},
                        {"to", or_none(failover.to_name)},
                        {"epoch_from", number(failover.epoch_from)},
                        {"epoch", number(failover.epoch_to)},
                        {"sign", failover.sign},
                        {"unheard_ms", failover.last_good ? millis(failover.first_sign - *failover.last_good) : -1},
                        {"demoted_ms", since_sign(failover.demoted)},
                        {"elected_ms", since_sign(failover.elected)},
                        {"first_success_ms", since_sign(failover.first_success)},
                        {"heard_again_ms", since_sign(failover.heard_again)},
                        {"leaderless_ms", millis(failover.leaderless)},
                        {"held", number(traffic.held)},
                        {"retried", number(traffic.retried)},
                        {"failed", number(traffic.failed)},
                        {"cut", number(traffic.cut)},
                        {"moved_idle", number(traffic.moved_idle)},
                        {"moved_at_request", number(traffic.moved_at_request)},
                        {"moved_after_answer", number(traffic.moved_after_answer)},
                        {"moved_at_deadline", number(traffic.moved_at_deadline)}});
}

void log_session(const log::ClusterLog& log, const proxy::SessionRecord& session, bool with_client) {
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  // The list of fields lives as long as the call: it cannot be put together beforehand.
  const std::string client = with_client ? session.client : "-";
  log.info("session", {{"listener", session.listener},
                       {"client", client},
                       {"node", session.node_name},
                       {"epoch", number(session.epoch)},
                       {"held_ms", millis(session.held)},
                       {"connect_ms", millis(session.connecting)},
                       {"total_ms", millis(session.total)},
                       {"bytes_up", number(session.bytes_up)},
                       {"bytes_down", number(session.bytes_down)},
                       {"end", std::string(session.end)}});
}

void log_request(const log::ClusterLog& log, const proxy::RequestRecord& request, bool with_client) {
  constexpr std::size_t kMostOfPath = 1024;
  const auto or_dash = [](std::string_view text) { return std::string(text.empty() ? "-" : text); };
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  log.info("request", {{"listener", std::string(request.listener)},
                       {"client", with_client ? or_dash(request.client) : std::string("-")},
                       {"method", or_dash(request.method)},
                       {"path", or_dash(request.path.substr(0, kMostOfPath))},
                       {"status", request.status > 0 ? std::int64_t{request.status} : std::int64_t{-1}},
                       {"outcome", std::string(to_text(request.outcome))},
                       {"reason", or_dash(request.rejected)},
                       {"class", std::string(to_text(request.request_class))},
                       {"node", std::string(request.node_name)},
                       {"epoch", number(request.epoch)},
                       {"row", request.row ? std::string(to_text(*request.row)) : std::string("-")},
                       {"sends", std::int64_t{request.sends}},
                       {"held_ms", millis(request.held)},
                       {"upstream_ms", request.upstream ? millis(*request.upstream) : std::int64_t{-1}},
                       {"total_ms", millis(request.total)},
                       {"bytes_up", number(request.bytes_up)},
                       {"bytes_down", number(request.bytes_down)},
                       {"end", std::string(request.end)},
                       {"id", or_dash(request.request_id)}});
}

void log_failed_request(const log::ClusterLog& log, const proxy::RequestRecord& request) {
  const auto or_dash = [](std::string_view text) { return std::string(text.empty() ? "-" : text); };
  log.warn("request_failed", {{"id", or_dash(request.request_id)},
                              {"listener", std::string(request.listener)},
                              {"method", or_dash(request.method)},
                              {"class", std::string(to_text(request.request_class))},
                              {"status", request.status > 0 ? std::int64_t{request.status} : std::int64_t{-1}},
                              {"outcome", std::string(to_text(request.outcome))},
                              {"node", std::string(request.node_name)},
                              {"epoch", static_cast<std::int64_t>(request.epoch)},
                              {"row", request.row ? std::string(to_text(*request.row)) : std::string("-")},
                              {"held_ms", millis(request.held)},
                              {"total_ms", millis(request.total)},
                              {"end", std::string(request.end)},
                              {"why", or_dash(request.why)}});
}

}  // namespace bellwether::app
