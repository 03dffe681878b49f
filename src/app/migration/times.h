#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "bellwether/base/time.h"
#include "context.h"

namespace bellwether::app::migration {

// The times that an imported file may say, with the limits of the option table (a unit test compares them).
struct TimeOption {
  std::string_view key;
  Duration min, max;
};
inline constexpr std::array<TimeOption, 8> kTimeOptions{{{"timeout_connect", 10ms, 1min},
                                                         {"timeout_check", 100ms, 1min},  // not below suspect_after
                                                         {"timeout_idle", 1s, 7 * 24h},
                                                         {"timeout_header", 100ms, 10min},
                                                         {"timeout_answer", 100ms, 24h},
                                                         {"inter", 10ms, 30s},  // not beyond idle_inter
                                                         {"downinter", 10ms, 1h},
                                                         {"hard_stop_after", 0s, 24h}}};

// The time as it is used for the option: within its limits, which is told if it was not. 0 is "no limit" to HAProxy:
// the longest. nullopt: the text is no time, which is told.
[[nodiscard]] std::optional<Duration> time_for(std::string_view key, std::string_view text, const Line& line,
                                               Notes& notes);
[[nodiscard]] std::string json_time(Duration time);

}  // namespace bellwether::app::migration
