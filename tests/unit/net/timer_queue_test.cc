#include "net/loop/timer_queue.h"

#include <vector>

#include "bellwether/base/prng.h"
#include "catch.hpp"

using namespace bellwether;
using net::TimerEntry;
using net::TimerQueue;

namespace {

TimePoint at(std::uint64_t millis) { return TimePoint(std::chrono::milliseconds(millis)); }

}  // namespace

TEST_CASE("timers leave the queue by due time, and equals in the order of arming", "[net]") {
  TimerQueue queue;
  TimerEntry late, first, second;
  late.due = at(9);
  first.due = second.due = at(3);
  queue.insert(late);
  queue.insert(first);
  queue.insert(second);
  std::vector<TimerEntry*> left;
  while (TimerEntry* top = queue.top()) {
    left.push_back(top);
    queue.remove(*top);
  }
  CHECK(left == std::vector<TimerEntry*>{&first, &second, &late});
}

TEST_CASE("timers taken out of the middle leave the rest in order", "[net]") {
  Prng random(7);
  TimerQueue queue;
  std::vector<TimerEntry> entries(200);
  for (TimerEntry& entry : entries) {
    entry.due = at(random.below(50));
    queue.insert(entry);
  }
  for (std::size_t i = 0; i < entries.size(); i += 3) queue.remove(entries[i]);
  std::size_t left = 0;
  for (TimePoint last = at(0); TimerEntry* top = queue.top(); ++left) {
    REQUIRE(top->due >= last);
    last = top->due;
    queue.remove(*top);
    REQUIRE_FALSE(top->is_queued());
  }
  CHECK(left == 133);
}
