#include "bellwether/net/loop.h"

#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bellwether/net/process.h"
#include "catch.hpp"

using namespace bellwether;
using net::Loop;
using net::Timer;

namespace {

std::unique_ptr<Loop> make_loop(bool precise = true) {
  auto loop = Loop::create({.precise_timers = precise});
  REQUIRE(loop);
  return std::move(*loop);
}

}  // namespace

TEST_CASE("timers fire in the order of their due times, and never early", "[net]") {
  for (const bool precise : {true, false}) {
    const auto loop = make_loop(precise);
    const TimePoint start = loop->precise_now();
    std::vector<int> fired;
    bool early = false;
    std::vector<std::unique_ptr<Timer>> timers;
    for (const int delay : {12, 4, 8, 0}) {
      timers.push_back(std::make_unique<Timer>(*loop, [&, delay] {
        early = early || loop->now() - start < std::chrono::milliseconds(delay);
        fired.push_back(delay);
      }));
      timers.back()->arm_in(std::chrono::milliseconds(delay));
    }
    CHECK(loop->run_until([&] { return fired.size() == 4; }, 5s));
    CHECK(fired == std::vector<int>{0, 4, 8, 12});
    CHECK_FALSE(early);
  }
}

TEST_CASE("a timer may re-arm itself in its callback without starving anything", "[net]") {
  const auto loop = make_loop();
  int ticks = 0;
  bool posted = false;
  std::optional<Timer> timer;
  timer.emplace(*loop, [&] {
    ++ticks;
    timer->arm_in(Duration::zero());
  });
  timer->arm_in(Duration::zero());
  loop->post([&] { posted = true; });
  CHECK(loop->run_until([&] { return posted && ticks >= 10; }, 5s));
}

TEST_CASE("a timer may be destroyed in its own callback or by another's", "[net]") {
  const auto loop = make_loop();
  auto victim = std::make_unique<Timer>(*loop, [] { FAIL("fired after its end"); });
  std::unique_ptr<Timer> suicide;
  bool ran = false;
  const std::string captured(100, 'x');
  suicide = std::make_unique<Timer>(*loop, [&, captured] {
    suicide.reset();
    victim.reset();
    ran = captured.size() == 100;
  });
  suicide->arm_in(1ms);
  victim->arm_in(1ms + Duration(1));
  CHECK(loop->run_until([&] { return ran; }, 5s));
  bool later = false;
  Timer last(*loop, [&] { later = true; });
  last.arm_in(3ms);
  CHECK(loop->run_until([&] { return later; }, 5s));
}

TEST_CASE("a timer armed for never, or cancelled, does not fire", "[net]") {
  const auto loop = make_loop();
  Timer never(*loop, [] { FAIL("fired"); });
  never.arm_at(kNever);
  CHECK_FALSE(never.is_armed());
  never.arm_in(Duration::max());
  CHECK_FALSE(never.is_armed());
  never.arm_in(1ms);
  CHECK(never.is_armed());
  never.cancel();
  CHECK_FALSE(loop->run_until([] { return false; }, 10ms));
}

TEST_CASE("work posted by other threads runs on the loop, in each poster's order", "[net]") {
  const auto loop = make_loop();
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<int> next(kThreads);
  bool ordered = true;
  int done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        loop->post([&, t, i] {
          ordered = ordered && next[static_cast<std::size_t>(t)]++ == i;
          ++done;
        });
      }
    });
  }
  CHECK(loop->run_until([&] { return done == kThreads * kEach; }, 20s));
  for (std::thread& thread : threads) thread.join();
  CHECK(ordered);
}

TEST_CASE("another thread can stop the loop, and a stop before the run counts", "[net]") {
  const auto loop = make_loop();
  std::thread stopper([&] { loop->stop(); });
  loop->run();
  stopper.join();
  loop->stop();
  loop->run();
}

TEST_CASE("work at the end of the turn runs after the callbacks of the turn", "[net]") {
  const auto loop = make_loop();
  std::vector<int> order;
  loop->post([&] {
    loop->at_turn_end([&] {
      order.push_back(3);
      loop->at_turn_end([&] { order.push_back(4); });
    });
    order.push_back(1);
  });
  loop->post([&] { order.push_back(2); });
  CHECK(loop->run_until([&] { return order.size() == 4; }, 5s));
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("work for the end of the turn that was asked for between turns does not wait for an event", "[net]") {
  const auto loop = make_loop();
  bool ran = false;
  loop->at_turn_end([&] { ran = true; });
  const TimePoint before = loop->precise_now();
  CHECK(loop->run_until([&] { return ran; }, 10s));
  CHECK(loop->precise_now() - before < 5s);
}

TEST_CASE("the loop tells how late a blocked turn made its timers", "[net]") {
  const auto loop = make_loop();
  bool fired = false;
  Timer timer(*loop, [&] { fired = true; });
  timer.arm_in(1ms);
  loop->post([&] {
    for (const TimePoint until = loop->precise_now() + 60ms; loop->precise_now() < until;) std::this_thread::yield();
  });
  CHECK(loop->run_until([&] { return fired; }, 5s));
  CHECK(loop->take_worst_lateness() >= 50ms);
  CHECK(loop->take_worst_lateness() == Duration::zero());
}

TEST_CASE("time stands still within a turn and is fresh after the wait", "[net]") {
  const auto loop = make_loop();
  const TimePoint asked = loop->precise_now();
  TimePoint first{}, second{};
  Timer timer(*loop, [&] {
    first = loop->now();
    for (const TimePoint until = loop->precise_now() + 2ms; loop->precise_now() < until;) std::this_thread::yield();
    second = loop->now();
  });
  timer.arm_in(10ms);
  CHECK(loop->run_until([&] { return second != TimePoint{}; }, 5s));
  CHECK(first == second);
  CHECK(first - asked >= 10ms);
}

TEST_CASE("a blocked signal arrives as an event", "[net]") {
  net::block_signals({SIGUSR2});
  const auto loop = make_loop();
  int seen = 0;
  const net::SignalWatch watch(*loop, {SIGUSR2}, [&](int signal) { seen = signal; });
  ::raise(SIGUSR2);
  CHECK(loop->run_until([&] { return seen == SIGUSR2; }, 5s));
}

TEST_CASE("a loop that stood still is told before it handles what has piled up", "[net]") {
  const auto loop = make_loop();
  std::vector<std::string> seen;
  std::optional<Duration> stopped;
  loop->set_on_stopped(50ms, [&](Duration lasted) {
    stopped = lasted;
    seen.emplace_back("stop");
  });
  bool ticked = false;
  Timer tick(*loop, [&] {
    ticked = true;
    seen.emplace_back("tick");
  });
  SECTION("while a timer was due") {
    tick.arm_in(1ms);
    loop->post([&] { seen.emplace_back("post"); });
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable never;
    CHECK_FALSE(never.wait_for(lock, 100ms, [] { return false; }));
    REQUIRE(loop->run_until([&] { return ticked; }, 5s));
    CHECK(seen == std::vector<std::string>{"stop", "post", "tick"});
    REQUIRE(stopped.has_value());
    CHECK(*stopped >= 90ms);
  }
  SECTION("not for the work that it did itself") {
    tick.arm_in(1ms);
    bool has_turned = false;
    loop->post([&] { has_turned = true; });
    REQUIRE(loop->run_until([&] { return has_turned; }, 5s));
    const TimePoint begun = loop->precise_now();
    const std::clock_t computed = std::clock();
    while (std::clock() - computed < CLOCKS_PER_SEC / 10) {
    }
    const Duration waited = loop->precise_now() - begun - 100ms;
    REQUIRE(loop->run_until([&] { return ticked; }, 5s));
    // A busy machine may stop this thread by itself.
    CHECK((!stopped || waited > 30ms));
  }
  SECTION("not for what is not late") {
    tick.arm_in(1ms);
    REQUIRE(loop->run_until([&] { return ticked; }, 5s));
    // A busy machine may stop this thread by itself.
    CHECK((seen == std::vector<std::string>{"tick"} || stopped.has_value()));
  }
}
