#include <fmt/format.h>

#include <algorithm>

#include "app/service/admin_access.h"
#include "app/service/plan.h"
#include "bellwether/net/address.h"
#include "rules.h"

namespace bellwether::app {
namespace {

bool is_exposed_at(const std::string& text) {
  const auto address = net::Address::parse(text);
  return address && is_exposed(*address);
}

// About what a connection may hold in buffers (src/proxy/DESIGN.md, "Buffers"), besides what options permit.
constexpr std::uint64_t kTcpSessionBytes = 64 * 1024;
constexpr std::uint64_t kHttpSessionBytes = 192 * 1024;

std::uint64_t memory_of_cluster(const config::Config& config) {
  const auto bytes = [](int option) { return static_cast<std::uint64_t>(std::max(option, 0)); };
  const std::uint64_t of_http = kHttpSessionBytes + bytes(config.retry_buffer) + bytes(config.max_head_bytes);
  return bytes(config.hold_bytes) + bytes(config.maxconn) * (has_http_listener(config) ? of_http : kTcpSessionBytes);
}

// Of all clusters together.
struct Demand {
  std::uint64_t connections = 0;
  std::uint64_t memory = 0;
};

Demand demand_of(const config::Config& config) {
  Demand sum;
  for (const config::Config& each : config::clusters_of(config)) {
    sum.connections += static_cast<std::uint64_t>(std::max(each.maxconn, 0));
    sum.memory += memory_of_cluster(each);
  }
  return sum;
}

constexpr std::uint64_t kMiB = 1024 * 1024;

}  // namespace

bool is_on_loopback(const std::string& address) {
  const auto parsed = net::Address::parse(address);
  return parsed && !parsed->is_unix() && !is_exposed(*parsed);
}

void check_own_files(const OwnSide& own, Diagnosis& out) {
  for (const std::string& each : own.unusable) out.add(FindingId::kOwnFiles, "files", each);
  for (const OwnCertificateSeen& each : own.certificates) {
    if (!each.problem) continue;
    out.add(FindingId::kOwnCertificateInvalid, each.option,
            fmt::format("the certificate in {} {}", each.file, *each.problem));
  }
}

void check_own_certificates(const OwnSide& own, Diagnosis& out) {
  for (const OwnCertificateSeen& each : own.certificates) {
    if (each.problem || !each.life || !ends_soon(*each.life)) continue;
    out.add(FindingId::kOwnCertificateEnds, each.option,
            fmt::format("the certificate in {} ends in {}", each.file, days_text(each.life->lasts)));
  }
}

void check_exposed_listeners(const config::Config& config, Diagnosis& out) {
  for (const config::Listen& each : config.listen) {
    if (each.mode == config::Mode::kTcp || each.speaks_tls() || !is_exposed_at(each.address)) continue;
    out.add(FindingId::kPlainListener, each.address,
            fmt::format("is a listener in {} mode that other machines reach by plain HTTP", to_text(each.mode)));
  }
  const bool any_tls = std::any_of(config.nodes.begin(), config.nodes.end(), [](const auto& node) { return node.tls; });
  if (!config.verify && any_tls) out.add(FindingId::kVerifyOff, "verify", "certificates of nodes are not verified");
}

void check_exposed_admin(const config::Config& config, Diagnosis& out) {
  if (config.admin != "off" && config.admin_token_file.empty() && is_exposed_at(config.admin)) {
    out.add(FindingId::kAdminExposed, config.admin, "is the admin address, which other machines reach without a token");
  }
}

void check_limits(const OwnSide& own, const config::Config& config, Diagnosis& out) {
  if (own.descriptor_limit > 0) {
    if (const auto enough = check_descriptors(config, own.descriptor_limit); !enough)
      out.add(FindingId::kFewDescriptors, "maxconn", enough.error().message);
  }
  const Demand demand = demand_of(config);
  if (own.memory_limit == 0 || demand.memory <= own.memory_limit) return;
  out.add(FindingId::kLittleMemory, "maxconn",
          fmt::format("{} connections may use {} MiB in buffers, and there are {} MiB of memory", demand.connections,
                      demand.memory / kMiB, own.memory_limit / kMiB));
}

}  // namespace bellwether::app
