#include "status_text.h"

#include <fmt/format.h>

#include "answer_text.h"
#include "clusters_text.h"
#include "log_level_text.h"

namespace bellwether::app {

namespace {

std::string headline(const Json& status) {
  const Json& leader = part_of(status, "leader");
  const Json& hold = part_of(status, "hold");
  std::string why = hold.is_object() ? text_of(hold, "why") : std::string();
  std::string line;
  if (leader.is_object()) {
    line = fmt::format("{} leads since {} ({}), epoch {:.0f}", text_of(leader, "name"), text_of(leader, "since"),
                       span_text(number_of(leader, "since_seconds")), number_of(status, "epoch"));
    if (flag_of(status, "suspect")) line += "; it has gone quiet, new requests wait";
  } else {
    line = "no leader";
    if (part_of(status, "leaderless_seconds").is_number()) {
      line += fmt::format(" since {} ({})", text_of(status, "leaderless_since"),
                          span_text(number_of(status, "leaderless_seconds")));
    }
    line += ", requests wait";
    if (const std::string because = text_of(status, "leaderless_because"); !because.empty()) why = because;
  }
  if (!why.empty()) line += ": " + why;
  if (const std::string other = text_of(status, "conflict"); !other.empty()) {
    line += fmt::format("; {} claims to lead as well", other);
  }
  if (part_of(status, "paused_until").is_string()) {
    line += fmt::format("; new requests wait until {} ({} left) or `bellwether resume`",
                        text_of(status, "paused_until"), span_text(number_of(status, "paused_seconds_left")));
  }
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
    if (const std::string same = text_of(node, "same_as"); !same.empty()) remark = "same server as " + same;
    if (remark.empty() && !text_of(node, "problem").empty()) remark = "not Vault's answer";
    rows.push_back({flag_of(node, "leader") ? "*" : "", text_of(node, "name"), text_of(node, "role"),
                    flag_of(node, "up") ? "up" : "down", text_of(node, "admin"),
                    age < 0 ? "never" : span_text(age / 1000) + " ago",
                    latency < 0 ? "" : fmt::format("{:.1f}ms", latency), text_of(node, "version"), remark});
  }
  return table(rows);
}

// A node's name is part of its line, as the causes are too long for the table.
std::string causes_list(const Json& status) {
  std::string out = lines_of(status, "leaderless_causes");
  if (!out.empty()) return "\n" + out;
  for (const Json& node : part_of(status, "nodes")) {
    if (!node.is_object() || text_of(node, "cause").empty()) continue;
    out += fmt::format("  {}: {}\n", text_of(node, "name"), text_of(node, "cause"));
  }
  return out.empty() ? out : "\n" + out;
}

// Nothing, unless what the file says is not what is in force.
std::string config_lines(const Json& config) {
  if (!config.is_object()) return {};
  const Json& last = part_of(config, "last_reload");
  const std::string problems = lines_of(last, "problems");
  if (!problems.empty()) {
    return fmt::format("\nThe configuration of {} is in force; the last one was refused:\n{}", text_of(config, "read"),
                       problems);
  }
  const std::string restarts = lines_of(last, "needs_restart", "needs a restart: ");
  return restarts.empty() ? restarts : "\n" + restarts;
}

// Nothing, unless an operator has ordered another level than the configured one.
std::string log_level_line(const Json& log_level) {
  if (!is_log_level_ordered(log_level)) return {};
  return fmt::format("\nThe level of the log is {}\n", log_level_text(log_level));
}

// Of the names that the resolver had no answer about when they were asked for last.
std::string names_lines(const Json& names) {
  std::string lines;
  for (const Json& name : names) {
    if (!name.is_object() || text_of(name, "problem").empty()) continue;
    const std::string answered = text_of(name, "answered");
    lines += fmt::format("\nThere is no answer about {}: {}; what was known of it stays{}\n", text_of(name, "host"),
                         text_of(name, "problem"), answered.empty() ? "" : " (last answered " + answered + ")");
  }
  return lines;
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

// In the part of one cluster among several there is nothing of configuration and log.
Result<std::string> text_of_one(const Json& status) {
  if (!status.is_object() || !part_of(status, "nodes").is_array()) {
    return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /status");
  }
  return headline(status) + "\n" + nodes_table(part_of(status, "nodes")) + causes_list(status) +
         config_lines(part_of(status, "config")) + log_level_line(part_of(status, "log_level")) +
         names_lines(part_of(status, "names")) + changes_table(part_of(status, "changes"));
}

}  // namespace

Result<std::string> status_text(std::string_view json) {
  const Json status = Json::parse(json, nullptr, false);
  auto text = clusters_text(status, &text_of_one);
  if (!text || !has_several_clusters(status)) return text;
  return *text + config_lines(part_of(status, "config")) + log_level_line(part_of(status, "log_level"));
}

}  // namespace bellwether::app
