#include "api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bellwether/base/percent.h"
#include "bellwether/base/text.h"
#include "cluster_path.h"
#include "html.h"
#include "noscript.h"
#include "page.h"
#include "tabs.h"

namespace bellwether::admin {

namespace {

http::Response response(int status, std::string_view content_type, std::string body) {
  return {status,
          {{"Content-Type", std::string(content_type)},
           {"Cache-Control", "no-store"},
           {"X-Content-Type-Options", "nosniff"}},
          std::move(body)};
}

void fill_in(std::string& html, std::string_view place, std::string_view text) {
  for (std::size_t at = html.find(place); at != std::string::npos; at = html.find(place, at + text.size())) {
    html.replace(at, place.size(), text);
  }
}

http::Response page(const Snapshot& snapshot) {
  std::string html(kPage);
  fill_in(html, "<!--prefix-->", escaped_html(cluster_prefix(snapshot.cluster)));
  fill_in(html, "<!--tabs-->", tabs_html(snapshot));
  fill_in(html, "<!--noscript-->", noscript_html(snapshot));
  http::Response answer = response(200, "text/html; charset=utf-8", std::move(html));
  answer.headers.push_back({"Content-Security-Policy",
                            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
                            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"});
  answer.headers.push_back({"Referrer-Policy", "no-referrer"});
  return answer;
}

// What an error repeats of a text that came with an order.
constexpr std::size_t kMaxShown = 64;

tl::unexpected<Error> unknown_query(std::string_view query, std::string_view known) {
  return fail(ErrorKind::kInvalid, fmt::format("unknown query \"{}{}\": only {} is known", printable(query, kMaxShown),
                                               query.size() > kMaxShown ? "..." : "", known));
}

// A name has no byte 0.
std::optional<std::string> decoded_name(std::string_view text) {
  return text.find("%00") == std::string_view::npos ? percent_decoded(text) : std::nullopt;
}

Result<bool> parse_force(std::string_view query) {
  if (query.empty() || query == "force=0") return false;
  if (query == "force=1" || query == "force=true") return true;
  return fail(ErrorKind::kInvalid, fmt::format("unknown query \"{}\": only force=1 is known", query));
}

// From "KEY=FILE"; nothing without a query.
Result<std::optional<std::string>> parse_file_name(std::string_view query, std::string_view key) {
  if (query.empty()) return std::nullopt;
  if (!query.starts_with(key)) return unknown_query(query, fmt::format("{}FILE", key));
  auto name = decoded_name(query.substr(key.size()));
  if (!name) return fail(ErrorKind::kInvalid, "broken percent escape in the file's name");
  if (name->empty() || name->size() > kMaxFileName)
    return fail(ErrorKind::kInvalid, fmt::format("the name of a file has 1 to {} bytes", kMaxFileName));
  return name;
}

}  // namespace

Target split_target(std::string_view target) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

Result<NodeOrder> parse_node_order(const Target& target, const cluster::Topology& topology) {
  constexpr std::string_view kPrefix = "/node/";
  const auto last = target.path.rfind('/');
  if (target.path.substr(0, kPrefix.size()) != kPrefix || last < kPrefix.size()) {
    return fail(ErrorKind::kInvalid, "expected /node/NAME/ready, /node/NAME/drain or /node/NAME/maint");
  }
  const auto name = decoded_name(target.path.substr(kPrefix.size(), last - kPrefix.size()));
  if (!name) return fail(ErrorKind::kInvalid, "broken percent escape in the node's name");
  const std::optional<NodeId> found = topology.named(*name);
  if (!found) {
    std::vector<std::string_view> names;
    for (const cluster::NodeDescription& node : topology.nodes) names.push_back(node.name);
    std::string message = fmt::format("no node is named \"{}\"", *name);
    const auto close = nearest(*name, names);
    message += close ? fmt::format("; did you mean \"{}\"?", *close)
                     : fmt::format("; the nodes are {}", fmt::join(names, ", "));
    return fail(ErrorKind::kUnavailable, std::move(message));
  }
  const auto state = cluster::admin_state_from(target.path.substr(last + 1));
  if (!state) {
    return fail(ErrorKind::kInvalid,
                fmt::format("a node is set to ready, drain or maint, not to \"{}\"", target.path.substr(last + 1)));
  }
  const auto force = parse_force(target.query);
  if (!force) return tl::unexpected(force.error());
  return NodeOrder{*found, *state, *force};
}

Result<Duration> parse_pause(const Target& target) {
  constexpr std::string_view kFor = "for=";
  if (target.query.empty()) return kUsualPause;
  if (target.query.substr(0, kFor.size()) != kFor) {
    return fail(ErrorKind::kInvalid, fmt::format("unknown query \"{}\": only for=DURATION is known", target.query));
  }
  const auto at_most = parse_duration(target.query.substr(kFor.size()));
  if (!at_most) return tl::unexpected(at_most.error());
  if (*at_most <= Duration::zero() || *at_most > kLongestPause) {
    return fail(ErrorKind::kInvalid,
                fmt::format("a pause lasts more than 0 and at most {}", format_duration(kLongestPause)));
  }
  return *at_most;
}

Result<std::optional<std::string>> parse_check(const Target& target) { return parse_file_name(target.query, "name="); }

Result<std::string> parse_upgrade(const Target& target) {
  return parse_file_name(target.query, "path=").map([](std::optional<std::string> name) {
    return std::move(name).value_or(std::string());
  });
}

Result<std::optional<LogLevelOrder>> parse_log_level(const Target& target) {
  constexpr std::string_view kLevel = "level=";
  constexpr std::string_view kFor = "for=";
  if (target.query.empty()) return std::nullopt;
  const auto mark = target.query.find('&');
  const std::string_view level = target.query.substr(0, mark);
  if (level.substr(0, kLevel.size()) != kLevel) return unknown_query(target.query, "level=LEVEL[&for=DURATION]");
  LogLevelOrder order{std::string(level.substr(kLevel.size())), std::nullopt};
  if (mark == std::string_view::npos) return order;
  const std::string_view lasts = target.query.substr(mark + 1);
  if (lasts.substr(0, kFor.size()) != kFor) return unknown_query(target.query, "level=LEVEL[&for=DURATION]");
  const auto parsed = parse_duration(lasts.substr(kFor.size(), kMaxShown));
  const bool is_whole = lasts.size() <= kFor.size() + kMaxShown;
  if (!parsed || !is_whole || *parsed <= Duration::zero() || *parsed > kLongestLogLevel) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("\"{}{}\" is not how long the level of the log may be another one: it is a duration such as "
                    "\"10m\", more than 0 and at most {}",
                    printable(lasts.substr(kFor.size()), kMaxShown), is_whole ? "" : "...",
                    format_duration(kLongestLogLevel)));
  }
  order.lasts = *parsed;
  return order;
}

bool is_read_path(std::string_view path) {
  static constexpr std::array<std::string_view, 8> kReadPaths = {"/",        "/status",  "/failovers", "/ambiguous",
                                                                 "/metrics", "/healthz", "/readyz",    "/leader"};
  return std::find(kReadPaths.begin(), kReadPaths.end(), path) != kReadPaths.end();
}

std::optional<http::Response> answer_process_read(std::string_view path,
                                                  const std::function<std::string()>& metrics_text) {
  if (path == "/metrics") return response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text());
  if (path == "/healthz") return json_response(200, "{\"alive\": true}\n");
  return std::nullopt;
}

std::optional<http::Response> answer_read(std::string_view path, const Snapshot& snapshot) {
  if (path == "/") return page(snapshot);
  if (path == "/status") return json_response(200, status_json(snapshot));
  if (path == "/failovers") return json_response(200, failovers_json(snapshot));
  if (path == "/ambiguous") return json_response(200, ambiguous_json(snapshot));
  if (path == "/readyz") {
    return json_response(readiness(snapshot).ready ? 200 : 503, ready_json(snapshot));
  }
  if (path == "/leader") {
    if (snapshot.view.leader) return json_response(200, leader_json(snapshot));
    return error_response(503, summary_of(leaderless_of(snapshot)));
  }
  return std::nullopt;
}

std::optional<http::Response> answer_read_of_all(std::string_view path, const std::vector<Snapshot>& snapshots) {
  if (path == "/") return page(snapshots.front());
  if (path == "/status") return json_response(200, all_status_json(snapshots));
  if (path == "/failovers") return json_response(200, all_failovers_json(snapshots));
  if (path == "/ambiguous") return json_response(200, all_ambiguous_json(snapshots));
  if (path == "/readyz") return json_response(readiness(snapshots).ready ? 200 : 503, all_ready_json(snapshots));
  if (path == "/leader") {
    std::vector<std::string_view> names;
    for (const Snapshot& each : snapshots) names.push_back(each.cluster);
    return error_response(400, several_clusters(path, names));
  }
  return std::nullopt;
}

http::Response json_response(int status, std::string body) {
  return response(status, "application/json", std::move(body));
}

http::Response error_response(int status, std::string_view message) {
  return json_response(status, error_json(message));
}

http::Response method_not_allowed(std::string_view allowed) {
  http::Response answer = error_response(405, fmt::format("this path takes {} only", allowed));
  answer.headers.push_back({"Allow", std::string(allowed)});
  return answer;
}

}  // namespace bellwether::admin
