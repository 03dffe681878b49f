#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/http/serialize.h"

namespace bellwether::vault {

// The probe: GET /v1/sys/health without parameters, so that codes and body are the node's own words, plus
// X-Vault-No-Request-Forwarding. `extra` carries what a listener demands of every request (X-Forwarded-For).
[[nodiscard]] std::string health_request(std::string_view host, const std::vector<http::HeaderField>& extra);
[[nodiscard]] std::string leader_request(std::string_view host, const std::vector<http::HeaderField>& extra);

// The role from status code and body together (V:http/sys_health.go, B:internal/http/sys_health.go). A code without
// Vault's body is kError with the problem named; so is an unknown code.
[[nodiscard]] cluster::HealthFacts classify_health(int status, std::string_view body);

// What /v1/sys/leader said. OpenBao omits false and empty fields.
struct LeaderFacts {
  bool ha_enabled = false;
  bool is_self = false;
  std::string leader_address;
  // See cluster::LeaderStatement. active_time and leader_cluster_address: V:vault/core.go, B:vault/logical_system.go
  // (LeaderResponse).
  std::string identity;
  // Entries of the raft log that the node has, and that it has applied. Only nodes with raft storage state them.
  std::optional<std::int64_t> raft_committed_index{};
  std::optional<std::int64_t> raft_applied_index{};
};
[[nodiscard]] Result<LeaderFacts> parse_leader(int status, std::string_view body);

// Where an api_addr leads: host (an IPv6 literal in its brackets) and port. Nothing if it is no absolute URL.
struct ApiOrigin {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] std::optional<ApiOrigin> api_origin(std::string_view leader_address);

}  // namespace bellwether::vault
