#include "bellwether/base/prng.h"
#include "bellwether/base/text.h"
#include "bellwether/base/time.h"
#include "catch.hpp"

using namespace bellwether;

TEST_CASE("durations are read as written", "[base]") {
  CHECK(parse_duration("250ms").value() == 250ms);
  CHECK(parse_duration("1.5s").value() == 1500ms);
  CHECK(parse_duration("2m").value() == 2min);
  CHECK(parse_duration("1h").value() == 1h);
  CHECK(parse_duration("10us").value() == 10us);
  CHECK(parse_duration("0").value() == 0ms);
  CHECK(parse_duration("1500").value() == 1500ms);
}

TEST_CASE("what is not a duration is refused with an example", "[base]") {
  for (const char* bad : {"", "ms", "1 s", "-1s", "1x", "1s2", "1..5s", "500d", "s1", "1e3s"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
  CHECK_THAT(parse_duration("fast").error().message, CATCH_CONTAINS("250ms"));
}

TEST_CASE("durations are printed so that they read back the same", "[base]") {
  for (Duration d :
       {Duration(0s), Duration(1ms), Duration(1500ms), Duration(90s), Duration(2h), Duration(36h), Duration(7ns)}) {
    CHECK(parse_duration(format_duration(d)).value() == d);
  }
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(1s) == "1s");
}

TEST_CASE("a mistyped word finds its neighbour, a strange one finds nobody", "[base]") {
  const std::vector<std::string_view> words{"inter", "fastinter", "fall", "rise"};
  CHECK(nearest("intre", words).value() == "inter");
  CHECK(nearest("Fall", words).value() == "fall");
  CHECK_FALSE(nearest("certificate", words).has_value());
}

TEST_CASE("jitter stays inside its fraction and differs", "[base]") {
  Prng prng(7);
  Duration low = 10s;
  Duration high = 0s;
  for (int i = 0; i < 1000; ++i) {
    const Duration d = prng.jitter(1s, 0.1);
    low = std::min(low, d);
    high = std::max(high, d);
  }
  CHECK(low >= 900ms);
  CHECK(high <= 1100ms);
  CHECK(high - low > 150ms);
}

TEST_CASE("a moment keeps its wall time while the clocks run together, and moves when one is set", "[base]") {
  const TimePoint start{100s};
  const WallTime wall(1795232520123ms);
  WallClock clock(start, wall);
  const WallTime shown = clock.at(start + 7s);
  CHECK(shown == wall + 7s);
  // Two readings of two clocks are never quite the same distance apart.
  for (const auto apart : {1us, 900us, 400000us, -400000us}) {
    clock.follow(start + 60s, wall + 60s + apart);
    CHECK(clock.at(start + 7s) == shown);
  }
  clock.follow(start + 60s, wall + 1h);
  CHECK(clock.at(start + 60s) == wall + 1h);
  CHECK(clock.at(start + 7s) == wall + 1h - 53s);
}

TEST_CASE("UTC is printed with milliseconds", "[base]") {
  CHECK(format_utc(WallTime(1795232520123ms)) == "2026-11-21T03:42:00.123Z");
}
