#include "node_state.h"

#include <algorithm>

#include "pacing.h"

namespace bellwether::cluster {

bool count_silence(NodeState& node, const TrackerOptions& options, TimePoint now) {
  node.seen.answers = 0;
  const Duration shortest_inter =
      options.inter - duration_cast<Duration>(options.inter * kJitter);  // what jitter leaves of it
  if (node.silence_counted != kLongAgo && now - node.silence_counted < shortest_inter) return false;
  node.silence_counted = now;
  node.seen.silences = std::min(node.seen.silences + 1, options.fall);
  if (!node.seen.up || node.seen.silences < options.fall) return false;
  node.seen.up = false;
  return true;
}

bool count_answer(NodeState& node, const TrackerOptions& options) {
  const bool first = !node.ever_answered;
  node.ever_answered = true;
  node.seen.silences = 0;
  node.silence_counted = kLongAgo;
  node.seen.answers = std::min(node.seen.answers + 1, options.rise);
  if (node.seen.up || (!first && node.seen.answers < options.rise)) return false;
  node.seen.up = true;
  return true;
}

bool is_overtaken(const NodeState& node, TimePoint ordered) { return node.answered_sent > ordered; }

void note_latency(NodeState& node, Duration latency, bool settled, const TrackerOptions& options) {
  const bool known = node.usual_latency > Duration::zero();
  node.slow = known && latency > node.usual_latency * 10 && latency > options.fastinter;
  node.seen.latency = latency;
  if (!known) {
    node.usual_latency = latency;
  } else if (settled) {
    node.usual_latency += (latency - node.usual_latency) / 8;
  }
}

}  // namespace bellwether::cluster
