#include "journal.h"

namespace bellwether::admin {

void Journal::record(const cluster::Event& event, WallTime now) {
  if (event.kind == cluster::EventKind::kLeaderLost) {
    LeaderChange& change = changes_.emplace_back();
    change.at = now;
    change.from = event.node_name;
    change.why = event.why;
  } else if (event.kind == cluster::EventKind::kLeaderElected) {
    LeaderChange& change = open_change();
    change.at = now;
    if (change.from.empty()) change.from = event.other_name;
    change.to = event.node_name;
    change.epoch = event.epoch;
    if (change.why.empty()) change.why = event.why;
    change.leaderless = event.unsettled;
  }
  if (changes_.size() > kMost) changes_.pop_front();
}

LeaderChange& Journal::open_change() {
  if (changes_.empty() || !changes_.back().to.empty()) changes_.emplace_back();
  return changes_.back();
}

}  // namespace bellwether::admin
