#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "answer_text.h"
#include "bellwether/base/percent.h"
#include "commands.h"
#include "control.h"
#include "log_level_text.h"

namespace bellwether::app {
namespace {

std::string target_of(const LogLevelOptions& options) {
  if (options.level.empty()) return "/log-level";
  const std::string lasts = options.lasts ? "&for=" + format_duration(*options.lasts) : std::string();
  return fmt::format("/log-level?level={}{}", percent_encoded(options.level), lasts);
}

}  // namespace

int log_level_command(const LogLevelOptions& options) {
  const auto answer = order(options.control, target_of(options));
  if (answer && options.json) {
    fmt::print("{}", *answer);
    return kExitFine;
  }
  if (answer) {
    fmt::print("{}\n", log_level_text(Json::parse(*answer, nullptr, false)));
    return kExitFine;
  }
  if (options.json) {
    const nlohmann::ordered_json json{{"error", answer.error().message}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print(stderr, "bellwether log-level: {}\n", answer.error().message);
  }
  return kExitFailed;
}

}  // namespace bellwether::app
