#include "tally.h"

namespace bellwether::app {

void Tally::record(const cluster::Event& event) {
  switch (event.kind) {
    case cluster::EventKind::kLeaderElected:
      if (led_before_ && led_before_ != event.node) ++leader_changes_;
      led_before_ = event.node;
      leaderless_ += event.unsettled;
      return;
    case cluster::EventKind::kConflict:
      ++two_leaders_;
      return;
    case cluster::EventKind::kForeignNode:
      ++foreign_nodes_;
      return;
    case cluster::EventKind::kRoleChanged:
    case cluster::EventKind::kNodeUp:
    case cluster::EventKind::kNodeDown:
    case cluster::EventKind::kLeaderLost:
    case cluster::EventKind::kLeaderSuspect:
    case cluster::EventKind::kLeaderConfirmed:
    case cluster::EventKind::kConflictEnded:
    case cluster::EventKind::kClusterIdLearned:
    case cluster::EventKind::kAdminStateChanged:
    case cluster::EventKind::kStalled:
    case cluster::EventKind::kStallEnded:
    case cluster::EventKind::kLoopLate:
      return;
  }
}

void Tally::on_view(const cluster::View& view) { leaderless_since_ = view.leaderless_since; }

Duration Tally::leaderless(TimePoint now) const {
  return leaderless_ + (leaderless_since_ ? now - *leaderless_since_ : Duration::zero());
}

}  // namespace bellwether::app
