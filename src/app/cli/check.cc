#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/doctor/diagnosis.h"
#include "app/doctor/examination.h"
#include "bellwether/base/visible.h"
#include "commands.h"
#include "examined_text.h"

namespace bellwether::app {
namespace {

using Json = nlohmann::ordered_json;

std::string_view mode_text(config::Mode mode) {
  switch (mode) {
    case config::Mode::kTcp:
      return "tcp: bytes pass through to the leader";
    case config::Mode::kHttp:
      return "http: each request to the leader";
    case config::Mode::kRedirect:
      return "redirect: 307 to the leader";
  }
  return "";
}

void print_listeners(const config::Config& cluster) {
  for (const config::Listen& each : cluster.listen) {
    std::vector<std::string_view> files;
    if (each.speaks_tls()) {
      for (const config::Certificate& one : each.tls_cert) files.push_back(one.cert);
    }
    fmt::print("  listens on {} ({}){}{}{}\n", each.address, mode_text(each.mode),
               each.accept_proxy ? ", expects PROXY headers" : "", each.fresh ? ", verifies reads" : "",
               files.empty() ? "" : fmt::format(", TLS with {}", fmt::join(files, ", ")));
  }
}

void print_nodes(const config::Config& cluster) {
  for (const config::Node& each : cluster.nodes) {
    fmt::print(
        "  node {}: {}{}\n", each.name, each.url,
        each.tls ? fmt::format(", certificate for {}{}", each.server_name, cluster.verify ? "" : " NOT VERIFIED") : "");
  }
}

void print_summary(const config::Config& config, const CheckOptions& options) {
  fmt::print("{}: fine\n", options.name);
  for (const config::Config& each : config::clusters_of(config)) {
    if (!each.cluster.empty()) fmt::print("cluster {}\n", for_people(each.cluster));
    print_listeners(each);
    print_nodes(each);
  }
  // Of the process: not indented like what belongs to the last cluster.
  fmt::print("{}admin page on {}\n", config.clusters.empty() ? "  " : "", config.admin);
}

Json finding_json(const Finding& finding) {
  return {{"id", code_of(finding.id)},
          {"severity", to_text(finding.severity())},
          {"node", finding.node},
          {"cause", finding.cause},
          {"remedy", finding.remedy}};
}

Json problem_json(const config::Problem& problem) {
  Json json{{"message", problem.message}, {"file", problem.file}};
  if (problem.line > 0) json.update({{"line", problem.line}, {"column", problem.column}});
  return json;
}

Json problems_json(const std::vector<config::Problem>& problems) {
  Json list = Json::array();
  for (const config::Problem& each : problems) list.push_back(problem_json(each));
  return list;
}

// Adds each finding to the list of findings, and to the problems or to the hints.
void add_findings(const Diagnosis& found, const std::string& cluster, Json& json) {
  for (const Finding& each : found.findings) {
    Json message{{"message", each.to_string()}};
    Json finding = finding_json(each);
    if (!cluster.empty()) message["cluster"] = finding["cluster"] = cluster;
    json[each.severity() == Severity::kProblem ? "problems" : "hints"].push_back(std::move(message));
    json["findings"].push_back(std::move(finding));
  }
}

void print_of_files(const Diagnosis& found, const std::string& cluster, const CheckOptions& options) {
  const std::string whose = cluster.empty() ? std::string() : fmt::format("cluster {}: ", for_people(cluster));
  for (const Finding& each : found.findings) fmt::print(stderr, "{}: {}{}\n", options.name, whose, each.to_string());
}

void print_of_nodes(const Diagnosis& found) {
  for (const Finding& each : found.findings) {
    fmt::print("  {}: {}\n", each.severity() == Severity::kProblem ? "problem" : "note", each.to_string());
  }
}

}  // namespace

bool CheckReport::is_fine() const {
  return files.is_fine() && live.is_fine() &&
         std::all_of(clusters.begin(), clusters.end(), [](const ClusterReport& each) { return each.is_fine(); });
}

Json findings_json(const config::Loaded& loaded, const CheckReport& report, const CheckOptions& options) {
  Json json{{"file", options.name},
            {"fine", loaded.problems.empty() && report.is_fine()},
            {"problems", problems_json(loaded.problems)},
            {"hints", problems_json(loaded.hints)},
            {"findings", Json::array()}};
  add_findings(report.files, "", json);
  add_findings(report.live, "", json);
  for (const ClusterReport& each : report.clusters) {
    add_findings(each.files, each.name, json);
    add_findings(each.live, each.name, json);
  }
  if (!options.live) return json;
  Json nodes = Json::array();
  for (const ClusterReport& each : report.clusters) {
    for (Json& node : nodes_json(each.nodes, each.name)) nodes.push_back(std::move(node));
  }
  json["nodes"] = std::move(nodes);
  return json;
}

void print_findings(const CheckReport& report, const CheckOptions& options) {
  print_of_files(report.files, "", options);
  for (const ClusterReport& each : report.clusters) print_of_files(each.files, each.name, options);
  print_of_nodes(report.live);
  for (const ClusterReport& each : report.clusters) {
    const bool is_shown = !each.nodes.empty() || !each.live.findings.empty();
    if (is_shown && !each.name.empty()) fmt::print("cluster {}\n", for_people(each.name));
    if (!each.nodes.empty()) fmt::print("{}\n", table_of(each.nodes, each.verify));
    print_of_nodes(each.live);
  }
}

namespace {

void print_text(const config::Loaded& loaded, const CheckReport& report, const CheckOptions& options) {
  for (const config::Problem& each : loaded.problems) fmt::print(stderr, "{}\n", each.to_string());
  for (const config::Problem& each : loaded.hints) fmt::print(stderr, "{} (hint)\n", each.to_string());
  print_findings(report, options);
  if (loaded.problems.empty() && report.is_fine()) print_summary(loaded.config, options);
}

ClusterReport examine_one(const config::Config& config, const OwnSide& own, const std::vector<config::Listen>& listen,
                          bool live) {
  ClusterReport report{config.cluster, config.verify, diagnose_files(own), {}, {}};
  const auto unusable = [&report](const Error& error) {
    // What a file lacks has been said already.
    if (report.files.is_fine()) report.files.add(FindingId::kNodesUnusable, "nodes", error.message);
    return report;
  };
  if (!live) {
    const auto names = examine_names(config, listen);
    if (!names) return unusable(names.error());
    const Diagnosis found = diagnose_names(*names);
    report.files.findings.insert(report.files.findings.end(), found.findings.begin(), found.findings.end());
    return report;
  }
  auto seen = examine_cluster(config, listen);
  if (!seen) return unusable(seen.error());
  seen->own = own;
  report.live = diagnose(*seen, config);
  report.nodes = std::move(seen->nodes);
  return report;
}

// A thread for each cluster: nobody waits for the timeouts of all of them one after the other.
std::vector<ClusterReport> examine_side_by_side(const config::Config& config, const std::vector<OwnSide>& own,
                                                bool live) {
  const auto clusters = config::clusters_of(config);
  const std::launch policy = clusters.size() > 1 ? std::launch::async : std::launch::deferred;
  std::vector<std::future<ClusterReport>> pending;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    pending.push_back(std::async(policy, [&, i] { return examine_one(clusters[i], own[i], config.listen, live); }));
  }
  std::vector<ClusterReport> reports;
  for (auto& each : pending) reports.push_back(each.get());
  return reports;
}

}  // namespace

CheckReport examine(const config::Config& config, const CheckOptions& options) {
  std::vector<OwnSide> own;
  for (const config::Config& each : config::clusters_of(config)) own.push_back(examine_own_side(each));
  CheckReport report;
  report.clusters = examine_side_by_side(config, own, options.live);
  if (config.clusters.empty()) return report;
  std::vector<Diagnosis*> files;
  std::vector<Diagnosis*> live;
  for (ClusterReport& each : report.clusters) {
    files.push_back(&each.files);
    live.push_back(&each.live);
  }
  report.files = take_common(files);
  if (options.live) report.live = diagnose_process(own.front(), config);
  const Diagnosis common = take_common(live);
  report.live.findings.insert(report.live.findings.end(), common.findings.begin(), common.findings.end());
  return report;
}

int check_command(const config::Loaded& loaded, const CheckOptions& options) {
  CheckReport report;
  if (loaded.problems.empty()) report = examine(loaded.config, options);
  if (options.json) {
    fmt::print("{}\n", findings_json(loaded, report, options).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_text(loaded, report, options);
  }
  if (loaded.problems.empty()) return report.is_fine() ? kExitFine : kExitFailed;
  const bool is_usage = std::all_of(loaded.problems.begin(), loaded.problems.end(),
                                    [](const config::Problem& each) { return each.file == "command line"; });
  return is_usage ? kExitUsage : kExitFailed;
}

}  // namespace bellwether::app
