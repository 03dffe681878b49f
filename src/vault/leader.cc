#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "bellwether/vault/health.h"
#include "json.h"
#include "location.h"
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
  const std::string cluster_address = text_at(body, "leader_cluster_address");
  const std::string active_time = text_at(body, "active_time");
  const bool is_stated = facts.is_self && !facts.leader_address.empty() && !active_time.empty();
  if (is_stated) facts.identity = fmt::format("{} {} {}", facts.leader_address, cluster_address, active_time);
  facts.raft_committed_index = integer_at(body, "raft_committed_index");
  facts.raft_applied_index = integer_at(body, "raft_applied_index");
  return facts;
}

std::optional<ApiOrigin> api_origin(std::string_view leader_address) {
  const auto url = parse_absolute_url(leader_address);
  if (!url) return std::nullopt;
  std::uint16_t port = 0;
  const char* const last = url->port.data() + url->port.size();
  const auto [end, error] = std::from_chars(url->port.data(), last, port);
  if (error != std::errc() || end != last || port == 0) return std::nullopt;
  return ApiOrigin{std::string(url->host), port};
}

}  // namespace bellwether::vault
