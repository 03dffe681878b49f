#include "log_level_text.h"

#include <fmt/format.h>

namespace bellwether::app {

bool is_log_level_ordered(const Json& log_level) {
  return log_level.is_object() && text_of(log_level, "level") != text_of(log_level, "configured");
}

std::string log_level_text(const Json& log_level) {
  if (!log_level.is_object()) return "the answer does not tell the level of the log";
  const std::string level = text_of(log_level, "level");
  const std::string configured = text_of(log_level, "configured");
  if (level == configured) return level + ", as configured";
  if (!part_of(log_level, "until").is_string()) {
    return fmt::format("{} until another order or the next start; {} is configured", level, configured);
  }
  return fmt::format("{} for another {} (until {}), then {}, as configured", level,
                     span_text(number_of(log_level, "seconds_left")), text_of(log_level, "until"), configured);
}

}  // namespace bellwether::app
