#include "bellwether/net/manual_clock.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bellwether/net/loop.h"
#include "catch.hpp"
#include "component/net/stream_pair.h"

using namespace bellwether;
using net::Loop;
using net::ManualClock;
using net::Timer;

namespace {

std::unique_ptr<Loop> make_loop(ManualClock& clock) {
  auto loop = Loop::create({.clock = &clock});
  REQUIRE(loop);
  return std::move(*loop);
}

// A loop in another thread, as a worker's.
class OtherThread {
 public:
  explicit OtherThread(ManualClock& clock) : loop(make_loop(clock)), thread_([this] { loop->run(); }) {}
  ~OtherThread() {
    loop->stop();
    thread_.join();
  }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

  const std::unique_ptr<Loop> loop;

 private:
  std::thread thread_;
};

// What happened, and how long after the beginning.
struct Diary {
  explicit Diary(const ManualClock& c) : clock(c), begun(c.now()) {}
  void note(const std::string& what) { lines.emplace_back(what, clock.now() - begun); }

  const ManualClock& clock;
  const TimePoint begun;
  std::vector<std::pair<std::string, Duration>> lines;
};

using Lines = std::vector<std::pair<std::string, Duration>>;

}  // namespace

TEST_CASE("a manual clock stands still until it is moved", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  const TimePoint begun = clock.now();
  bool fired = false;
  Timer timer(*loop, [&] { fired = true; });
  timer.arm_in(1ms);
  CHECK_FALSE(loop->run_until([&] { return fired; }, 20ms));
  CHECK(loop->now() == begun);
  CHECK(loop->precise_now() == begun);
  clock.advance(*loop, 999us);
  CHECK_FALSE(fired);
  CHECK(timer.due() == begun + 1ms);
  clock.advance(*loop, 1us);
  CHECK(fired);
  CHECK(loop->now() == begun + 1ms);
}

TEST_CASE("an advance over many timers fires each at its own time, in order", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  Diary diary(clock);
  std::vector<std::unique_ptr<Timer>> timers;
  const auto at = [&](Duration due, const std::string& name) {
    timers.push_back(std::make_unique<Timer>(*loop, [&diary, name] { diary.note(name); }));
    timers.back()->arm_in(due);
  };
  at(24h, "day");
  at(30ms, "c");
  at(10ms, "a");
  at(20ms, "b, armed first");
  at(20ms, "b, armed later");
  at(50h, "too late");
  clock.advance(*loop, 49h);
  CHECK(diary.lines ==
        Lines{{"a", 10ms}, {"b, armed first", 20ms}, {"b, armed later", 20ms}, {"c", 30ms}, {"day", 24h}});
  CHECK(clock.now() == diary.begun + 49h);
  CHECK(loop->take_worst_lateness() == Duration::zero());
}

TEST_CASE("a timer that a callback arms within an advance fires at its time", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  Diary diary(clock);
  int left = 3;
  std::optional<Timer> again;
  again.emplace(*loop, [&] {
    diary.note("again");
    if (--left > 0) again->arm_in(10ms);
  });
  Timer other(*loop, [&] { diary.note("other"); });
  Timer first(*loop, [&] { other.arm_in(20ms); });
  again->arm_in(10ms);
  first.arm_in(5ms);
  clock.advance(*loop, 100ms);
  CHECK(diary.lines == Lines{{"again", 10ms}, {"again", 20ms}, {"other", 25ms}, {"again", 30ms}});
}

TEST_CASE("a timer that a callback cancels, moves or destroys does not fire at its old time", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  Diary diary(clock);
  Timer cancelled(*loop, [&] { diary.note("cancelled"); });
  Timer moved(*loop, [&] { diary.note("moved"); });
  auto destroyed = std::make_unique<Timer>(*loop, [&] { diary.note("destroyed"); });
  Timer first(*loop, [&] {
    diary.note("first");
    cancelled.cancel();
    moved.arm_in(40ms);
    destroyed.reset();
  });
  cancelled.arm_in(20ms);
  moved.arm_in(10ms);  // due at the same moment as the first, and armed before it
  destroyed->arm_in(30ms);
  first.arm_in(10ms);
  moved.arm_in(10ms + Duration(1));
  clock.advance(*loop, 100ms);
  CHECK(diary.lines == Lines{{"first", 10ms}, {"moved", 50ms}});
}

TEST_CASE("a timer armed for a time that has passed fires in the next turn, though the clock stands", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  Diary diary(clock);
  int left = 3;
  std::optional<Timer> again;
  again.emplace(*loop, [&] {
    diary.note("again");
    loop->at_turn_end([&] { diary.note("end of the turn"); });
    if (--left > 0) again->arm_at(clock.now() - 1h);
  });
  again->arm_in(Duration::zero());
  REQUIRE(loop->run_until([&] { return left == 0; }, 5s));
  CHECK(diary.lines == Lines{{"again", 0ms},
                             {"end of the turn", 0ms},
                             {"again", 0ms},
                             {"end of the turn", 0ms},
                             {"again", 0ms},
                             {"end of the turn", 0ms}});
}

TEST_CASE("an advance stops where what the test waits for is true", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  int ticks = 0;
  std::optional<Timer> tick;
  tick.emplace(*loop, [&] {
    ++ticks;
    tick->arm_in(1s);
  });
  tick->arm_in(1s);
  const TimePoint begun = clock.now();
  CHECK(clock.advance_until(
      *loop, [&] { return ticks == 3; }, 1h));
  CHECK(clock.now() == begun + 3s);
  CHECK_FALSE(clock.advance_until(
      *loop, [&] { return ticks == 5; }, 1500ms));
  CHECK(clock.now() == begun + 4500ms);
}

TEST_CASE("what a timer sends is read, answered and read again before the next timer", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  OtherThread worker(clock);
  Diary diary(clock);
  net::testing::End client;
  net::testing::End server;
  server.echo = true;
  auto listening = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
  REQUIRE(listening);
  // The server's loop is that of another thread.
  std::optional<net::Listener> listener;
  const net::Address address = *listening->local_address();
  worker.loop->post([&, socket = std::make_shared<net::Socket>(std::move(*listening))] {
    listener.emplace(*worker.loop, std::move(*socket), [&](net::Socket accepted, const net::Address&) {
      server.stream = net::Stream::accept(*worker.loop, std::move(accepted), nullptr, 10s, server);
    });
  });
  clock.settle(*loop);
  client.stream = net::Stream::connect(*loop, address, {}, client);
  clock.settle(*loop);
  REQUIRE(client.opened);
  Timer ask(*loop, [&] {
    client.to_send += "question";
    client.flush();
  });
  Timer later(*loop, [&] { diary.note(client.received); });
  ask.arm_in(10ms);
  later.arm_in(10ms + Duration(1));
  clock.advance(*loop, 20ms);
  CHECK(diary.lines == Lines{{"question", 10ms + Duration(1)}});
  worker.loop->post([&] {
    listener.reset();
    server.stream.reset();
  });
  clock.settle(*loop);
}

TEST_CASE("the timers of several threads fire in one order", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  OtherThread one(clock);
  OtherThread two(clock);
  Diary diary(clock);  // written by one thread at a time: the others are at rest
  std::optional<Timer> ones;
  std::optional<Timer> twos;
  Timer own(*loop, [&] { diary.note("own"); });
  one.loop->post([&] {
    ones.emplace(*one.loop, [&] {
      diary.note("one");
      two.loop->post([&] {
        diary.note("posted by one");
        twos->arm_in(30ms);
      });
    });
    ones->arm_in(20ms);
  });
  two.loop->post([&] { twos.emplace(*two.loop, [&] { diary.note("two"); }); });
  own.arm_in(40ms);
  clock.advance(*loop, 1s);
  CHECK(diary.lines == Lines{{"one", 20ms}, {"posted by one", 20ms}, {"own", 40ms}, {"two", 50ms}});
  one.loop->post([&] { ones.reset(); });
  two.loop->post([&] { twos.reset(); });
  clock.settle(*loop);
}

TEST_CASE("a loop that has ended, or is gone, does not hold up the clock", "[net][clock]") {
  ManualClock clock;
  const auto loop = make_loop(clock);
  { const OtherThread gone(clock); }
  const auto ended = make_loop(clock);
  Timer never(*ended, [] { FAIL("its loop does not turn"); });
  never.arm_in(1ms);
  ended->stop();
  std::thread thread([&] { ended->run(); });
  thread.join();
  bool fired = false;
  Timer timer(*loop, [&] { fired = true; });
  timer.arm_in(1s);
  clock.advance(*loop, 1s);
  CHECK(fired);
}
