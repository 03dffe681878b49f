#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"

struct event_base;

namespace bellwether::net {

class ManualClock;

// One event loop, used by one thread: the one that calls run(). Only post() and stop() may be called from others.
class Loop {
  struct Private {};

 public:
  struct Options {
    bool precise_timers = false;   // 1 ms instead of some 4 ms, for a timerfd call per turn: the control loop only
    ManualClock* clock = nullptr;  // tests: the time of now() and of the timers, instead of the steady clock
  };
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(Options options);
  explicit Loop(Private);  // for create()
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop(); a stop() that came before counts. Within a turn the sockets' callbacks come first, then the due
  // timers, then at_turn_end. Posted work that is still queued when it stops is dropped with the loop.
  void run();
  // Turns until `done()` is true (looked at after each turn), `deadline` has passed or stop(), which still counts for
  // run(). Returns done(). The deadline is real time, whatever the clock; it may be a few milliseconds early.
  bool run_until(const std::function<bool()>& done, Duration deadline);
  void stop();

  // Within a turn: read once, after the wait. Outside of one: read anew. (Steady.)
  [[nodiscard]] TimePoint now() const {
    if (!now_is_read_) read_clock();
    return now_;
  }
  // Reads the clock: for stamping something that happened later in the turn (a probe's receipt time).
  [[nodiscard]] TimePoint precise_now() const;

  // Runs `work` on the loop's thread, in a later turn, in order of posting. Any thread. Never blocks.
  void post(std::function<void()> work);
  // Runs `work` at the end of this turn, after all callbacks of the turn have returned: where things are destroyed.
  void at_turn_end(std::function<void()> work);

  // `on_stopped` is called at the beginning of a turn, before any other callback of that turn, if this thread or the
  // whole machine stood still for `limit` or longer: a timer was due that long ago, or CLOCK_BOOTTIME has run on by so
  // much more than the steady clock (a suspended machine). A stop in which nothing was due is noticed by neither, and
  // what this thread itself computed meanwhile is no stop. Called on the thread that runs the loop. A shorter limit
  // than kLeastStop counts as that: timers are some milliseconds late as a rule.
  void set_on_stopped(Duration limit, std::function<void(Duration lasted)> on_stopped);
  static constexpr Duration kLeastStop = 50ms;

  // For the event handlers of this module, before they call anybody.
  void begin_callback() {
    if (!stop_looked_for_) look_for_stop();
  }

  // How late the loop has been at its worst turn since last asked: the gap between a timer's due time and its run.
  [[nodiscard]] Duration take_worst_lateness();

  [[nodiscard]] event_base* base() const { return base_; }
  // For a further loop that goes by the same time; null: the steady clock.
  [[nodiscard]] ManualClock* clock() const { return clock_; }

 private:
  friend class Timer;
  friend class ManualClock;
  void turn();
  void turn_once(bool may_wait);
  void ring() const;  // any thread: has it turn once more
  void read_clock() const;
  void look_for_stop();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  event_base* base_ = nullptr;
  ManualClock* clock_ = nullptr;
  bool in_turn_ = false;
  bool stop_looked_for_ = true;  // in this turn; outside of turns nobody calls
  mutable bool now_is_read_ = false;
  mutable TimePoint now_{};
};

// Fires once, `at` or as soon after as the loop turns. Owned by whoever it calls; destroying it cancels it. May be
// re-armed or destroyed inside its own callback.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm_at(TimePoint at);  // replaces an earlier arming; kNever cancels
  void arm_in(Duration delay);
  void cancel();
  [[nodiscard]] bool is_armed() const;
  [[nodiscard]] TimePoint due() const;

 private:
  friend class Loop;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::net
