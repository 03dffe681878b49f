#pragma once

#include <optional>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker_options.h"
#include "cluster/evidence/journal.h"

namespace bellwether::cluster {

// Whether anybody uses the proxy: when clients asked for something last, and whether the operator has them wait. Says
// when nobody waits, so that the nodes need not be asked often.
class Demand {
 public:
  void start(TimePoint now) { last_traffic_ = now; }

  struct Woken {
    bool was_unused = false;
    bool was_idle = false;
  };
  // A client wants something. Returns which states that has ended: the caller asks the nodes accordingly.
  Woken note_traffic(const TrackerOptions& options, TimePoint now);

  void pause(Duration at_most, TimePoint now, Journal& journal);
  void resume(const std::string& why, TimePoint now, Journal& journal);
  [[nodiscard]] bool is_paused() const { return paused_until_.has_value(); }
  [[nodiscard]] std::optional<TimePoint> paused_until() const { return paused_until_; }

  // No client has asked for anything for idle_after, and the options want that to make a difference.
  [[nodiscard]] bool is_unused(const TrackerOptions& options, TimePoint now) const {
    return unused_from(options) <= now;
  }
  // It was unused when the last call ended, and nothing was in doubt: the first request waits for a fresh claim.
  [[nodiscard]] bool is_idle() const { return is_idle_; }

  // What follows from time. `may_idle`: nothing about the lead is in doubt.
  void settle(bool may_idle, const TrackerOptions& options, TimePoint now, Journal& journal);
  [[nodiscard]] TimePoint next_wake(const TrackerOptions& options, TimePoint now) const;

 private:
  // kNever if being unused shall make no difference.
  [[nodiscard]] TimePoint unused_from(const TrackerOptions& options) const;

  TimePoint last_traffic_{};
  bool is_idle_ = false;
  std::optional<TimePoint> paused_until_;
};

}  // namespace bellwether::cluster
