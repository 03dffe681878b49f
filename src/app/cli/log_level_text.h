#pragma once

#include <string>

#include "answer_text.h"

namespace bellwether::app {

// What `log_level` of /status says, for people: "debug for another 9min (until ...), then info, as configured".
[[nodiscard]] std::string log_level_text(const Json& log_level);
// Whether the log has another level than the configured one.
[[nodiscard]] bool is_log_level_ordered(const Json& log_level);

}  // namespace bellwether::app
