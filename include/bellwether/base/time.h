#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether {

// Steady time only; nothing in the house decides by the wall clock. Pure code receives `now`, `net::Loop` reads it.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// For people only: log lines, "leader since".
using WallTime = std::chrono::system_clock::time_point;

using std::chrono::duration_cast;
using namespace std::chrono_literals;

inline constexpr TimePoint kNever = TimePoint::max();

[[nodiscard]] inline double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
[[nodiscard]] inline double to_millis(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// The wall time of steady moments, for people. A moment keeps the wall time it was once given, to the nanosecond, for
// as long as the two clocks run together; only when the wall clock has been set do all moments move with it. Pure.
class WallClock {
 public:
  static constexpr Duration kSet = 500ms;  // clocks further apart than this: somebody set one

  WallClock(TimePoint now, WallTime wall_now) : steady_(now), wall_(wall_now) {}

  // Both clocks, read one right after the other.
  void follow(TimePoint now, WallTime wall_now);
  [[nodiscard]] WallTime at(TimePoint moment) const {
    return wall_ + duration_cast<WallTime::duration>(moment - steady_);
  }

 private:
  TimePoint steady_;
  WallTime wall_;
};

// "250ms", "1.5s", "2m", "1h", "10us", "1d"; a plain number is milliseconds, as in HAProxy. Negative and empty are
// errors.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// The shortest exact spelling that parse_duration reads back: "250ms", "1s", "1500ms", "0s".
[[nodiscard]] std::string format_duration(Duration d);
// RFC 3339 in UTC with milliseconds: "2026-11-21T03:42:00.123Z".
[[nodiscard]] std::string format_utc(WallTime t);

}  // namespace bellwether
