#pragma once

#include <optional>

#include "bellwether/base/time.h"
#include "node_state.h"

namespace bellwether::cluster {

// Intervals are shortened by up to this share, never lengthened: an interval is a promise of "at the latest".
inline constexpr double kJitter = 0.1;

// What the pace of probing depends on, beside the node itself.
struct PaceContext {
  std::optional<TimePoint> unsettled_since;  // no leader, or a suspect one, since then
  bool contested = false;
  bool paused = false;  // and no traffic will tell what happens
  bool idle = false;
};

// The time from the node's last order to its next, before jitter.
[[nodiscard]] Duration probe_interval(const NodeState& node, const PaceContext& context, const TrackerOptions& options);

}  // namespace bellwether::cluster
