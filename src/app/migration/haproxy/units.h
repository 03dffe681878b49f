#pragma once

#include <optional>
#include <string_view>

#include "bellwether/base/time.h"

namespace bellwether::app::migration {

// A time as HAProxy reads it: a whole number and us, ms, s, m, h or d; milliseconds without a unit. nullopt: it is
// none, or is longer than a year.
[[nodiscard]] std::optional<Duration> parse_time(std::string_view text);
// A whole number without a sign; nullopt: it is none, or is beyond a billion.
[[nodiscard]] std::optional<int> parse_count(std::string_view text);

}  // namespace bellwether::app::migration
