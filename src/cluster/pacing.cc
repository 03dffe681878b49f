#include "pacing.h"

#include <algorithm>

namespace bellwether::cluster {
namespace {

constexpr int kElectionShare = 50;  // an interval of 1/50 adds about 1 % to the election, on average
constexpr Duration kSlowestElectionPace = 250ms;
constexpr Duration kLongOutage = 30s;  // after that nobody is electing: back to inter

Duration election_interval(Duration lasted, const TrackerOptions& options) {
  if (lasted > kLongOutage) return options.inter;
  const Duration slowest = std::max(kSlowestElectionPace, options.fastinter);
  return std::clamp(lasted / kElectionShare, options.fastinter, slowest);
}

}  // namespace

Duration probe_interval(const NodeState& node, const PaceContext& context, const TrackerOptions& options) {
  if (context.unsettled_since.has_value()) {
    const bool before = node.last_order < *context.unsettled_since;
    const Duration lasted = before ? Duration::zero() : node.last_order - *context.unsettled_since;
    const Duration interval = election_interval(lasted, options);
    return node.slow ? interval * 2 : interval;
  }
  if (node.fast_rounds > 0) return options.fastinter;
  if (context.contested || context.paused) return std::min(options.inter, kSlowestElectionPace);
  if (!node.seen.up) return options.downinter;
  return context.idle ? options.idle_inter : options.inter;
}

}  // namespace bellwether::cluster
