#include "bellwether/net/manual_clock.h"

#include <algorithm>

#include "bellwether/base/assert.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

namespace {

// Real time: a test whose loops never come to rest, or one of which is stuck, is wrong.
constexpr auto kPatience = std::chrono::seconds(60);

}  // namespace

void ManualClock::advance(Loop& own, Duration by) {
  (void)advance_until(
      own, [] { return false; }, by);
}

bool ManualClock::advance_until(Loop& own, const std::function<bool()>& done, Duration by) {
  const TimePoint until = now() + by;
  settle(own);
  while (!done()) {
    if (now() >= until) return false;
    now_ = std::max(now(), std::min(next_due(own), until));
    settle(own);
  }
  return true;
}

void ManualClock::settle(Loop& own) {
  BW_ASSERT(own.clock() == this);
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  while (turn_all(own)) BW_ASSERT(std::chrono::steady_clock::now() < patience_ends);
}

// True if any loop has done anything meanwhile. If none has, none has given another one anything to do, and each has
// looked at its sockets since: all are at rest.
bool ManualClock::turn_all(Loop& own) {
  std::unique_lock lock(mutex_);
  const std::uint64_t work_before = work_turns_;
  const std::uint64_t round = ++round_;
  for (const Member& other : members_) {
    if (other.loop != &own) other.loop->ring();
  }
  lock.unlock();
  own.turn();
  lock.lock();
  const auto has_turned = [round](const Member& each) { return each.has_ended || each.round >= round; };
  const bool have_all =
      changed_.wait_for(lock, kPatience, [&] { return std::all_of(members_.begin(), members_.end(), has_turned); });
  BW_ASSERT(have_all);
  return work_turns_ != work_before;
}

TimePoint ManualClock::next_due(const Loop& own) {
  const std::lock_guard lock(mutex_);
  TimePoint first = kNever;
  for (const Member& each : members_) {
    if (!each.has_ended || each.loop == &own) first = std::min(first, each.next_due);
  }
  return first;
}

void ManualClock::add(const Loop& loop) {
  const std::lock_guard lock(mutex_);
  members_.push_back({&loop});
}

void ManualClock::remove(const Loop& loop) {
  const std::lock_guard lock(mutex_);
  members_.erase(std::remove_if(members_.begin(), members_.end(), [&](const Member& m) { return m.loop == &loop; }),
                 members_.end());
  changed_.notify_all();
}

void ManualClock::on_run(const Loop& loop, bool begins) {
  const std::lock_guard lock(mutex_);
  member(loop).has_ended = !begins;
  changed_.notify_all();
}

void ManualClock::on_turn(const Loop& loop, const Turn& turn) {
  const std::lock_guard lock(mutex_);
  Member& of_loop = member(loop);
  of_loop.round = turn.round;
  of_loop.next_due = turn.next_due;
  if (turn.has_worked) ++work_turns_;
  changed_.notify_all();
}

ManualClock::Member& ManualClock::member(const Loop& loop) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.loop == &loop; });
  BW_ASSERT(found != members_.end());
  return *found;
}

}  // namespace bellwether::net
