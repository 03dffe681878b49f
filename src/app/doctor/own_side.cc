#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "app/service/plan.h"
#include "bellwether/net/certificate.h"
#include "bellwether/net/process.h"
#include "bellwether/net/tls.h"
#include "bellwether/net/validity.h"
#include "certificate_life.h"
#include "examination.h"

namespace bellwether::app {
namespace {

void add_unusable(std::string text, OwnSide& own) {
  if (std::find(own.unusable.begin(), own.unusable.end(), text) == own.unusable.end())
    own.unusable.push_back(std::move(text));
}

void add_certificates(const net::TlsContext& context, const char* option, WallTime now, OwnSide& own) {
  for (const net::OwnCertificate& each : net::own_certificates(context, now)) {
    const auto is_same = [&](const OwnCertificateSeen& seen) {
      return seen.option == option && seen.file == each.file;
    };
    if (std::any_of(own.certificates.begin(), own.certificates.end(), is_same)) continue;
    own.certificates.push_back({option, each.file, each.problem, life_of(net::validity_of_file(each.file), now)});
  }
}

void look_at_client_side(const config::Listen& listen, WallTime now, OwnSide& own) {
  const auto context = net::TlsContext::server(client_tls_options(listen));
  if (!context) return add_unusable("TLS to clients: " + context.error().message, own);
  add_certificates(**context, "tls_cert", now, own);
}

// The files themselves, not only their names, must be right.
void look_at_files(const config::Config& config, OwnSide& own) {
  const WallTime now = std::chrono::system_clock::now();
  const bool asks_by_tls =
      std::any_of(config.nodes.begin(), config.nodes.end(), [](const auto& node) { return node.tls; });
  if (asks_by_tls || !config.ca_file.empty() || !config.ca_path.empty() || !config.client_cert.empty()) {
    const auto context = net::TlsContext::client(node_tls_options(config));
    if (!context) add_unusable("TLS to the nodes: " + context.error().message, own);
    if (context) add_certificates(**context, "client_cert", now, own);
  }
  for (const config::Listen& each : config.listen) {
    if (each.speaks_tls()) look_at_client_side(each, now, own);
  }
  // What no listener uses is read all the same: a file that is wrong is told before one does.
  const bool is_used = std::any_of(config.listen.begin(), config.listen.end(), [&](const auto& each) {
    return each.speaks_tls() && each.tls_cert == config.tls_cert;
  });
  if (config.tls_cert.empty() || is_used) return;
  config::Listen unused;
  static_cast<config::ListenOptions&>(unused) = static_cast<const config::ListenOptions&>(config);
  look_at_client_side(unused, now, own);
}

// Of the machine, in bytes; 0 if it does not say.
std::uint64_t machine_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kib = 0;
  return file >> key >> kib && key == "MemTotal:" ? kib * 1024 : 0;
}

// Of the control group (version 2) that this process is in; 0 without a limit.
std::uint64_t group_memory() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    if (line.compare(0, 3, "0::") != 0) continue;
    std::ifstream file("/sys/fs/cgroup" + line.substr(3) + "/memory.max");
    std::uint64_t bytes = 0;
    if (file >> bytes) return bytes;  // "max" is no number
  }
  return 0;
}

}  // namespace

OwnSide examine_own_side(const config::Config& config) {
  OwnSide own;
  look_at_files(config, own);
  if (const auto limit = net::raise_descriptor_limit()) own.descriptor_limit = *limit;
  own.memory_limit = machine_memory();
  if (const std::uint64_t group = group_memory(); group > 0)
    own.memory_limit = own.memory_limit > 0 ? std::min(own.memory_limit, group) : group;
  return own;
}

}  // namespace bellwether::app
