#include "pacing.h"

#include <algorithm>

namespace bellwether::cluster {
namespace {

constexpr int kElectionShare = 50;  // an interval of 1/50 adds about 1 % to the election, on average
constexpr Duration kSlowestElectionPace = 250ms;
constexpr int kRestShare = 5;          // where nobody waits a node is asked for a fifth of the time at most
constexpr Duration kLongOutage = 30s;  // after that nobody is electing: back to inter

// Where nobody waits nothing is gained by haste, and a thousand sidecars that hear of a crash at once are a storm; the
// slower the node, the longer they leave it alone.
Duration shortest_interval(const NodePace& node, const PaceContext& context, const TrackerOptions& options) {
  if (!context.unused) return options.fastinter;
  return std::max({kUnhurried, options.fastinter, node.latency * kRestShare});
}

Duration election_interval(Duration lasted, Duration shortest, const TrackerOptions& options) {
  if (lasted > kLongOutage) return options.inter;
  return std::clamp(lasted / kElectionShare, shortest, std::max(kSlowestElectionPace, shortest));
}

}  // namespace

Duration probe_interval(const NodePace& node, const PaceContext& context, const TrackerOptions& options) {
  if (context.unsettled_since.has_value()) {
    const bool before = node.last_order < *context.unsettled_since;
    const Duration lasted = before ? Duration::zero() : node.last_order - *context.unsettled_since;
    const Duration interval = election_interval(lasted, shortest_interval(node, context, options), options);
    return node.slow ? interval * 2 : interval;
  }
  if (node.fast_rounds > 0) return shortest_interval(node, context, options);
  if (context.contested || context.paused) return std::min(options.inter, kSlowestElectionPace);
  if (context.unused) return options.idle_inter;
  return node.up ? options.inter : options.downinter;
}

}  // namespace bellwether::cluster
