#include "answers.h"

#include <fmt/format.h>

#include <charconv>

namespace bellwether::sim {
namespace {

using nlohmann::json;

constexpr std::string_view kOpenBaoVersion = "2.6.2";
constexpr std::string_view kVaultVersion = "1.21.2";

std::string_view version_of(const NodeFacts& facts) { return facts.openbao ? kOpenBaoVersion : kVaultVersion; }

// The status and the parameter that overrides it, in Vault's order of evaluation (V:http/sys_health.go).
struct HealthCode {
  int status;
  const char* parameter;
};
HealthCode health_code(const NodeFacts& facts) {
  if (facts.stated == Stated::kUninitialized) return {501, "uninitcode"};
  if (facts.stated == Stated::kRemoved) return {530, "removedcode"};
  if (facts.sealed) return {503, "sealedcode"};
  if (facts.stated == Stated::kDisconnected) return {474, "haunhealthycode"};
  if (facts.stated == Stated::kDrSecondary) return {472, "drsecondarycode"};
  if (facts.stated == Stated::kPerformanceStandby) return {473, "performancestandbycode"};
  return facts.active ? HealthCode{200, "activecode"} : HealthCode{429, "standbycode"};
}

std::optional<int> status_parameter(const Request& request, const char* name) {
  const std::optional<std::string> text = request.parameter(name);
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc() && end == text->data() + text->size() && value >= 200 && value <= 999 ? value : -1;
}

json health_body(const NodeFacts& facts) {
  const bool knows_leader = facts.active || !facts.leader_url.empty();
  const char* mode = !knows_leader || facts.sealed ? "unknown" : facts.openbao ? "primary" : "disabled";
  json body = {{"initialized", facts.stated != Stated::kUninitialized},
               {"sealed", facts.sealed},
               {"standby", !facts.active},
               {"replication_performance_mode", mode},
               {"replication_dr_mode", knows_leader && !facts.sealed ? "disabled" : "unknown"},
               {"server_time_utc", std::chrono::system_clock::to_time_t(facts.now)},
               {"version", version_of(facts)}};
  if (!facts.openbao) {
    body.update({{"performance_standby", facts.stated == Stated::kPerformanceStandby},
                 {"enterprise", false},
                 {"echo_duration_ms", 0},
                 {"clock_skew_ms", 0},
                 {"replication_primary_canary_age_ms", 0},
                 {"removed_from_cluster", facts.stated == Stated::kRemoved}});
    if (!facts.active) body["ha_connection_healthy"] = facts.stated != Stated::kDisconnected;
  }
  if (facts.stated == Stated::kDrSecondary) body["replication_dr_mode"] = "secondary";
  if (!facts.sealed && facts.stated != Stated::kUninitialized) {
    body["cluster_name"] = facts.cluster_name;
    body["cluster_id"] = facts.cluster_id;
  }
  return body;
}

json mount(std::string_view path) {
  return {{"accessor", "kv_b3114e55"},
          {"config", {{"default_lease_ttl", 0}, {"force_no_cache", false}, {"max_lease_ttl", 0}}},
          {"deprecation_status", "supported"},
          {"description", "key/value secret storage"},
          {"external_entropy_access", false},
          {"local", false},
          {"options", {{"version", "2"}}},
          {"path", path},
          {"plugin_version", ""},
          {"running_plugin_version", "v2.0.0+builtin"},
          {"running_sha256", ""},
          {"seal_wrap", false},
          {"type", "kv"},
          {"uuid", "b3114e55-0b5e-4b5e-8b5e-0b5e4b5e8b5e"}};
}

}  // namespace

http::Response health_answer(const NodeFacts& facts, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return errors_answer(405, {});
  if (facts.openbao && request.header("X-Vault-Namespace")) {
    return errors_answer(400, {"operation unavailable in namespaces"});
  }
  const HealthCode code = health_code(facts);
  int status = code.status;
  if ((status == 429 && request.parameter("standbyok") == "true") ||
      (status == 473 && request.parameter("perfstandbyok") == "true")) {
    status = 200;
  }
  if (const std::optional<int> wanted = status_parameter(request, code.parameter)) status = *wanted;
  if (status < 0) return errors_answer(400, {});
  return json_answer(status, health_body(facts));
}

http::Response leader_answer(const NodeFacts& facts) {
  if (facts.sealed) return errors_answer(503, {"Vault is sealed"});
  json body = {{"ha_enabled", true}, {"raft_committed_index", facts.index}, {"raft_applied_index", facts.index}};
  const std::string url = facts.active ? facts.own_url : facts.leader_url;
  // OpenBao leaves out what is false or empty; Vault always says all of it.
  if (!facts.openbao || facts.active) body["is_self"] = facts.active;
  if (!facts.openbao || facts.active) {
    body["active_time"] = facts.active ? format_utc(facts.active_since) : "0001-01-01T00:00:00Z";
  }
  if (!facts.openbao || !url.empty()) {
    body["leader_address"] = url;
    body["leader_cluster_address"] = url.empty() ? "" : facts.leader_cluster_url;
  }
  if (!facts.openbao) body.update({{"performance_standby", false}, {"performance_standby_last_remote_wal", 0}});
  return json_answer(200, body);
}

http::Response seal_status_answer(const NodeFacts& facts) {
  json body = {{"type", "shamir"},
               {"initialized", facts.stated != Stated::kUninitialized},
               {"sealed", facts.sealed},
               {"t", 1},
               {"n", 1},
               {"progress", 0},
               {"nonce", ""},
               {"version", version_of(facts)},
               {facts.openbao ? "commit_date" : "build_date", ""},
               {"migration", false},
               {"recovery_seal", false},
               {"storage_type", "raft"}};
  if (!facts.sealed) {
    body["cluster_name"] = facts.cluster_name;
    body["cluster_id"] = facts.cluster_id;
  }
  if (!facts.openbao) body["removed_from_cluster"] = facts.stated == Stated::kRemoved;
  return json_answer(200, body);
}

http::Response json_answer(int status, const json& body) {
  http::Response response = empty_answer(status);
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

http::Response empty_answer(int status) {
  return {status, {{"Cache-Control", "no-store"}, {"Content-Type", "application/json"}}, ""};
}

http::Response errors_answer(int status, const std::vector<std::string>& errors) {
  return json_answer(status, {{"errors", errors}});
}

std::string random_uuid(Prng& prng) {
  const std::uint64_t high = prng.next();
  const std::uint64_t low = prng.next();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffff);
}

http::Response data_answer(int status, json data, Prng& prng) {
  return json_answer(status, {{"request_id", random_uuid(prng)},
                              {"lease_id", ""},
                              {"renewable", false},
                              {"lease_duration", 0},
                              {"data", std::move(data)},
                              {"wrap_info", nullptr},
                              {"warnings", nullptr},
                              {"auth", nullptr}});
}

http::Response token_answer(std::string_view token, WallTime since, Prng& prng) {
  return data_answer(200,
                     {{"accessor", "simulated"},
                      {"creation_time", std::chrono::system_clock::to_time_t(since)},
                      {"creation_ttl", 0},
                      {"display_name", "root"},
                      {"entity_id", ""},
                      {"expire_time", nullptr},
                      {"explicit_max_ttl", 0},
                      {"id", token},
                      {"issue_time", format_utc(since)},
                      {"meta", nullptr},
                      {"num_uses", 0},
                      {"orphan", true},
                      {"path", "auth/token/root"},
                      {"policies", {"root"}},
                      {"renewable", false},
                      {"ttl", 0},
                      {"type", "service"}},
                     prng);
}

http::Response mounts_answer(Prng& prng) {
  json mounts;
  mounts["secret/"] = mount("secret/");
  mounts["secret/"].erase("path");
  return data_answer(200, std::move(mounts), prng);
}

http::Response ui_mount_answer(std::string_view path, Prng& prng) {
  if (path == "secret" || path.starts_with("secret/")) return data_answer(200, mount("secret/"), prng);
  return errors_answer(403, {fmt::format("preflight capability check returned 403, please ensure client's policies "
                                         "grant access to path \"{}/\"",
                                         path)});
}

}  // namespace bellwether::sim
