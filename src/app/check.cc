#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bellwether/net/tls.h"
#include "commands.h"
#include "doctor.h"
#include "plan.h"

namespace bellwether::app {
namespace {

std::string_view to_text(config::Mode mode) {
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

// What certificates, keys and CA files have to say; the files themselves, not only their names, must be right.
std::vector<std::string> file_problems(const config::Config& config) {
  std::vector<std::string> problems;
  const bool asks_by_tls =
      std::any_of(config.nodes.begin(), config.nodes.end(), [](const auto& node) { return node.tls; });
  if (asks_by_tls || !config.ca_file.empty() || !config.ca_path.empty() || !config.client_cert.empty()) {
    const auto context = net::TlsContext::client(node_tls_options(config));
    if (!context) problems.push_back("TLS to the nodes: " + context.error().message);
  }
  if (!config.tls_cert.empty()) {
    const auto context = net::TlsContext::server(client_tls_options(config));
    if (!context) problems.push_back("TLS to clients: " + context.error().message);
  }
  return problems;
}

void print_summary(const config::Config& config, const CheckOptions& options) {
  fmt::print("{}: fine\n", options.name);
  for (const config::Listen& each : config.listen) {
    fmt::print("  listens on {} ({}){}{}\n", each.address, to_text(each.mode),
               each.accept_proxy ? ", expects PROXY headers" : "", each.fresh ? ", verifies reads" : "");
  }
  for (const config::Node& each : config.nodes) {
    fmt::print(
        "  node {}: {}{}\n", each.name, each.url,
        each.tls ? fmt::format(", certificate for {}{}", each.server_name, config.verify ? "" : " NOT VERIFIED") : "");
  }
  fmt::print("  admin page on {}\n", config.admin);
}

}  // namespace

int check_command(const config::Config& config, const CheckOptions& options) {
  const std::vector<std::string> problems = file_problems(config);
  for (const std::string& each : problems) fmt::print(stderr, "{}: {}\n", options.name, each);
  if (!problems.empty()) return kExitFailed;
  print_summary(config, options);
  return options.live ? examine_nodes(config) : kExitFine;
}

}  // namespace bellwether::app
