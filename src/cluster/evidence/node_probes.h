#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/tracker_options.h"
#include "long_ago.h"
#include "pacing.h"

namespace bellwether::cluster {

// The second one goes out on a fresh connection, since the kept one may be dead.
inline constexpr std::size_t kMaxOutstanding = 2;

// The probes of one node: which are under way and how late they are, how fast the node answers, and when it is to be
// asked again. What the answers say is the concern of NodeState.
class NodeProbes {
 public:
  // When the next probe is due: one in flight; once that one is late, one more on a fresh connection, never a third.
  [[nodiscard]] TimePoint order_due(bool is_up, const PaceContext& context, const TrackerOptions& options,
                                    TimePoint now) const;
  // A probe starts. `shortening` is the part of the interval after it that is left out.
  void order(ProbeId probe, double shortening, TimePoint now);
  // The next order does not wait for the interval.
  void ask_soon() { ask_soon_ = true; }
  // Something changed: the next few orders come at fastinter, for the next change is often near.
  void hurry() { fast_rounds_ = std::max(fast_rounds_, kFastRoundsAfterChange); }

  struct Ended {
    TimePoint ordered{};
    bool was_late = false;
  };
  // A probe ended. Nothing if this node has no such probe under way.
  std::optional<Ended> end(ProbeId probe, const TrackerOptions& options, TimePoint now);
  // Any answer came, after `latency`. What is usual is learned only while things are `settled`.
  void note_answer(Duration latency, bool settled, const TrackerOptions& options);
  // An answer of Vault's came to a probe that was sent then.
  void note_vault_answer(TimePoint sent) { answered_sent_ = std::max(answered_sent_, sent); }
  // The node answered a live request that was sent then.
  void note_live_answer(TimePoint sent);
  // Our own process stood still until now: no node was late or silent meanwhile.
  void excuse_stop(TimePoint now);

  [[nodiscard]] bool has_outstanding() const { return !outstanding_.empty(); }
  [[nodiscard]] bool is_asked_since(TimePoint since) const;
  // A younger probe has been answered: what is old and still waits has a dead connection, not a dead node.
  [[nodiscard]] bool is_overtaken(TimePoint ordered) const { return answered_sent_ > ordered; }
  [[nodiscard]] bool has_late_probe(const TrackerOptions& options, TimePoint now) const {
    return late_from(options) <= now;
  }
  // When the first probe under way will be late; kNever if none will.
  [[nodiscard]] TimePoint late_from(const TrackerOptions& options) const;
  // When a probe under way will have been unanswered for `patience`, counted from `from` at the earliest; kNever if
  // none will. A live answer does not shield from that: it is no claim.
  [[nodiscard]] TimePoint patience_over(TimePoint from, Duration patience) const;
  // Since when the node has answered nothing; nothing while its probes are merely under way.
  [[nodiscard]] std::optional<TimePoint> silent_since(const TrackerOptions& options, TimePoint now) const;

 private:
  static constexpr int kFastRoundsAfterChange = 3;

  // A probe that has been ordered and has not ended.
  struct Outstanding {
    ProbeId id = 0;
    TimePoint ordered{};
    TimePoint late_from{};  // lateness counts from here: ordered, or the end of a stop of our own loop
  };
  [[nodiscard]] Duration patience(const TrackerOptions& options) const;
  [[nodiscard]] bool is_excused(const Outstanding& probe) const;

  std::vector<Outstanding> outstanding_;  // at most kMaxOutstanding
  TimePoint last_order_ = kLongAgo;
  double shortening_ = 1.0;  // jitter of the present interval, drawn with each order
  bool ask_soon_ = false;
  int fast_rounds_ = 0;       // orders left at fastinter after a change
  Duration latency_{};        // of the last answer
  Duration usual_latency_{};  // slow-moving mean
  bool slow_ = false;         // the last answer took ten times as long as usual

  TimePoint live_sent_ = kLongAgo;             // when the newest live request that it answered was sent
  TimePoint answered_sent_ = kLongAgo;         // when the newest probe that it answered was sent
  std::optional<TimePoint> unanswered_since_;  // when the oldest probe was sent since which nothing has been answered
};

}  // namespace bellwether::cluster
