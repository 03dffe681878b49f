#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bellwether/vault/health.h"
#include "json.h"
#include "request.h"

namespace bellwether::vault {

std::string leader_request(std::string_view host, const std::vector<http::HeaderField>& extra) {
  return get_request("/v1/sys/leader", host, extra);
}

Result<LeaderFacts> parse_leader(int status, std::string_view text) {
  if (status != 200) return fail(ErrorKind::kUnavailable, fmt::format("sys/leader answered HTTP {}", status));
  const nlohmann::json body = parse_json(text);
  const auto ha_enabled = bool_at(body, "ha_enabled");
  if (!ha_enabled) return fail(ErrorKind::kProtocol, "sys/leader answered, but not as Vault does");
  LeaderFacts facts;
  facts.ha_enabled = *ha_enabled;
  facts.is_self = bool_at(body, "is_self").value_or(false);
  facts.leader_address = text_at(body, "leader_address");
  return facts;
}

}  // namespace bellwether::vault
