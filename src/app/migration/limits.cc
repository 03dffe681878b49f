#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/migration/haproxy/units.h"
#include "bellwether/base/ip_range.h"
#include "context.h"
#include "times.h"

namespace bellwether::app::migration {
namespace {

constexpr int kHighestMaxconn = 1'000'000;
constexpr int kHighestThreads = 256;

void put(std::string_view key, std::string value, const Line& line, Context& context) {
  context.plan.settings.push_back({key, std::move(value), Source(line)});
}

// The whole number behind the word, within its limits; tells what is none.
std::optional<int> count_of(const Line* line, int highest, Context& context) {
  if (line == nullptr) return std::nullopt;
  const auto count = parse_count(line->word(1));
  if (!count || *count == 0) {
    context.notes.decide(*line, "it is no whole number from 1 on; the default is used");
    return std::nullopt;
  }
  return std::min(*count, highest);
}

// The frontends' limits together, but not more than that of the process.
void map_maxconn(Context& context) {
  const Line* global = context.global("maxconn");
  const std::optional<int> most = count_of(global, kHighestMaxconn, context);
  int sum = 0;
  const Line* last = nullptr;
  for (const Section* each : context.cluster.frontends) {
    const Line* line = context.document.find(*each, "maxconn");
    const auto own = count_of(line, kHighestMaxconn, context);
    if (!own) {
      last = nullptr;  // one without a limit: that of the process counts
      break;
    }
    sum = std::min(sum + *own, kHighestMaxconn);
    last = line;
  }
  if (last != nullptr && (!most || sum < *most)) return put("maxconn", fmt::format("{}", sum), *last, context);
  if (most) put("maxconn", fmt::format("{}", *most), *global, context);
}

void map_process(Context& context) {
  const Line* threads = context.global("nbthread");
  if (const auto count = count_of(threads, kHighestThreads, context)) {
    put("threads", fmt::format("{}", *count), *threads, context);
  }
  if (const Line* line = context.global("hard-stop-after")) {
    const auto time = time_for("hard_stop_after", line->word(1), *line, context.notes);
    if (time) put("hard_stop_after", json_time(*time), *line, context);
  }
}

void map_logs(Context& context) {
  for (const auto& [option, key] : {std::pair<std::string_view, std::string_view>{"httplog", "log_requests"},
                                    std::pair<std::string_view, std::string_view>{"tcplog", "log_sessions"}}) {
    for (const Section* each : context.cluster.frontends) {
      const Line* line = context.document.find(*each, "option", option);
      if (line == nullptr) continue;
      put(key, "true", *line, context);
      break;
    }
  }
}

// Those whose word in X-Forwarded-For HAProxy keeps.
void map_forwarded_for(Context& context) {
  for (const Section* each : context.cluster.frontends) {
    const Line* line = context.document.find(*each, "option", "forwardfor");
    if (line == nullptr) continue;
    for (std::size_t i = 2; i < line->words.size(); ++i) {
      if (line->word(i) == "header") context.notes.lost(*line, "Bellwether sets X-Forwarded-For only");
      if (line->word(i) != "except") continue;
      if (IpRange::parse(line->word(i + 1))) {
        put("forwarded_for_trusted", fmt::format("[{}]", json_string(line->word(i + 1))), *line, context);
      } else {
        context.notes.lost(*line, "forwarded_for_trusted takes IP addresses and ranges such as 10.0.0.0/8");
      }
    }
    return;
  }
}

bool is_listener(const Context& context, const std::string& address) {
  return std::any_of(context.plan.listeners.begin(), context.plan.listeners.end(),
                     [&](const Listener& each) { return each.address == address; });
}

// The page of statistics has its counterpart on the admin address.
void map_stats(Context& context) {
  for (const Section& each : context.document.sections) {
    if (!is_stats_page(each)) continue;
    for (const Line* line : context.document.all(each, "bind")) {
      const BindAddresses found = parse_bind_addresses(line->word(1));
      if (found.addresses.empty() || is_listener(context, found.addresses.front())) continue;
      const std::string& address = found.addresses.front();
      put("admin", json_string(address), *line, context);
      const bool is_local =
          address.substr(0, 4) == "127." || address.substr(0, 5) == "[::1]" || address.substr(0, 5) == "unix:";
      if (!is_local) {
        context.notes.decide(*line,
                             "the status page, /status and /metrics are there in plain HTTP, for everybody who "
                             "reaches it: set admin_token_file, or leave \"admin\" out for 127.0.0.1:8209");
      }
      return;
    }
  }
}

void tell_stats_within(Context& context) {
  for (const Section* each : context.cluster.frontends) {
    const Line* line = context.document.find(*each, "stats", "uri");
    if (line == nullptr) line = context.document.find(*each, "stats", "enable");
    if (line != nullptr) context.notes.note(*line, "the status page is on the admin address, 127.0.0.1:8209");
  }
}

}  // namespace

void map_limits(Context& context) {
  map_maxconn(context);
  map_process(context);
  map_logs(context);
  map_forwarded_for(context);
  map_stats(context);
  tell_stats_within(context);
}

}  // namespace bellwether::app::migration
