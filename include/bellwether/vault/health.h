#pragma once

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
};
[[nodiscard]] Result<LeaderFacts> parse_leader(int status, std::string_view body);

}  // namespace bellwether::vault
