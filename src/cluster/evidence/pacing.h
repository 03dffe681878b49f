#pragma once

#include <optional>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker_options.h"
#include "long_ago.h"

namespace bellwether::cluster {

// Intervals are shortened by up to this share, never lengthened: an interval is a promise of "at the latest".
inline constexpr double kJitter = 0.1;

// While nobody waits no interval is shorter than this, and a round that a hint asks for begins within it.
inline constexpr Duration kUnhurried = 250ms;

// What the pace of probing depends on, beside the node itself.
struct PaceContext {
  std::optional<TimePoint> unsettled_since;  // no leader, or a suspect one, since then
  bool contested = false;
  bool paused = false;  // and no traffic will tell what happens
  bool unused = false;  // no client has asked for anything for idle_after: nobody waits
};

// What the pace of probing one node depends on, of the node itself.
struct NodePace {
  bool up = false;
  TimePoint last_order = kLongAgo;
  int fast_rounds = 0;  // orders left at fastinter after a change
  Duration latency{};   // of the last answer
  bool slow = false;    // the last answer took ten times as long as usual
};

// The time from the node's last order to its next, before jitter.
[[nodiscard]] Duration probe_interval(const NodePace& node, const PaceContext& context, const TrackerOptions& options);

}  // namespace bellwether::cluster
