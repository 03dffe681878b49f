#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/time.h"
#include "log.h"

namespace bellwether::app::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

// One line without its end. Values come from the network too: whatever they hold, it stays one line of printable ASCII
// (control and other characters as \uXXXX, bytes that are not UTF-8 as \ufffd), so that nobody can forge a line.
// Without a time, text has none: whoever takes the line adds one. `cluster` is the first field; empty: there is none.
[[nodiscard]] std::string text_line(std::optional<WallTime> time, Level level, std::string_view event, Fields fields,
                                    std::string_view cluster = {});
[[nodiscard]] std::string json_line(WallTime time, Level level, std::string_view event, Fields fields,
                                    std::string_view cluster = {});

}  // namespace bellwether::app::log
