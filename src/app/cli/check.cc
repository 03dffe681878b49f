#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/discovery/nodes.h"
#include "app/service/plan.h"
#include "bellwether/base/visible.h"
#include "bellwether/net/certificate.h"
#include "bellwether/net/resolver.h"
#include "bellwether/net/tls.h"
#include "commands.h"
#include "doctor.h"

namespace bellwether::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kResolvePatience = 2s;

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

// Once, where several have the same.
void add_problem(std::string text, std::vector<std::string>& problems) {
  if (std::find(problems.begin(), problems.end(), text) == problems.end()) problems.push_back(std::move(text));
}

void check_validity(const net::TlsContext& context, std::string_view option, WallTime now,
                    std::vector<std::string>& problems) {
  for (const net::OwnCertificate& each : net::own_certificates(context, now)) {
    if (!each.problem) continue;
    add_problem(fmt::format("{}: the certificate in {} {}", option, each.file, *each.problem), problems);
  }
}

void check_client_files(const config::Listen& listen, WallTime now, std::vector<std::string>& problems) {
  const auto context = net::TlsContext::server(client_tls_options(listen));
  if (!context) return add_problem("TLS to clients: " + context.error().message, problems);
  check_validity(**context, "tls_cert", now, problems);
}

// What certificates, keys and CA files have to say; the files themselves, not only their names, must be right.
void check_files(const config::Config& config, std::vector<std::string>& problems) {
  const WallTime now = std::chrono::system_clock::now();
  const bool asks_by_tls =
      std::any_of(config.nodes.begin(), config.nodes.end(), [](const auto& node) { return node.tls; });
  if (asks_by_tls || !config.ca_file.empty() || !config.ca_path.empty() || !config.client_cert.empty()) {
    const auto context = net::TlsContext::client(node_tls_options(config));
    if (!context) problems.push_back("TLS to the nodes: " + context.error().message);
    if (context) check_validity(**context, "client_cert", now, problems);
  }
  for (const config::Listen& each : config.listen) {
    if (each.speaks_tls()) check_client_files(each, now, problems);
  }
  // What no listener uses is read all the same: a file that is wrong is told before one does.
  const bool is_used = std::any_of(config.listen.begin(), config.listen.end(), [&](const auto& each) {
    return each.speaks_tls() && each.tls_cert == config.tls_cert;
  });
  if (config.tls_cert.empty() || is_used) return;
  config::Listen unused;
  static_cast<config::ListenOptions&>(unused) = static_cast<const config::ListenOptions&>(config);
  check_client_files(unused, now, problems);
}

// Two names of one server, and names that lead to ourselves. A name that is not known here may be known where it runs.
void check_names(const config::Config& config, std::vector<std::string>& problems) {
  const auto loop = net::Loop::create({});
  if (!loop) return problems.push_back(loop.error().message);
  net::Resolver resolver(**loop);
  const auto plans = plan_nodes(config.nodes, resolve_all(**loop, resolver, config.nodes, kResolvePatience));
  if (!plans) return problems.push_back(plans.error().message);
  if (const auto straight = check_no_loop(*plans, config.listen); !straight)
    problems.push_back(straight.error().message);
  for (const NodePlan& plan : *plans) {
    if (!plan.same_as) continue;
    problems.push_back(fmt::format("nodes: {} and {} are one server ({}): name it once", (*plans)[*plan.same_as].name,
                                   plan.name, plan.unresolved));
  }
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
  for (const std::string& each : report.problems) problems.push_back({{"message", each}});
  for (const std::string& each : report.live.problems) problems.push_back({{"message", each}});
  Json hints = Json::array();
  for (const config::Problem& each : loaded.hints) hints.push_back(problem_json(each));
  for (const std::string& each : report.live.remarks) hints.push_back({{"message", each}});
  json["problems"] = std::move(problems);
  json["hints"] = std::move(hints);
  if (options.live) json["nodes"] = nodes_json(report.nodes);
  return json;
}

void print_findings(const CheckReport& report, const config::Config& config, const CheckOptions& options) {
  for (const std::string& each : report.problems) fmt::print(stderr, "{}: {}\n", options.name, for_people(each));
  if (!report.nodes.empty()) fmt::print("{}\n", table_of(report.nodes, config.verify));
  for (const std::string& each : report.live.problems) fmt::print("  problem: {}\n", for_people(each));
  for (const std::string& each : report.live.remarks) fmt::print("  note: {}\n", for_people(each));
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
  check_files(config, report.problems);
  if (!options.live) {
    check_names(config, report.problems);
    return report;
  }
  auto nodes = examine_nodes(config);
  if (!nodes) {
    // What a file lacks has been said already.
    if (report.problems.empty()) report.problems.push_back(nodes.error().message);
    return report;
  }
  report.nodes = std::move(*nodes);
  report.live = diagnose(report.nodes, config);
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
