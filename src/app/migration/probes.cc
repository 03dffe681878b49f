#include <fmt/format.h>

#include <algorithm>

#include "app/migration/haproxy/units.h"
#include "context.h"
#include "times.h"

namespace bellwether::app::migration {
namespace {

constexpr int kHighestCount = 100;  // of fall and rise
constexpr Duration kHaproxyInter = 2s;
constexpr int kHaproxyRise = 2;

// The server with the parameter; that of the first one is used for all.
const Server* with(Context& context, std::string_view word) {
  const auto found = std::find_if(context.servers.begin(), context.servers.end(),
                                  [&](const Server& each) { return each.parameters.has(word); });
  return found == context.servers.end() ? nullptr : &*found;
}

void propose(std::string_view key, std::string value, std::string remark, Context& context) {
  context.plan.settings.push_back({key, std::move(value), {}, std::move(remark), true});
}

void map_interval(std::string_view key, Context& context) {
  const Server* server = with(context, key);
  if (server == nullptr) return;
  const Line& line = *server->parameters.line_of(key);
  const auto time = time_for(key, server->parameters.last(key), line, context.notes);
  if (!time) return;
  context.plan.settings.push_back({key, json_time(*time), Source(line)});
  if (key == "inter" && *time > 1s) {
    propose(key, "\"1s\"", "Bellwether's default, which notices a dead leader sooner", context);
    context.notes.note(line,
                       "\"inter\" is written as it is; without it Bellwether asks each node every second, and "
                       "notices a leader that is silent within 100 ms of a probe");
  }
}

void map_count(std::string_view key, Context& context) {
  const Server* server = with(context, key);
  if (server == nullptr) return;
  const Line& line = *server->parameters.line_of(key);
  const auto count = parse_count(server->parameters.last(key));
  const int used = std::clamp(count.value_or(0), 1, kHighestCount);
  if (!count || used != *count) {
    context.notes.decide(line,
                         fmt::format("{} takes a whole number from 1 to {}: {} is written", key, kHighestCount, used));
  }
  context.plan.settings.push_back({key, fmt::format("{}", used), Source(line)});
}

void map_fast_interval(Context& context) {
  const Server* server = with(context, "fastinter");
  if (server == nullptr) return;
  propose("fastinter", "\"10ms\"", "Bellwether's default: how often nodes are asked during an election", context);
  context.notes.note(*server->parameters.line_of("fastinter"),
                     "\"fastinter\" is left out: in Bellwether it is how often nodes are asked during an election, and "
                     "a longer one makes clients wait");
}

void map_timeouts(Context& context) {
  const Section& backend = *context.cluster.backends.front();
  for (const auto& [what, key] : {std::pair<std::string_view, std::string_view>{"connect", "timeout_connect"},
                                  std::pair<std::string_view, std::string_view>{"check", "timeout_check"}}) {
    const Line* line = context.document.find(backend, "timeout", what);
    if (line == nullptr) continue;
    const auto time = time_for(key, line->word(2), *line, context.notes);
    if (time) context.plan.settings.push_back({key, json_time(*time), Source(*line)});
  }
}

// How long HAProxy takes to find a new leader: `rise` checks, `inter` apart.
Duration finds_leader_after(Context& context) {
  const Server* inter = with(context, "inter");
  const Server* rise = with(context, "rise");
  const Duration between =
      inter == nullptr ? kHaproxyInter : parse_time(inter->parameters.last("inter")).value_or(kHaproxyInter);
  const int count = rise == nullptr ? kHaproxyRise : parse_count(rise->parameters.last("rise")).value_or(kHaproxyRise);
  return between * std::clamp(count, 1, kHighestCount);
}

bool has_http_listener(const Plan& plan) {
  return std::any_of(plan.listeners.begin(), plan.listeners.end(), [](const Listener& each) {
    return std::any_of(each.settings.begin(), each.settings.end(),
                       [](const Setting& setting) { return setting.key == "mode" && setting.value == "\"http\""; });
  });
}

void tell_better(Context& context) {
  const Section& backend = *context.cluster.backends.front();
  const HealthCheck check = read_check(context.document, backend);
  const Line* balance = context.document.find(backend, "balance");
  const Line& at = check.line != nullptr ? *check.line : *context.servers.front().line;
  const auto others = static_cast<int>(context.servers.size()) - 1;
  if (check.finds_leader) {
    context.notes.add(FindingKind::kBetter, at,
                      fmt::format("HAProxy finds a new leader by its status code, up to {} after the election; "
                                  "Bellwether by what the node itself says, within milliseconds",
                                  format_duration(finds_leader_after(context))));
  } else if (others > 0) {
    const Line& spread = balance != nullptr ? *balance : at;
    context.notes.add(FindingKind::kBetter, spread,
                      fmt::format("HAProxy sends {} of {} requests to standbys, which forward or redirect them; "
                                  "Bellwether sends all to the leader",
                                  others, others + 1));
  }
  context.notes.add(FindingKind::kBetter, 0, "elections",
                    "HAProxy refuses clients while nobody leads; Bellwether lets them wait for the new leader");
  if (!has_http_listener(context.plan)) return;
  for (const auto& [first, second] : {std::pair<std::string_view, std::string_view>{"retry-on", ""},
                                      std::pair<std::string_view, std::string_view>{"option", "redispatch"},
                                      std::pair<std::string_view, std::string_view>{"retries", ""}}) {
    const Line* line = context.document.find(backend, first, second);
    if (line == nullptr) continue;
    return context.notes.add(FindingKind::kBetter, *line,
                             "a request is sent again whenever it was surely not executed, and never else");
  }
}

}  // namespace

void map_probes(Context& context) {
  map_timeouts(context);
  map_interval("inter", context);
  map_count("fall", context);
  map_count("rise", context);
  map_interval("downinter", context);
  map_fast_interval(context);
  for (const Section* each : context.cluster.backends) {
    const HealthCheck check = read_check(context.document, *each);
    if (check.elsewhere == nullptr) continue;
    context.notes.lost(*check.elsewhere,
                       "Bellwether asks /v1/sys/health where it sends requests; that address must answer it");
  }
  if (!context.servers.empty()) tell_better(context);
}

}  // namespace bellwether::app::migration
