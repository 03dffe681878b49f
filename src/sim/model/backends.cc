#include "backends.h"

#include <string>
#include <string_view>
#include <utility>

#include "bellwether/base/text.h"
#include "kv_api.h"

namespace bellwether::sim {

bool Backends::is_allowed(const Request& request) const {
  std::string_view token = request.header("X-Vault-Token").value_or("");
  if (token.empty()) {
    constexpr std::string_view kBearer = "Bearer ";
    token = request.header("Authorization").value_or("");
    if (token.starts_with(kBearer)) token.remove_prefix(kBearer.size());
  }
  return token == options_.root_token;
}

void Backends::execute_until_write(const Request& request) {
  if (const auto user = AuthApi::radius_user(request)) auth_.call_radius(*user);
}

http::Response Backends::execute(const Request& request, const Execution& execution) {
  constexpr std::string_view kMount = "/v1/secret/";
  if (const auto user = AuthApi::radius_user(request)) {
    auth_.call_radius(*user);
    return AuthApi::login_answer(*user, prng_);
  }
  if (!is_allowed(request)) return errors_answer(403, {"permission denied"});
  const std::string_view path = request.path();
  const Instant now{execution.now, clock_.at(execution.now)};
  if (path.starts_with(kMount)) {
    return answer_kv(store_, request, path.substr(kMount.size()), execution.as_of, now, prng_);
  }
  if (auto answered = auth_.answer(request, execution.as_of, now, prng_)) return std::move(*answered);
  return execute_system(request, execution);
}

http::Response Backends::execute_system(const Request& request, const Execution& execution) {
  constexpr std::string_view kUiMounts = "/v1/sys/internal/ui/mounts/";
  const std::string_view path = request.path();
  if (path == "/v1/sys/step-down" && request.is_put()) return empty_answer(204);
  if (request.method == "GET") {
    if (path == "/v1/auth/token/lookup-self") {
      return token_answer(options_.root_token, clock_.at(clock_.started), prng_);
    }
    if (path == "/v1/sys/mounts") return mounts_answer(prng_);
    if (path.starts_with(kUiMounts)) return ui_mount_answer(percent_decoded(path.substr(kUiMounts.size())), prng_);
    if (path == "/v1/sys/ha-status") {
      const nlohmann::json nodes = nodes_answer(execution);
      return json_answer(200, {{"nodes", nodes}, {"data", {{"nodes", nodes}}}});
    }
    if (path == "/v1/sys/storage/raft/configuration") {
      return data_answer(200, {{"config", {{"index", 0}, {"servers", raft_servers(execution.leader)}}}}, prng_);
    }
  }
  const std::string route(path.starts_with("/v1/") ? path.substr(4) : path);
  return errors_answer(404, {"no handler for route \"" + route + "\". route entry not found."});
}

nlohmann::json Backends::raft_servers(int leader) const {
  nlohmann::json servers = nlohmann::json::array();
  for (int i = 0; i < nodes(); ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    servers.push_back({{"node_id", name},
                       {"address", name + ":8201"},
                       {"leader", i == leader},
                       {"voter", true},
                       {"protocol_version", "3"}});
  }
  return servers;
}

nlohmann::json Backends::nodes_answer(const Execution& execution) const {
  nlohmann::json nodes_json = nlohmann::json::array();
  for (int i = 0; i < nodes(); ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    const bool leads = i == execution.leader;
    nodes_json.push_back(
        {{"hostname", name},
         {"api_address", options_.url(i)},
         {"cluster_address", "https://" + name + ":8201"},
         {"active_node", leads},
         {"last_echo", leads ? nlohmann::json() : nlohmann::json(format_utc(clock_.at(execution.now)))}});
  }
  return nodes_json;
}

}  // namespace bellwether::sim
