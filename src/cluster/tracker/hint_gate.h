#pragma once

#include <algorithm>

#include "bellwether/base/time.h"

namespace bellwether::cluster {

// Lets hints start probe rounds, with a gap that doubles while the rounds only confirm what is known: slow endpoints
// and quota answers must not become a probe storm.
class HintGate {
 public:
  HintGate(Duration first_gap, Duration longest_gap)
      : first_gap_(first_gap), longest_gap_(longest_gap), gap_(first_gap) {}

  // A hint came. True: start a round now. False: too soon, due() says when.
  bool admit(TimePoint now) {
    if (now > quiet_after_) gap_ = first_gap_;
    quiet_after_ = now + longest_gap_;
    if (now < next_) {
      pending_ = true;
      return false;
    }
    open(now);
    return true;
  }
  // When a hint that came too soon may start its round; kNever if none waits.
  [[nodiscard]] TimePoint due() const { return pending_ ? next_ : kNever; }
  // True once that moment has come; the round then counts as started.
  bool take_due(TimePoint now) {
    if (!pending_ || now < next_) return false;
    open(now);
    return true;
  }
  // Something did change: hints were right, listen closely again.
  void reset() {
    gap_ = first_gap_;
    next_ = TimePoint::min();
    pending_ = false;
  }

 private:
  void open(TimePoint now) {
    pending_ = false;
    next_ = now + gap_;
    gap_ = std::min(gap_ * 2, longest_gap_);
  }

  Duration first_gap_;
  Duration longest_gap_;
  Duration gap_;
  TimePoint next_ = TimePoint::min();
  TimePoint quiet_after_ = TimePoint::max();
  bool pending_ = false;
};

}  // namespace bellwether::cluster
