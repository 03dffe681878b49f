#include <algorithm>
#include <utility>

#include "kv_api.h"
#include "model.h"

// What a node does with a request (src/vault/FACTS.md 2).
namespace bellwether::sim {
namespace {

constexpr std::string_view kNoLeader = "local node not active but active cluster node not found";

bool is_put(const Request& request) { return request.method == "PUT" || request.method == "POST"; }

bool only_reads(const Request& request) { return request.is_read() || AuthApi::is_lookup(request); }

}  // namespace

void Model::receive(RequestId id, Request request, TimePoint now) {
  tick(now);
  if (at(id.node).process == Process::kStopped) return;
  serve(id.node, {id, std::move(request)}, now);
}

void Model::forget(RequestId id) {
  const auto is_it = [&](const Pending& pending) { return pending.id == id; };
  for (Node& node : nodes_) {
    std::erase_if(node.waiting, is_it);
    std::erase_if(node.stuck, is_it);
    std::erase_if(node.held, [&](const Answer& held) { return held.id == id; });
  }
  std::erase_if(delayed_, [&](const auto& entry) { return entry.second.id == id; });
}

void Model::serve_all(int node, std::vector<Pending> pending, TimePoint now) {
  for (Pending& each : pending) {
    if (each.id.node == node) {
      serve(node, std::move(each), now);
    } else if (node == leader_) {
      serve_data(node, std::move(each), now);
    } else {
      // Forwarded here by a standby: the call fails, and it falls back to what it knows itself.
      answer(each.id, redirect(each.id.node, each.request), now);
    }
  }
}

void Model::serve(int node, Pending pending, TimePoint now) {
  Node& n = at(node);
  if (n.process == Process::kFrozen || is_blocked(n)) {
    n.waiting.push_back(std::move(pending));
  } else if (n.not_vault) {
    answer(pending.id, {429, {{"Content-Type", "text/plain"}}, "Too Many Requests\n"}, now);
  } else if (forwards_by_headers(node, pending.request, now)) {
    serve(leader_, std::move(pending), now);
  } else if (std::optional<http::Response> own = answer_about_itself(node, pending.request, now)) {
    answer(pending.id, std::move(*own), now);
  } else if (auto refusal = refuse_index(node, pending.request, now)) {
    answer(pending.id, std::move(*refusal), now);
  } else if (pending.request.path() == "/v1/sys/seal") {
    serve_seal(node, std::move(pending), now);
  } else {
    serve_data(node, std::move(pending), now);
  }
}

std::optional<http::Response> Model::answer_about_itself(int node, const Request& request, TimePoint now) {
  const std::string_view path = request.path();
  const bool sealed = at(node).role == NodeRole::kSealed;
  if (path == "/v1/sys/health") return health_answer(facts(node, now), request);
  if (path == "/v1/sys/leader") return leader_answer(facts(node, now));
  if (path == "/v1/sys/seal-status") return seal_status_answer(facts(node, now));
  if (path == "/v1/sys/init" && request.method == "GET") {
    return json_answer(200, {{"initialized", at(node).stated != Stated::kUninitialized}});
  }
  if (path == "/v1/sys/unseal") {
    if (!is_put(request)) return errors_answer(405, {});
    if (sealed) static_cast<void>(unseal(node, {}, now));
    return seal_status_answer(facts(node, now));
  }
  if (path == "/v1/sys/step-down" && sealed) return empty_answer(204);
  return std::nullopt;
}

// Never forwarded; the leader answers when it has sealed, after the silence of its demotion.
void Model::serve_seal(int node, Pending pending, TimePoint now) {
  Node& n = at(node);
  if (n.role == NodeRole::kSealed) {
    answer(pending.id, empty_answer(204), now);
  } else if (!is_put(pending.request)) {
    answer(pending.id, errors_answer(405, {}), now);
  } else if (!is_allowed(pending.request)) {
    answer(pending.id, errors_answer(403, {"permission denied"}), now);
  } else if (!options_.standby_reads && !is_active(n)) {
    answer(pending.id, errors_answer(500, {"vault cannot seal when in standby mode; please restart instead"}), now);
  } else {
    static_cast<void>(seal(node, {}, now));
    serve(node, std::move(pending), now);
  }
}

void Model::serve_data(int node, Pending pending, TimePoint now) {
  Node& n = at(node);
  const Request& request = pending.request;
  if (n.role == NodeRole::kSealed || n.stated == Stated::kUninitialized) {
    answer(pending.id, errors_answer(503, {"Vault is sealed"}), now);
  } else if (is_active(n)) {
    const bool steps_down = request.path() == "/v1/sys/step-down" && is_put(request) && is_allowed(request);
    if (n.lease_ends != kNever && !only_reads(request)) {
      n.stuck.push_back(std::move(pending));
      return;
    }
    http::Response response = execute(request, std::min(now, n.cut_at), now);
    sign(node, response);
    state_index(request, response, now);
    answer(pending.id, std::move(response), now);
    if (steps_down) static_cast<void>(step_down(node, {}, now));
  } else if (n.partitioned && size() > 1) {
    answer(pending.id, errors_answer(500, {std::string(kNoLeader)}), now);
  } else if (options_.standby_reads && only_reads(request)) {
    answer(pending.id, execute(request, std::min(now - options_.replication_lag, n.cut_at), now), now);
  } else {
    // It carries out the request up to the first write to storage.
    const auto user = options_.standby_reads ? AuthApi::radius_user(request) : std::nullopt;
    if (user) auth_.call_radius(*user);
    pass_on(node, std::move(pending), now);
  }
}

void Model::pass_on(int node, Pending pending, TimePoint now) {
  const int to = at(node).knows_leader;
  const bool is_unwanted = !pending.request.header("X-Vault-No-Request-Forwarding").value_or("").empty();
  const bool cannot_reach = to < 0 || to == node || at(to).process == Process::kStopped || at(to).partitioned;
  const bool must_wait = !cannot_reach && (at(to).process == Process::kFrozen || is_blocked(at(to)));
  if (is_unwanted || cannot_reach || (!must_wait && to != leader_)) {
    answer(pending.id, redirect(node, pending.request), now);
  } else if (must_wait) {
    at(to).waiting.push_back(std::move(pending));
  } else {
    serve_data(to, std::move(pending), now);
  }
}

http::Response Model::redirect(int node, const Request& request) const {
  const int to = at(node).knows_leader;
  if (to < 0 || to == node) return errors_answer(500, {std::string(kNoLeader)});
  http::Response response{307, {{"Cache-Control", "no-store"}}, ""};
  response.headers.push_back({"Location", url(to) + request.target});
  return response;
}

bool Model::is_allowed(const Request& request) const {
  std::string_view token = request.header("X-Vault-Token").value_or("");
  if (token.empty()) {
    constexpr std::string_view kBearer = "Bearer ";
    token = request.header("Authorization").value_or("");
    if (token.starts_with(kBearer)) token.remove_prefix(kBearer.size());
  }
  return token == options_.root_token;
}

http::Response Model::execute(const Request& request, TimePoint as_of, TimePoint now) {
  constexpr std::string_view kMount = "/v1/secret/";
  if (const auto user = AuthApi::radius_user(request)) {
    auth_.call_radius(*user);
    return AuthApi::login_answer(*user, prng_);
  }
  if (!is_allowed(request)) return errors_answer(403, {"permission denied"});
  const std::string_view path = request.path();
  if (path.starts_with(kMount)) {
    return answer_kv(store_, request, path.substr(kMount.size()), as_of, {now, wall(now)}, prng_);
  }
  if (auto answered = auth_.answer(request, as_of, {now, wall(now)}, prng_)) return std::move(*answered);
  return execute_system(request, now);
}

http::Response Model::execute_system(const Request& request, TimePoint now) {
  constexpr std::string_view kUiMounts = "/v1/sys/internal/ui/mounts/";
  const std::string_view path = request.path();
  if (path == "/v1/sys/step-down" && is_put(request)) return empty_answer(204);
  if (request.method == "GET") {
    if (path == "/v1/auth/token/lookup-self") return token_answer(options_.root_token, wall(started_), prng_);
    if (path == "/v1/sys/mounts") return mounts_answer(prng_);
    if (path.starts_with(kUiMounts)) return ui_mount_answer(percent_decoded(path.substr(kUiMounts.size())), prng_);
    if (path == "/v1/sys/ha-status") {
      const nlohmann::json nodes = nodes_answer(now);
      return json_answer(200, {{"nodes", nodes}, {"data", {{"nodes", nodes}}}});
    }
    if (path == "/v1/sys/storage/raft/configuration") {
      return data_answer(200, {{"config", {{"index", 0}, {"servers", raft_servers()}}}}, prng_);
    }
  }
  const std::string route(path.starts_with("/v1/") ? path.substr(4) : path);
  return errors_answer(404, {"no handler for route \"" + route + "\". route entry not found."});
}

nlohmann::json Model::raft_servers() const {
  nlohmann::json servers = nlohmann::json::array();
  for (int i = 0; i < size(); ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    servers.push_back({{"node_id", name},
                       {"address", name + ":8201"},
                       {"leader", i == leader_},
                       {"voter", true},
                       {"protocol_version", "3"}});
  }
  return servers;
}

nlohmann::json Model::nodes_answer(TimePoint now) const {
  nlohmann::json nodes = nlohmann::json::array();
  for (int i = 0; i < size(); ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    nodes.push_back({{"hostname", name},
                     {"api_address", url(i)},
                     {"cluster_address", "https://" + name + ":8201"},
                     {"active_node", i == leader_},
                     {"last_echo", i == leader_ ? nlohmann::json() : nlohmann::json(format_utc(wall(now)))}});
  }
  return nodes;
}

void Model::release_forwards_to(int node, TimePoint now) {
  Node& n = at(node);
  std::vector<Pending> kept;
  std::vector<Pending> released;
  for (Pending& pending : std::exchange(n.waiting, {})) {
    const bool moved_on = pending.id.node != node && at(pending.id.node).knows_leader != node;
    (moved_on ? released : kept).push_back(std::move(pending));
  }
  n.waiting = std::move(kept);
  for (Pending& pending : released) answer(pending.id, redirect(pending.id.node, pending.request), now);
}

// Who executed it, though another may have passed it on.
void Model::sign(int node, http::Response& response) const {
  constexpr std::string_view kNodeId = "X-Vault-Raft-Node-ID";
  const bool signed_already = std::any_of(response.headers.begin(), response.headers.end(),
                                          [&](const auto& header) { return header.name == kNodeId; });
  if (options_.names_itself && !signed_already) {
    response.headers.push_back({std::string(kNodeId), "n" + std::to_string(node + 1)});
  }
}

void Model::answer(RequestId id, http::Response response, TimePoint now) {
  Node& n = at(id.node);
  if (n.process == Process::kStopped) return;
  sign(id.node, response);
  if (n.slow > Duration{}) {
    delayed_.emplace(now + n.slow, Answer{id, std::move(response)});
  } else if (n.process == Process::kFrozen) {
    n.held.push_back({id, std::move(response)});
  } else {
    actions_.emplace_back(Answer{id, std::move(response)});
  }
}

}  // namespace bellwether::sim
