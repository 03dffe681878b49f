#include "log_level.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/text.h"
#include "bellwether/config/options.h"

namespace bellwether::app {
namespace {

constexpr std::size_t kMaxShown = 32;  // of a text that is no level

}  // namespace

std::vector<std::string_view> log_levels() {
  return std::get<config::EnumField>(config::find_option("log_level")->field).values;
}

Result<void> LogLevel::order(std::string_view level, std::optional<Duration> lasts, TimePoint now) {
  const std::vector<std::string_view> levels = log_levels();
  if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("\"{}{}\" is not a level of the log; the levels are {}", printable(level, kMaxShown),
                            level.size() > kMaxShown ? "..." : "", fmt::join(levels, ", ")));
  }
  order_.reset();
  if (level == configured_) return {};
  order_ = Order{std::string(level), lasts ? std::optional(now + *lasts) : std::nullopt};
  return {};
}

void LogLevel::configure(std::string level) {
  configured_ = std::move(level);
  if (order_ && order_->level == configured_) order_.reset();
}

void LogLevel::tick(TimePoint now) {
  if (order_ && order_->until && *order_->until <= now) order_.reset();
}

}  // namespace bellwether::app
