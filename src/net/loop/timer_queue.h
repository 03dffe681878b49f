#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::net {

// What a TimerQueue orders. Owned by whoever arms it; the queue only points.
struct TimerEntry {
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  TimePoint due = kNever;
  std::uint64_t order = 0;  // of arming: first armed, first fired among equals
  std::size_t place = kNowhere;

  [[nodiscard]] bool is_queued() const { return place != kNowhere; }
};

// A binary min-heap of timers in which each entry knows its place, so that any of them can be taken out.
class TimerQueue {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  // The `order` of the timer that is inserted next.
  [[nodiscard]] std::uint64_t next_order() const { return next_order_; }
  [[nodiscard]] TimerEntry* top() const { return heap_.empty() ? nullptr : heap_.front(); }
  void insert(TimerEntry& entry);  // REQUIRES: not queued, due is set
  void remove(TimerEntry& entry);  // nothing, if not queued

 private:
  static bool before(const TimerEntry& a, const TimerEntry& b) {
    return a.due != b.due ? a.due < b.due : a.order < b.order;
  }
  void put(std::size_t place, TimerEntry* entry);
  void rise(std::size_t place);
  void sink(std::size_t place);

  std::vector<TimerEntry*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace bellwether::net
