#pragma once

#include <string_view>

#include "log_line.h"

namespace bellwether::app::log {

// Whether standard error is systemd's journal, which has a time for each line. Any thread.
[[nodiscard]] bool writes_to_journal();

// What a line to standard error begins with: its level, as the journal reads it ("<6>", sd-daemon(3)), or nothing
// where standard error is something else. Any thread.
[[nodiscard]] std::string_view line_prefix(Level level);

}  // namespace bellwether::app::log
