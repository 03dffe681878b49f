#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "answer_text.h"
#include "ask.h"
#include "clusters_text.h"
#include "commands.h"

namespace bellwether::app {
namespace {

constexpr Duration kAskAgain = 100ms;

using OrderedJson = nlohmann::ordered_json;

// The leader of a cluster that its clients may be sent to, or why there is none.
struct Lead {
  std::string cluster;  // empty: of the only one, or of the one that was named
  Result<std::string> leader;
};

Result<std::string> settled_leader(const Json& status, const std::string& other_than) {
  if (!status.is_object()) return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /status");
  const Json& leader = part_of(status, "leader");
  if (!leader.is_object()) {
    const std::string because = text_of(status, "leaderless_because");
    return fail(ErrorKind::kUnavailable, because.empty() ? "no node leads" : "no node leads: " + because);
  }
  if (flag_of(status, "suspect")) {
    return fail(ErrorKind::kUnavailable, fmt::format("{} has gone quiet", text_of(leader, "name")));
  }
  if (!text_of(status, "conflict").empty()) return fail(ErrorKind::kUnavailable, "two nodes claim to lead");
  std::string name = text_of(leader, "name");
  if (name == other_than) return fail(ErrorKind::kUnavailable, name + " leads still");
  return name;
}

std::vector<Lead> leads_now(net::Loop& loop, const WaitLeaderOptions& options) {
  const auto answer = ask_admin(loop, options.admin, path_of(options.cluster, "/status"));
  if (!answer) return {{{}, tl::unexpected(answer.error())}};
  const Json status = Json::parse(*answer, nullptr, false);
  if (!has_several_clusters(status)) return {{{}, settled_leader(status, options.other_than)}};
  std::vector<Lead> leads;
  for (const Json& each : part_of(status, "clusters")) {
    leads.push_back({each.is_object() ? text_of(each, "cluster") : "", settled_leader(each, options.other_than)});
  }
  return leads;
}

bool are_settled(const std::vector<Lead>& leads) {
  return std::all_of(leads.begin(), leads.end(), [](const Lead& each) { return each.leader.has_value(); });
}

std::string named(const Lead& lead, const std::string& text) {
  return lead.cluster.empty() ? text : fmt::format("{}: {}", lead.cluster, text);
}

std::string problem_of(const std::vector<Lead>& leads) {
  std::vector<std::string> problems;
  for (const Lead& each : leads) {
    if (!each.leader) problems.push_back(named(each, each.leader.error().message));
  }
  return fmt::format("{}", fmt::join(problems, "; "));
}

OrderedJson leader_json(const Lead& lead) { return lead.leader ? OrderedJson(*lead.leader) : OrderedJson(nullptr); }

void print_json(const std::vector<Lead>& leads) {
  OrderedJson json;
  if (leads.size() == 1 && leads.front().cluster.empty()) {
    json["leader"] = leader_json(leads.front());
  } else {
    json["clusters"] = OrderedJson::array();
    for (const Lead& each : leads)
      json["clusters"].push_back({{"cluster", each.cluster}, {"leader", leader_json(each)}});
  }
  if (!are_settled(leads)) json["error"] = problem_of(leads);
  fmt::print("{}\n", json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

void print_text(const std::vector<Lead>& leads, Duration timeout) {
  if (!are_settled(leads)) {
    return fmt::print(stderr, "bellwether wait-leader: not within {}: {}\n", format_duration(timeout),
                      problem_of(leads));
  }
  for (const Lead& each : leads) fmt::print("{}\n", named(each, *each.leader));
}

}  // namespace

int wait_leader_command(const WaitLeaderOptions& options) {
  const auto loop = net::Loop::create({});
  if (!loop) {
    fmt::print(stderr, "bellwether wait-leader: {}\n", loop.error().message);
    return kExitFailed;
  }
  const TimePoint deadline = (*loop)->precise_now() + options.timeout;
  while (true) {
    const std::vector<Lead> leads = leads_now(**loop, options);
    const bool is_settled = are_settled(leads);
    if (is_settled || (*loop)->precise_now() + kAskAgain > deadline) {
      options.json ? print_json(leads) : print_text(leads, options.timeout);
      return is_settled ? kExitFine : kExitFailed;
    }
    (void)(*loop)->run_until([] { return false; }, kAskAgain);
  }
}

}  // namespace bellwether::app
