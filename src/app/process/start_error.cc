#include "start_error.h"

#include <fmt/format.h>

#include <cstdio>

#include "bellwether/base/visible.h"
#include "journal.h"
#include "log_line.h"

namespace bellwether::app {

void report_start_error(config::LogFormat format, const std::string& message) {
  const std::string_view prefix = log::line_prefix(log::Level::kError);
  if (format == config::LogFormat::kText) return fmt::print(stderr, "{}bellwether: {}\n", prefix, for_people(message));
  fmt::print(stderr, "{}{}\n", prefix,
             log::json_line(std::chrono::system_clock::now(), log::Level::kError, "start_failed",
                            {{"why", for_people(message)}}));
}

void report_config_problem(config::LogFormat format, const config::Problem& problem, bool is_hint) {
  const auto level = is_hint ? log::Level::kWarn : log::Level::kError;
  const std::string_view prefix = log::line_prefix(level);
  if (format == config::LogFormat::kText) {
    return fmt::print(stderr, "{}{}{}\n", prefix, problem.to_string(), is_hint ? " (hint)" : "");
  }
  const std::string event = is_hint ? "configuration_hint" : "configuration_problem";
  fmt::print(stderr, "{}{}\n", prefix,
             log::json_line(std::chrono::system_clock::now(), level, event,
                            {{"file", problem.file},
                             {"line", std::int64_t{problem.line}},
                             {"column", std::int64_t{problem.column}},
                             {"why", problem.message}}));
}

}  // namespace bellwether::app
