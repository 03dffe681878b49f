#pragma once

#include <string>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker_options.h"
#include "bellwether/cluster/view.h"
#include "long_ago.h"

namespace bellwether::cluster {

// What the tracker knows of one node by its answers. The evidence times are what every rule about claims compares.
struct NodeState {
  NodeView seen;  // what the view shows of it

  TimePoint claim_sent = kLongAgo;   // when the newest claim was asked for: the moment it is true for
  TimePoint denied_at = kLongAgo;    // when the newest denial was received: true from then on
  TimePoint replaced_at = kLongAgo;  // when another node took the lead from it, or took it after it
  TimePoint rose_at = kLongAgo;      // when it was seen to turn from a denial to a claim
  TimePoint silence_counted = kLongAgo;
  bool ever_answered = false;
  std::string cluster_id;  // last stated in an answer of Vault's
};

// A probe of the node has ended, with whatever result.
[[nodiscard]] bool was_heard(const NodeState& node);
// Counts one unanswered or unintelligible probe; at most one per `inter`, however fast we probe. True if that took the
// node down.
bool count_silence(NodeState& node, const TrackerOptions& options, TimePoint now);
// Counts one answer of Vault's; true if that brought the node up. A node that was never heard has no past to live
// down: its first answer is enough.
bool count_answer(NodeState& node, const TrackerOptions& options);

}  // namespace bellwether::cluster
