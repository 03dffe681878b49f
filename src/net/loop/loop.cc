#include "bellwether/net/loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "bellwether/base/assert.h"
#include "bellwether/net/manual_clock.h"
#include "timer_queue.h"

namespace bellwether::net {

namespace {

timeval to_timeval(Duration d) {
  const auto micros = std::chrono::ceil<std::chrono::microseconds>(std::max(d, Duration::zero())).count();
  return timeval{micros / 1'000'000, micros % 1'000'000};
}

// How long the machine has been suspended since it was booted: the steady clock does not count that.
Duration time_suspended() {
  timespec with{};
  timespec without{};
  if (::clock_gettime(CLOCK_MONOTONIC, &without) != 0 || ::clock_gettime(CLOCK_BOOTTIME, &with) != 0) return {};
  const auto since_boot = [](const timespec& at) { return std::chrono::seconds(at.tv_sec) + Duration(at.tv_nsec); };
  return since_boot(with) - since_boot(without);
}

// How long the calling thread has computed.
Duration thread_time() {
  timespec computed{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &computed) != 0) return {};
  return std::chrono::seconds(computed.tv_sec) + Duration(computed.tv_nsec);
}

}  // namespace

struct Timer::Impl : TimerEntry {
  Loop& loop;
  std::function<void()> callback;
  TimePoint asked = kNever;
  bool* destroyed = nullptr;  // set while the callback runs: it may destroy the timer

  Impl(Loop& l, std::function<void()> c) : loop(l), callback(std::move(c)) {}
};

struct Loop::Impl {
  TimerQueue timers;
  event* alarm = nullptr;                 // the one libevent timer: wakes the loop for the first of `timers`
  TimePoint alarm_at = kNever;            // what it is armed for
  std::uint64_t first_order_of_turn = 0;  // timers with this order or a later one were armed in this turn
  Duration worst_lateness{};
  Duration stop_limit{};
  Duration suspended{};  // before this turn
  std::function<void(Duration)> on_stopped;
  std::vector<std::function<void()>> turn_end;

  int wake_fd = -1;
  event* wake = nullptr;
  std::atomic<bool> stopping{false};
  // For a ManualClock.
  std::uint64_t round = 0;    // the last that this loop has turned for
  bool was_rung = false;      // in this turn
  std::size_t callbacks = 0;  // of this turn, without those of sockets
  TimePoint sampled_at{};
  Duration computed_then{};  // by this thread, as of sampled_at
  std::mutex mailbox_mutex;
  std::vector<std::function<void()>> mailbox;  // guarded by mailbox_mutex

  ~Impl() {
    if (alarm != nullptr) event_free(alarm);
    if (wake != nullptr) event_free(wake);
    if (wake_fd >= 0) ::close(wake_fd);
  }

  void ring() const {
    const std::uint64_t one = 1;
    // Fails only when the counter is full: then the loop is awake anyway.
    [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
  }

  void take_mail() {
    was_rung = true;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_fd, &count, sizeof count);
    std::vector<std::function<void()>> mail;
    {
      const std::lock_guard lock(mailbox_mutex);
      mail.swap(mailbox);
    }
    callbacks += mail.size();
    for (auto& work : mail) work();
  }

  // The time that this thread has computed since some moment that was before its last turn: a thread that works does
  // not stand still, however long a turn takes it. Asking the kernel costs more than a turn may, so it is asked once in
  // kSampleAfter.
  Duration worked_lately(TimePoint now) {
    constexpr Duration kSampleAfter = 10ms;
    if (now - sampled_at < kSampleAfter) return Duration::zero();
    const Duration computed = thread_time();
    sampled_at = now;
    return computed - std::exchange(computed_then, computed);
  }

  // True if a timer is due already, so that the turn must not wait.
  bool set_alarm(const Loop& loop) {
    const TimerEntry* first = timers.top();
    if (first == nullptr || first->due == alarm_at) return false;
    const TimePoint now = loop.now();
    if (first->due <= now) return true;
    if (loop.clock_ != nullptr) return false;  // it rings when it moves
    alarm_at = first->due;
    const timeval delay = to_timeval(first->due - now);
    BW_ASSERT(evtimer_add(alarm, &delay) == 0);
    return false;
  }

  void run_due(TimePoint now) {
    // A timer armed in this turn for a time that has passed is due `now`, so that it stands behind all others that are.
    const auto is_due = [&](const TimerEntry* first) {
      return first != nullptr && first->due <= now && first->order < first_order_of_turn;
    };
    for (TimerEntry* first = timers.top(); is_due(first); first = timers.top()) {
      ++callbacks;
      worst_lateness = std::max(worst_lateness, now - first->due);
      timers.remove(*first);
      fire(*static_cast<Timer::Impl*>(first));
    }
  }

  static void fire(Timer::Impl& timer) {
    bool destroyed = false;
    timer.destroyed = &destroyed;
    auto callback = std::move(timer.callback);
    callback();
    if (destroyed) return;
    timer.callback = std::move(callback);
    timer.destroyed = nullptr;
  }

  void run_turn_end() {
    // Work may ask for more such work: it belongs to the same turn's end.
    for (std::size_t i = 0; i < turn_end.size(); ++i) {
      const auto work = std::move(turn_end[i]);
      work();
    }
    callbacks += turn_end.size();
    turn_end.clear();
  }

  [[nodiscard]] bool has_worked(event_base* base) {
    const int sockets = event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 1) - (was_rung ? 1 : 0);
    was_rung = false;
    return std::exchange(callbacks, 0) > 0 || sockets > 0;
  }

  static void on_deadline(int, short, void* is_over) noexcept { *static_cast<bool*>(is_over) = true; }
  static void on_alarm(int, short, void* self) noexcept { static_cast<Loop*>(self)->impl_->alarm_at = kNever; }
  static void on_wake(int, short, void* self) noexcept {
    static_cast<Loop*>(self)->begin_callback();
    static_cast<Loop*>(self)->impl_->take_mail();
  }
};

Loop::Loop(Private) : impl_(std::make_unique<Impl>()) {}

Result<std::unique_ptr<Loop>> Loop::create(Options options) {
  auto loop = std::make_unique<Loop>(Private{});
  // OpenSSL's and splice's writes have no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  event_config* config = event_config_new();
  if (config == nullptr) return fail(ErrorKind::kInternal, "no memory for an event loop");
  // No other thread touches the base (post() uses an eventfd), and EVENT_* variables must not change the backend.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
                                    (options.precise_timers ? EVENT_BASE_FLAG_PRECISE_TIMER : 0));
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
  loop->base_ = event_base_new_with_config(config);
  event_config_free(config);
  if (loop->base_ == nullptr) return fail(ErrorKind::kInternal, "cannot create an event loop (out of descriptors?)");

  Impl& impl = *loop->impl_;
  impl.wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (impl.wake_fd < 0) return fail(ErrorKind::kInternal, "cannot create an eventfd (out of descriptors?)");
  impl.alarm = evtimer_new(loop->base_, &Impl::on_alarm, loop.get());
  impl.wake = event_new(loop->base_, impl.wake_fd, EV_READ | EV_PERSIST, &Impl::on_wake, loop.get());
  if (impl.alarm == nullptr || impl.wake == nullptr || event_add(impl.wake, nullptr) != 0) {
    return fail(ErrorKind::kInternal, "cannot register the loop's own events");
  }
  loop->clock_ = options.clock;
  if (options.clock != nullptr) options.clock->add(*loop);
  return loop;
}

Loop::~Loop() {
  if (clock_ != nullptr) clock_->remove(*this);
  // What queued work owns may still unregister itself.
  impl_->turn_end.clear();
  impl_->mailbox.clear();
  impl_.reset();
  if (base_ != nullptr) event_base_free(base_);
}

void Loop::run() {
  if (clock_ != nullptr) clock_->on_run(*this, true);
  while (!impl_->stopping.exchange(false)) turn();
  if (clock_ != nullptr) clock_->on_run(*this, false);
}

bool Loop::run_until(const std::function<bool()>& done, Duration deadline) {
  bool is_over = false;
  const std::unique_ptr<event, decltype(&event_free)> alarm(evtimer_new(base_, &Impl::on_deadline, &is_over),
                                                            &event_free);
  const timeval delay = to_timeval(deadline);
  BW_ASSERT(alarm && evtimer_add(alarm.get(), &delay) == 0);
  while (!done()) {
    if (is_over || impl_->stopping) return false;
    turn();
  }
  return true;
}

void Loop::turn() {
  if (clock_ == nullptr) return turn_once(true);
  const std::uint64_t round = clock_->round();
  turn_once(round == impl_->round);
  impl_->round = round;
  const TimerEntry* first = impl_->timers.top();
  clock_->on_turn(*this, {round, impl_->has_worked(base_), first == nullptr ? kNever : first->due});
}

void Loop::turn_once(bool may_wait) {
  now_is_read_ = false;
  if (impl_->set_alarm(*this) || !impl_->turn_end.empty()) may_wait = false;
  in_turn_ = true;
  now_is_read_ = false;
  stop_looked_for_ = false;
  impl_->first_order_of_turn = impl_->timers.next_order();
  event_base_loop(base_, EVLOOP_ONCE | (may_wait ? 0 : EVLOOP_NONBLOCK));
  begin_callback();
  if (!impl_->timers.empty()) impl_->run_due(now());
  impl_->run_turn_end();
  in_turn_ = false;
  now_is_read_ = false;
}

void Loop::set_on_stopped(Duration limit, std::function<void(Duration)> on_stopped) {
  impl_->stop_limit = std::max(limit, kLeastStop);
  impl_->suspended = time_suspended();
  impl_->sampled_at = precise_now();
  impl_->computed_then = thread_time();
  impl_->on_stopped = std::move(on_stopped);
}

void Loop::look_for_stop() {
  stop_looked_for_ = true;
  if (!impl_->on_stopped) return;
  const TimerEntry* first = impl_->timers.top();
  const Duration overdue = first == nullptr ? Duration::zero() : now() - first->due;
  const Duration suspended = time_suspended();
  const Duration worked = impl_->worked_lately(now());
  const Duration lasted = std::max(overdue - worked, suspended - std::exchange(impl_->suspended, suspended));
  if (lasted >= impl_->stop_limit) impl_->on_stopped(std::max(overdue, lasted));
}

void Loop::stop() {
  impl_->stopping = true;
  ring();
}

void Loop::ring() const { impl_->ring(); }

TimePoint Loop::precise_now() const { return clock_ == nullptr ? std::chrono::steady_clock::now() : clock_->now(); }

void Loop::read_clock() const {
  now_ = precise_now();
  now_is_read_ = in_turn_;
}

void Loop::post(std::function<void()> work) {
  bool was_empty = false;
  {
    const std::lock_guard lock(impl_->mailbox_mutex);
    was_empty = impl_->mailbox.empty();
    impl_->mailbox.push_back(std::move(work));
  }
  if (was_empty) impl_->ring();
}

void Loop::at_turn_end(std::function<void()> work) { impl_->turn_end.push_back(std::move(work)); }

Duration Loop::take_worst_lateness() { return std::exchange(impl_->worst_lateness, Duration::zero()); }

Timer::Timer(Loop& loop, std::function<void()> callback) : impl_(std::make_unique<Impl>(loop, std::move(callback))) {}

Timer::~Timer() {
  cancel();
  if (impl_->destroyed != nullptr) *impl_->destroyed = true;
}

void Timer::arm_at(TimePoint at) {
  cancel();
  if (at == kNever) return;
  // A time that has passed means the next turn: a callback that re-arms itself so must not keep the sockets waiting.
  impl_->asked = at;
  impl_->due = std::max(at, impl_->loop.now());
  impl_->loop.impl_->timers.insert(*impl_);
}

void Timer::arm_in(Duration delay) {
  const TimePoint now = impl_->loop.now();
  arm_at(delay < kNever - now ? now + delay : kNever);
}

void Timer::cancel() {
  impl_->loop.impl_->timers.remove(*impl_);
  impl_->asked = kNever;
}

bool Timer::is_armed() const { return impl_->is_queued(); }
TimePoint Timer::due() const { return is_armed() ? impl_->asked : kNever; }

}  // namespace bellwether::net
