#include "tally.h"

namespace bellwether::app {

void Tally::take_over(const TallyHandover& theirs) {
  counts_.leader_changes = static_cast<double>(theirs.leader_changes);
  counts_.two_leaders = static_cast<double>(theirs.two_leaders);
  counts_.foreign_nodes = static_cast<double>(theirs.foreign_nodes);
  leaderless_ = theirs.leaderless;
  if (!led_before_) {
    led_before_ = theirs.led_before;
    led_before_name_ = theirs.led_before_name;
  } else if (theirs.led_before && theirs.led_before != led_before_) {
    ++counts_.leader_changes;
  }
}

TallyHandover Tally::hand_over() const {
  return {leader_changes(), two_leaders(), foreign_nodes(), leaderless_, led_before_, led_before_name_};
}

void Tally::record(const cluster::Event& event) {
  switch (event.kind) {
    case cluster::EventKind::kLeaderElected:
      if (led_before_ && led_before_ != event.node) ++counts_.leader_changes;
      led_before_ = event.node;
      led_before_name_ = event.node_name;
      leaderless_ += event.unsettled;
      return;
    case cluster::EventKind::kConflict:
      // Without a challenger the nodes state different cluster_ids, and none has a majority.
      ++(event.other ? counts_.two_leaders : counts_.foreign_nodes);
      return;
    case cluster::EventKind::kForeignNode:
      ++counts_.foreign_nodes;
      return;
    case cluster::EventKind::kRoleChanged:
    case cluster::EventKind::kNodeUp:
    case cluster::EventKind::kNodeDown:
    case cluster::EventKind::kLeaderLost:
    case cluster::EventKind::kLeaderSuspect:
    case cluster::EventKind::kLeaderConfirmed:
    case cluster::EventKind::kConflictEnded:
    case cluster::EventKind::kSameServer:
    case cluster::EventKind::kClusterIdLearned:
    case cluster::EventKind::kAdminStateChanged:
    case cluster::EventKind::kStalled:
    case cluster::EventKind::kStallEnded:
    case cluster::EventKind::kPaused:
    case cluster::EventKind::kResumed:
    case cluster::EventKind::kLoopLate:
    case cluster::EventKind::kNodeAdded:
    case cluster::EventKind::kNodeRemoved:
    case cluster::EventKind::kNodeRenamed:
      return;
  }
}

void Tally::on_view(const cluster::View& view) { leaderless_since_ = view.leaderless_since; }

Duration Tally::leaderless(TimePoint now) const {
  return leaderless_ + (leaderless_since_ ? now - *leaderless_since_ : Duration::zero());
}

metrics::ControlValues Tally::values(TimePoint now) const {
  metrics::ControlValues values = counts_;
  values.leaderless_seconds = to_seconds(leaderless(now));
  return values;
}

cluster::FailoverTraffic failover_traffic(const proxy::ProxyCounts& counts, bool has_http) {
  const proxy::HttpCounts& http = counts.http;
  cluster::FailoverTraffic traffic;
  traffic.held = counts.held_total;
  traffic.retried = http.resent;
  // An http request that waited in vain is among the unserved: then the others that did are left out.
  const std::uint64_t in_vain = has_http ? 0 : counts.hold_timeouts + counts.hold_overflows;
  traffic.failed = http.ambiguous + http.unserved + in_vain;
  traffic.moved_idle = counts.sessions_cut_quiet;
  traffic.moved_at_request = counts.sessions_cut_request;
  traffic.moved_after_answer = counts.sessions_cut_answer;
  traffic.moved_at_deadline = counts.sessions_cut_silent + counts.sessions_cut_deadline;
  traffic.cut = http.cut + counts.sessions_cut_silent + counts.sessions_cut_deadline + counts.sessions_cut_dead +
                counts.sessions_cut_admin;
  return traffic;
}

admin::Counters page_counters(const proxy::ProxyCounts& counts, const Tally& tally) {
  const std::uint64_t cut = counts.sessions_cut_quiet + counts.sessions_cut_request + counts.sessions_cut_answer +
                            counts.sessions_cut_silent + counts.sessions_cut_deadline + counts.sessions_cut_dead +
                            counts.sessions_cut_admin + counts.sessions_cut_idle + counts.sessions_cut_no_first_byte +
                            counts.sessions_cut_for_room;
  return {{"sessions_now", counts.sessions_now},
          {"sessions_total", counts.sessions_total},
          {"waiting_now", counts.held_now},
          {"waited_total", counts.held_total},
          {"waited_in_vain_total", counts.hold_timeouts + counts.hold_overflows},
          {"sessions_cut_total", cut},
          {"redirects_total", counts.redirects_total},
          {"leader_changes_total", tally.leader_changes()}};
}

}  // namespace bellwether::app
