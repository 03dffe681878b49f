#include "bellwether/base/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>

namespace bellwether {
namespace {

struct Unit {
  std::string_view suffix;
  Duration length;
};

// Longest first within what format_duration may choose from.
constexpr std::array<Unit, 7> kUnits{
    {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}, {"ns", 1ns}}};

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a duration; write a number and a unit, such as "
                                                 "\"250ms\", \"1s\", \"2m\" or \"1h\"",
                                                 text));
  };
  const std::size_t digits_end = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits_end);
  const std::string_view suffix = digits_end == std::string_view::npos ? "ms" : text.substr(digits_end);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (number.empty() || error != std::errc{} || end != number.data() + number.size()) return bad();
  for (const Unit& unit : kUnits) {
    if (unit.suffix != suffix) continue;
    const double count = std::round(value * static_cast<double>(unit.length.count()));
    if (count > static_cast<double>(Duration(366 * 24h).count())) {
      return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is longer than a year", text));
    }
    return Duration(static_cast<Duration::rep>(count));
  }
  return bad();
}

std::string format_duration(Duration d) {
  if (d == Duration::zero()) return "0s";
  for (const Unit& unit : kUnits) {
    // Days and hours only when whole and small to read: 90 s stays "90s", 1500 ms stays "1500ms".
    if (d % unit.length == Duration::zero()) return fmt::format("{}{}", d / unit.length, unit.suffix);
  }
  return fmt::format("{}ns", d.count());
}

void WallClock::follow(TimePoint now, WallTime wall_now) {
  if (std::chrono::abs(wall_now - at(now)) <= kSet) return;
  steady_ = now;
  wall_ = wall_now;
}

std::string format_utc(WallTime t) {
  const auto since_epoch = t.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto millis = duration_cast<std::chrono::milliseconds>(since_epoch - seconds).count();
  const std::time_t time = seconds.count();
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

}  // namespace bellwether
