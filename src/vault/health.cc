#include "bellwether/vault/health.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "bellwether/base/text.h"
#include "json.h"
#include "request.h"

namespace bellwether::vault {
namespace {

using cluster::HealthFacts;
using cluster::Role;

// The three fields that every health object of every version carries, or nothing: then this is not Vault's.
struct StateFields {
  bool initialized = false;
  bool sealed = false;
  bool standby = false;
};
std::optional<StateFields> state_fields(const nlohmann::json& body) {
  const auto initialized = bool_at(body, "initialized");
  const auto sealed = bool_at(body, "sealed");
  const auto standby = bool_at(body, "standby");
  if (!initialized || !sealed || !standby) return std::nullopt;
  return StateFields{*initialized, *sealed, *standby};
}

// Each code in turn: the role it states, and whether the body says the same. Codes as in V:http/sys_health.go (1.19 and
// later) and B:internal/http/sys_health.go; OpenBao sends a subset.
Role role_stated(int status) {
  switch (status) {
    case 200:
      return Role::kActive;
    case 429:
      return Role::kStandby;
    case 472:
      return Role::kDrSecondary;
    case 473:
      return Role::kPerformanceStandby;
    case 474:
      return Role::kDisconnected;
    case 501:
      return Role::kUninitialized;
    case 503:
      return Role::kSealed;
    case 530:
      return Role::kRemoved;
  }
  return Role::kError;
}

// Empty if body and role agree. The body's booleans are checked only as far as the code decides them: a sealed node
// says standby too, and a DR secondary may be either.
std::string_view contradiction(Role role, const StateFields& state, const nlohmann::json& body) {
  const bool is_unsealed = state.initialized && !state.sealed;
  switch (role) {
    case Role::kActive:
      if (!is_unsealed) return "says 200, but its body says sealed or not initialized";
      if (state.standby) return "says 200, but its body says standby";
      if (bool_at(body, "performance_standby").value_or(false))
        return "says 200, but its body says performance standby";
      if (text_at(body, "replication_dr_mode") == "secondary") return "says 200, but its body says DR secondary";
      if (bool_at(body, "removed_from_cluster").value_or(false))
        return "says 200, but its body says removed from cluster";
      return {};
    case Role::kStandby:
    case Role::kDisconnected:
      if (!is_unsealed || !state.standby) return "its status says standby, its body does not";
      return {};
    case Role::kPerformanceStandby:
      if (!is_unsealed) return "its status says performance standby, its body sealed or not initialized";
      return {};
    case Role::kDrSecondary:
      if (!is_unsealed) return "its status says DR secondary, its body sealed or not initialized";
      return {};
    case Role::kSealed:
      if (!state.sealed) return "says 503, but its body does not say sealed";
      return {};
    case Role::kUninitialized:
      if (state.initialized) return "says 501, but its body says initialized";
      return {};
    case Role::kRemoved:
    case Role::kUnknown:
    case Role::kError:
    case Role::kSilent:
    case Role::kForeign:
      return {};
  }
  return {};
}

// Vault's own words for an error, shortened, for an operator who wonders why the node is not taken.
std::string errors_in(const nlohmann::json& body) {
  constexpr std::size_t kMostShown = 200;
  if (!body.is_object()) return {};
  const auto errors = body.find("errors");
  if (errors == body.end() || !errors->is_array() || errors->empty() || !errors->front().is_string()) return {};
  return printable(errors->front().get_ref<const std::string&>(), kMostShown);
}

std::string why_not_vault(int status, std::string_view text, const nlohmann::json& body) {
  if (const std::string words = errors_in(body); !words.empty()) return fmt::format("HTTP {}: {}", status, words);
  if (text.empty()) return fmt::format("HTTP {} without a body", status);
  constexpr std::size_t kMaxShown = 60;
  if (body.is_discarded()) {
    return fmt::format("HTTP {} with a body that is not JSON: \"{}\"", status, printable(trim(text), kMaxShown));
  }
  return fmt::format("HTTP {} with a body that is not Vault's health", status);
}

}  // namespace

std::string health_request(std::string_view host, const std::vector<http::HeaderField>& extra) {
  return get_request("/v1/sys/health", host, extra);
}

cluster::HealthFacts classify_health(int status, std::string_view text) {
  HealthFacts facts;
  facts.status = status;
  facts.role = Role::kError;
  const nlohmann::json body = parse_json(text);
  const auto state = state_fields(body);
  if (!state) {
    facts.problem = why_not_vault(status, text, body);
    return facts;
  }
  facts.cluster_id = text_at(body, "cluster_id");
  facts.cluster_name = text_at(body, "cluster_name");
  facts.version = text_at(body, "version");
  facts.states_enterprise = bool_at(body, "enterprise").has_value();
  facts.server_time_utc = integer_at(body, "server_time_utc");

  const Role role = role_stated(status);
  if (role == Role::kError) {
    facts.problem = fmt::format("HTTP {} is none of Vault's health codes", status);
  } else if (const std::string_view at_odds = contradiction(role, *state, body); !at_odds.empty()) {
    facts.problem = at_odds;
  } else {
    facts.role = role;
  }
  return facts;
}

}  // namespace bellwether::vault
