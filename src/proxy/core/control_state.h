#pragma once

#include <atomic>

#include "bellwether/base/time.h"
#include "view_lease.h"

namespace bellwether::proxy {

// ViewLease::ControlState as the control thread writes it and all workers read it, without a message in between: a
// worker must not send by an old view because the message is behind the request in its queue of events.
class SharedControlState {
 public:
  // Control thread.
  void expect_by(TimePoint due) { due_.store(due.time_since_epoch().count(), std::memory_order_release); }
  void require_claims_since(TimePoint since) {
    claims_since_.store(since.time_since_epoch().count(), std::memory_order_release);
  }

  // Any thread. `due` is read first: whoever sees a new one sees what was required before it was set.
  [[nodiscard]] ViewLease::ControlState load() const {
    const TimePoint due(Duration(due_.load(std::memory_order_acquire)));
    return {due, TimePoint(Duration(claims_since_.load(std::memory_order_acquire)))};
  }

 private:
  std::atomic<Duration::rep> due_{kNever.time_since_epoch().count()};
  std::atomic<Duration::rep> claims_since_{TimePoint::min().time_since_epoch().count()};
};

}  // namespace bellwether::proxy
