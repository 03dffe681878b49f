#include "node_state.h"

#include <algorithm>

#include "pacing.h"

namespace bellwether::cluster {

bool was_heard(const NodeState& node) {
  return node.ever_answered || node.seen.failure.has_value() || node.seen.facts.status != 0;
}

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

}  // namespace bellwether::cluster
