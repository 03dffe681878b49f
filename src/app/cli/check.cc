#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
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

void print_summary(const config::Config& config, const CheckOptions& options) {
  fmt::print("{}: fine\n", options.name);
  for (const config::Listen& each : config.listen) {
    std::vector<std::string_view> files;
    if (each.speaks_tls()) {
      for (const config::Certificate& one : each.tls_cert) files.push_back(one.cert);
    }
    fmt::print("  listens on {} ({}){}{}{}\n", each.address, mode_text(each.mode),
               each.accept_proxy ? ", expects PROXY headers" : "", each.fresh ? ", verifies reads" : "",
               files.empty() ? "" : fmt::format(", TLS with {}", fmt::join(files, ", ")));
  }
  for (const config::Node& each : config.nodes) {
    fmt::print(
        "  node {}: {}{}\n", each.name, each.url,
        each.tls ? fmt::format(", certificate for {}{}", each.server_name, config.verify ? "" : " NOT VERIFIED") : "");
  }
  fmt::print("  admin page on {}\n", config.admin);
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

}  // namespace

Json findings_json(const config::Loaded& loaded, const CheckReport& report, const CheckOptions& options) {
  Json json{{"file", options.name}, {"fine", loaded.problems.empty() && report.is_fine()}};
  Json problems = Json::array();
  for (const config::Problem& each : loaded.problems) problems.push_back(problem_json(each));
  Json hints = Json::array();
  for (const config::Problem& each : loaded.hints) hints.push_back(problem_json(each));
  Json findings = Json::array();
  for (const Diagnosis* part : {&report.files, &report.live}) {
    for (const Finding& each : part->findings) {
      (each.severity() == Severity::kProblem ? problems : hints).push_back({{"message", each.to_string()}});
      findings.push_back(finding_json(each));
    }
  }
  json["problems"] = std::move(problems);
  json["hints"] = std::move(hints);
  json["findings"] = std::move(findings);
  if (options.live) json["nodes"] = nodes_json(report.nodes);
  return json;
}

void print_findings(const CheckReport& report, const config::Config& config, const CheckOptions& options) {
  for (const Finding& each : report.files.findings) fmt::print(stderr, "{}: {}\n", options.name, each.to_string());
  if (!report.nodes.empty()) fmt::print("{}\n", table_of(report.nodes, config.verify));
  for (const Finding& each : report.live.findings) {
    fmt::print("  {}: {}\n", each.severity() == Severity::kProblem ? "problem" : "note", each.to_string());
  }
}

namespace {

void print_text(const config::Loaded& loaded, const CheckReport& report, const CheckOptions& options) {
  for (const config::Problem& each : loaded.problems) fmt::print(stderr, "{}\n", each.to_string());
  for (const config::Problem& each : loaded.hints) fmt::print(stderr, "{} (hint)\n", each.to_string());
  print_findings(report, loaded.config, options);
  if (loaded.problems.empty() && report.is_fine()) print_summary(loaded.config, options);
}

}  // namespace

CheckReport examine(const config::Config& config, const CheckOptions& options) {
  CheckReport report;
  const OwnSide own = examine_own_side(config);
  report.files = diagnose_files(own);
  const auto unusable = [&report](const Error& error) {
    // What a file lacks has been said already.
    if (report.files.is_fine()) report.files.add(FindingId::kNodesUnusable, "nodes", error.message);
    return report;
  };
  if (!options.live) {
    const auto names = examine_names(config);
    if (!names) return unusable(names.error());
    const Diagnosis found = diagnose_names(*names);
    report.files.findings.insert(report.files.findings.end(), found.findings.begin(), found.findings.end());
    return report;
  }
  auto seen = examine_cluster(config);
  if (!seen) return unusable(seen.error());
  seen->own = own;
  report.live = diagnose(*seen, config);
  report.nodes = std::move(seen->nodes);
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
