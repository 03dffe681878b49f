#include "times.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/migration/haproxy/units.h"
#include "bellwether/base/visible.h"
#include "listener_times.h"

namespace bellwether::app::migration {
namespace {

struct SaidTime {
  Duration time;
  const Line* line;
};

std::optional<SaidTime> said_time(const Section& section, std::string_view what, std::string_view key,
                                  Context& context) {
  const Line* line = context.document.find(section, "timeout", what);
  if (line == nullptr) return std::nullopt;
  const auto time = time_for(key, line->word(2), *line, context.notes);
  return time ? std::optional(SaidTime{*time, line}) : std::nullopt;
}

void put(Listener& listener, std::string_view key, const std::optional<SaidTime>& said) {
  if (said) listener.settings.push_back({key, json_time(said->time), Source(*said->line)});
}

}  // namespace

std::optional<Duration> time_for(std::string_view key, std::string_view text, const Line& line, Notes& notes) {
  const auto* option =
      std::find_if(kTimeOptions.begin(), kTimeOptions.end(), [&](const TimeOption& each) { return each.key == key; });
  const std::optional<Duration> time = parse_time(text);
  if (!time || option == kTimeOptions.end()) {
    notes.decide(line, fmt::format("\"{}\" is not a time; {} keeps its default", for_people(text.substr(0, 60)), key));
    return std::nullopt;
  }
  const bool is_endless = *time == Duration::zero() && option->min > Duration::zero();
  const Duration used = is_endless ? option->max : std::clamp(*time, option->min, option->max);
  if (used != *time) {
    notes.decide(line, fmt::format("{} takes {} to {}: {} is written", key, format_duration(option->min),
                                   format_duration(option->max), format_duration(used)));
  }
  return used;
}

std::string json_time(Duration time) { return json_string(format_duration(time)); }

// In tcp mode the shorter one of both sides ends a silent session in HAProxy, and `timeout tunnel` takes the place of
// both. In http mode a request's answer is waited for by `timeout server`.
void add_listener_times(const Section& section, bool is_http, Context& context, Listener& listener) {
  const Section& backend = *context.cluster.backends.front();
  std::optional<SaidTime> idle = said_time(section, "client", "timeout_idle", context);
  if (is_http) {
    put(listener, "timeout_idle", idle);
    put(listener, "timeout_header", said_time(section, "http-request", "timeout_header", context));
    put(listener, "timeout_answer", said_time(backend, "server", "timeout_answer", context));
    return;
  }
  const std::optional<SaidTime> server = said_time(backend, "server", "timeout_idle", context);
  if (server && (!idle || server->time < idle->time)) idle = server;
  if (const auto tunnel = said_time(backend, "tunnel", "timeout_idle", context)) idle = tunnel;
  put(listener, "timeout_idle", idle);
}

}  // namespace bellwether::app::migration
