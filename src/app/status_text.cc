#include "status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace bellwether::app {

namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

// Lenient: another version of Bellwether may leave things out.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_of(const Json& object, const char* key, double otherwise = 0) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

bool flag_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const Json& part_of(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.find(key);
  return found != object.end() ? *found : nothing;
}

std::string span_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f}ms", seconds * 1000);
  if (seconds < 120) return fmt::format("{:.1f}s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f}min", seconds / 60);
  if (seconds < 172800) return fmt::format("{:.0f}h", seconds / 3600);
  return fmt::format("{:.0f}d", seconds / 86400);
}

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string headline(const Json& status) {
  const Json& leader = part_of(status, "leader");
  const Json& hold = part_of(status, "hold");
  const std::string why = hold.is_object() ? text_of(hold, "why") : std::string();
  std::string line;
  if (leader.is_object()) {
    line = fmt::format("{} leads since {} ({}), epoch {:.0f}", text_of(leader, "name"), text_of(leader, "since"),
                       span_text(number_of(leader, "since_seconds")), number_of(status, "epoch"));
    if (flag_of(status, "suspect")) line += "; it has gone quiet, new requests wait";
  } else {
    line = "no leader: requests wait";
    if (part_of(status, "leaderless_seconds").is_number()) {
      line += fmt::format(" (for {})", span_text(number_of(status, "leaderless_seconds")));
    }
  }
  if (!why.empty()) line += ": " + why;
  if (flag_of(status, "draining")) line += "; ending";
  return line + "\n";
}

std::string nodes_table(const Json& nodes) {
  std::vector<Row> rows{{"", "NODE", "ROLE", "UP", "ADMIN", "ANSWERED", "LATENCY", "VERSION", "REMARK"}};
  for (const Json& node : nodes) {
    if (!node.is_object()) continue;
    const double age = number_of(node, "last_answer_age_ms", -1);
    const double latency = number_of(node, "latency_ms", -1);
    std::string remark = text_of(node, "failure");
    if (const std::string problem = text_of(node, "problem"); !problem.empty()) {
      remark += (remark.empty() ? "" : "; ") + problem;
    }
    rows.push_back({flag_of(node, "leader") ? "*" : "", text_of(node, "name"), text_of(node, "role"),
                    flag_of(node, "up") ? "up" : "down", text_of(node, "admin"),
                    age < 0 ? "never" : span_text(age / 1000) + " ago",
                    latency < 0 ? "" : fmt::format("{:.1f}ms", latency), text_of(node, "version"), remark});
  }
  return table(rows);
}

std::string changes_table(const Json& changes) {
  constexpr std::size_t kShown = 5;
  std::vector<Row> rows{{"LEADER CHANGE", "FROM", "TO", "WITHOUT", "WHY"}};
  for (const Json& change : changes) {
    if (!change.is_object() || rows.size() > kShown) continue;
    const std::string from = text_of(change, "from");
    const std::string to = text_of(change, "to");
    const double gap = number_of(change, "leaderless_ms", -1);
    rows.push_back({text_of(change, "time"), from.empty() ? "nobody" : from, to.empty() ? "nobody yet" : to,
                    gap < 0 ? "" : span_text(gap / 1000), text_of(change, "why")});
  }
  return rows.size() > 1 ? "\n" + table(rows) : std::string();
}

}  // namespace

Result<std::string> status_text(std::string_view json) {
  const Json status = Json::parse(json, nullptr, false);
  if (!status.is_object() || !part_of(status, "nodes").is_array()) {
    return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /status");
  }
  return headline(status) + "\n" + nodes_table(part_of(status, "nodes")) + changes_table(part_of(status, "changes"));
}

}  // namespace bellwether::app
