#include "app/service/watchdog.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "bellwether/net/manual_clock.h"
#include "catch.hpp"

using namespace bellwether;

namespace {

constexpr Duration kLimit = 30s;

// A process of which one loop may be stuck.
struct Fed {
  Fed() {
    auto made = net::Loop::create({.clock = &clock});
    REQUIRE(made);
    loop = std::move(*made);
    watchdog.emplace(
        *loop, kLimit,
        [this](std::function<void()> on_turned) {
          ++asked;
          if (is_stuck) return waiting.push_back(std::move(on_turned));
          on_turned();
        },
        [this] { at.push_back(clock.now() - begun); });
  }
  void pass(Duration time) { clock.advance(*loop, time); }

  net::ManualClock clock;
  const TimePoint begun = clock.now();
  std::unique_ptr<net::Loop> loop;
  bool is_stuck = false;
  int asked = 0;
  std::vector<std::function<void()>> waiting;
  std::vector<Duration> at;  // which it was told that all is well
  std::optional<app::Watchdog> watchdog;
};

}  // namespace

TEST_CASE("a watchdog is fed at once and three times within its limit", "[watchdog]") {
  Fed it;
  it.watchdog->begin();
  it.pass(kLimit);
  CHECK(it.at == std::vector<Duration>{0s, 10s, 20s, 30s});
}

TEST_CASE("a watchdog is not fed while a loop is stuck, and again when it turns", "[watchdog]") {
  Fed it;
  it.watchdog->begin();
  it.is_stuck = true;
  it.pass(5 * kLimit);
  CHECK(it.at == std::vector<Duration>{0s});
  CHECK(it.asked == 2);  // a stuck loop's queue does not grow
  it.is_stuck = false;
  it.waiting.front()();
  CHECK(it.at == std::vector<Duration>{0s, 5 * kLimit});
  it.pass(10s);
  CHECK(it.at.size() == 3);
}

TEST_CASE("a loop that turns after the end of the watchdog finds nobody", "[watchdog]") {
  Fed it;
  it.is_stuck = true;
  it.watchdog->begin();
  REQUIRE(it.waiting.size() == 1);
  it.watchdog.reset();
  it.waiting.front()();
  CHECK(it.at.empty());
}
