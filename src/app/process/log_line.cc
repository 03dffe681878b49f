#include "log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bellwether/base/visible.h"

namespace bellwether::app::log {
namespace {

constexpr std::string_view kClusterKey = "cluster";

std::string_view padded(Level level) {
  switch (level) {
    case Level::kDebug:
      return "DEBUG";
    case Level::kInfo:
      return "INFO ";
    case Level::kWarn:
      return "WARN ";
    case Level::kError:
      return "ERROR";
  }
  return "";
}

std::string_view name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "";
}

std::string in_quotes(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '=';
  });
}

struct Value {
  bool is_json;
  std::string operator()(const std::string& secret) const {
    const std::string text = without_userinfo(secret);
    return !is_json && is_plain(text) ? text : in_quotes(text);
  }
  std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
  std::string operator()(double number) const {
    if (is_json && !std::isfinite(number)) return "null";
    return fmt::format("{}", number);
  }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

}  // namespace

std::string text_line(std::optional<WallTime> time, Level level, std::string_view event, Fields fields,
                      std::string_view cluster) {
  std::string out = time ? format_utc(*time) + " " : std::string();
  out += fmt::format("{} {}", padded(level), event);
  if (!cluster.empty()) out += fmt::format(" {}={}", kClusterKey, Value{false}(std::string(cluster)));
  for (const Field& each : fields) out += fmt::format(" {}={}", each.key, std::visit(Value{false}, each.value));
  return out;
}

std::string json_line(WallTime time, Level level, std::string_view event, Fields fields, std::string_view cluster) {
  std::string out =
      fmt::format(R"({{"time":"{}","level":"{}","event":{})", format_utc(time), name(level), in_quotes(event));
  if (!cluster.empty()) out += fmt::format(",{}:{}", in_quotes(kClusterKey), in_quotes(cluster));
  for (const Field& each : fields)
    out += fmt::format(",{}:{}", in_quotes(each.key), std::visit(Value{true}, each.value));
  return out + "}";
}

}  // namespace bellwether::app::log
