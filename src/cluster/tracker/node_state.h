#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/cluster/view.h"

namespace bellwether::cluster {

inline constexpr TimePoint kLongAgo = TimePoint::min();

// A probe that has been ordered and has not ended.
struct OutstandingProbe {
  ProbeId id = 0;
  TimePoint ordered{};
  TimePoint late_from{};  // lateness counts from here: ordered, or the end of a stop of our own loop
};

// The second one goes out on a fresh connection, since the kept one may be dead.
inline constexpr std::size_t kMaxOutstanding = 2;

// Orders at fastinter after something changed: the next change is often near.
inline constexpr int kFastRoundsAfterChange = 3;

// What the tracker remembers of one node. The evidence times are what every rule about claims compares.
struct NodeState {
  NodeView seen;  // what the view shows of it

  TimePoint claim_sent = kLongAgo;     // when the newest claim was asked for: the moment it is true for
  TimePoint denied_at = kLongAgo;      // when the newest denial was received: true from then on
  TimePoint replaced_at = kLongAgo;    // when another node took the lead from it, or took it after it
  TimePoint rose_at = kLongAgo;        // when it was seen to turn from a denial to a claim
  TimePoint live_sent = kLongAgo;      // when the newest live request that it answered was sent
  TimePoint answered_sent = kLongAgo;  // when the newest probe that it answered was sent
  TimePoint silence_counted = kLongAgo;
  std::optional<TimePoint> unanswered_since;  // when the oldest probe was sent since which nothing has been answered
  bool ever_answered = false;
  std::string cluster_id;  // last stated in an answer of Vault's

  std::vector<OutstandingProbe> outstanding;  // at most kMaxOutstanding
  TimePoint last_order = kLongAgo;
  double shortening = 1.0;   // jitter of the present interval, drawn with each order
  bool probe_now = false;    // the next order does not wait for the interval
  int fast_rounds = 0;       // orders left at fastinter after a change
  Duration usual_latency{};  // slow-moving mean
  bool slow = false;         // the last answer took ten times as long as usual

  std::optional<LeaderStatement> statement;
};

// A younger probe has been answered: what is old and still waits has a dead connection, not a dead node.
[[nodiscard]] bool is_overtaken(const NodeState& node, TimePoint ordered);
// Counts one unanswered or unintelligible probe; at most one per `inter`, however fast we probe. True if that took the
// node down.
bool count_silence(NodeState& node, const TrackerOptions& options, TimePoint now);
// Counts one answer of Vault's; true if that brought the node up. A node that was never heard has no past to live
// down: its first answer is enough.
bool count_answer(NodeState& node, const TrackerOptions& options);
// Notices an answer that took ten times as long as usual. What is usual is learned only while things are `settled`.
void note_latency(NodeState& node, Duration latency, bool settled, const TrackerOptions& options);

}  // namespace bellwether::cluster
