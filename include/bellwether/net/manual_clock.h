#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::net {

class Loop;

// A clock for tests, which stands still until advance() moves it. All loops that were created with it
// (Loop::Options::clock) go by its time, those of other threads as well. It outlives them.
class ManualClock {
 public:
  ManualClock() = default;
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  // Any thread.
  [[nodiscard]] TimePoint now() const { return now_; }

  // Moves the time on by `by`, with a stop at each moment at which a timer of any of its loops is due. At each stop all
  // of them handle what is due, what came over their sockets and what was posted, until none has anything left to do.
  // `own` is the loop of the calling thread and is turned here, not within a turn of it; every other loop must be in
  // run(), or get there soon.
  void advance(Loop& own, Duration by);
  // The same, but for no longer than until `done()` is true, which is looked at at each stop. Returns done().
  bool advance_until(Loop& own, const std::function<bool()>& done, Duration by);
  // The same without moving the time: afterwards nothing happens by itself, but for what other programs, or threads
  // without a loop, do.
  void settle(Loop& own);

 private:
  friend class Loop;
  struct Turn {
    std::uint64_t round = 0;  // this turn has looked at its sockets after round() was that
    bool has_worked = false;
    TimePoint next_due = kNever;
  };
  struct Member {
    const Loop* loop = nullptr;
    std::uint64_t round = 0;
    TimePoint next_due = kNever;
    bool has_ended = false;  // its run() has returned: nobody turns it any more
  };

  void add(const Loop& loop);
  void remove(const Loop& loop);
  void on_run(const Loop& loop, bool begins);
  [[nodiscard]] std::uint64_t round() const { return round_; }
  void on_turn(const Loop& loop, const Turn& turn);

  Member& member(const Loop& loop);
  bool turn_all(Loop& own);
  TimePoint next_due(const Loop& own);

  // Not zero: a machine that has been up for a while.
  std::atomic<TimePoint> now_{TimePoint(24h)};
  std::atomic<std::uint64_t> round_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Member> members_;   // guarded by mutex_, as is what follows
  std::uint64_t work_turns_ = 0;  // turns in which a loop has done anything
};

}  // namespace bellwether::net
