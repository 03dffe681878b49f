#include "fault_api.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace bellwether::app {
namespace {

using nlohmann::json;

http::Response json_response(int status, const json& body) {
  return {
      status, {{"Content-Type", "application/json"}}, body.dump(2, ' ', false, json::error_handler_t::replace) + "\n"};
}

// 0-based; nothing if that is no node's name or number.
std::optional<int> node_index(std::string_view text, const sim::Cluster& cluster) {
  if (text == "leader") return cluster.leader() < 0 ? std::nullopt : std::optional(cluster.leader());
  if (text.starts_with('n')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number >= 1 && number <= cluster.size() ? std::optional(number - 1) : std::nullopt;
}

}  // namespace

FaultApi::FaultApi(net::Loop& loop, sim::Cluster& cluster, net::Socket listening)
    : cluster_(cluster),
      server_(loop, {},
              [this](const wire::ServerRequest& request) { server_.respond(request.exchange, answer(request)); }),
      listener_(loop, std::move(listening),
                [this](net::Socket socket, const net::Address& peer) { server_.adopt(std::move(socket), peer); }) {}

std::string FaultApi::url() const { return "http://" + listener_.address().to_string(); }

http::Response FaultApi::answer(const wire::ServerRequest& request) {
  constexpr std::string_view kNode = "/node/";
  constexpr std::string_view kWrites = "/writes";
  constexpr std::string_view kRadius = "/radius/";
  constexpr std::string_view kFor = "for=";
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  std::string_view query = path.size() == target.size() ? "" : target.substr(path.size() + 1);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (path == "/nodes" && reads) return nodes();
  if (path == kWrites && reads) return json_response(200, {{"writes", cluster_.writes()}});
  if (path.starts_with("/writes/") && reads) {
    const std::string key(path.substr(kWrites.size() + 1));
    return json_response(200, {{"key", key}, {"writes", cluster_.writes(key)}});
  }
  if (path.starts_with(kRadius) && reads) {
    const std::string user(path.substr(kRadius.size()));
    return json_response(200, {{"user", user}, {"calls", cluster_.radius_calls(user)}});
  }
  if (path.starts_with(kNode) && (request.method == "POST" || request.method == "PUT")) {
    const std::string_view rest = path.substr(kNode.size());
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos && (query.empty() || query.starts_with(kFor))) {
      if (!query.empty()) query.remove_prefix(kFor.size());
      return inject(rest.substr(0, slash), rest.substr(slash + 1), query);
    }
  }
  return json_response(
      404, {{"errors", {"POST /node/N/FAULT[?for=DURATION], GET /nodes, GET /writes[/KEY], GET /radius/USER"}},
            {"faults", sim::Cluster::faults()}});
}

http::Response FaultApi::inject(std::string_view node, std::string_view fault, std::string_view duration) {
  const std::optional<int> index = node_index(node, cluster_);
  if (!index) return http::vault_error(400, fmt::format("there is no node {} now", node));
  Duration argument{};
  if (!duration.empty()) {
    const Result<Duration> parsed = parse_duration(duration);
    if (!parsed) return http::vault_error(400, parsed.error().within("for").message);
    argument = *parsed;
  }
  if (const Result<void> done = cluster_.inject(*index, fault, argument); !done) {
    return http::vault_error(400, done.error().message);
  }
  return json_response(200, {{"node", cluster_.node(*index).name}, {"fault", fault}});
}

http::Response FaultApi::nodes() const {
  json nodes = json::array();
  for (int i = 0; i < cluster_.size(); ++i) {
    const sim::SimNode node = cluster_.node(i);
    nodes.push_back({{"name", node.name},
                     {"url", node.url},
                     {"state", node.state},
                     {"partitioned", node.partitioned},
                     {"names_leader", node.leader_url}});
  }
  const int leader = cluster_.leader();
  return json_response(200, {{"leader", leader < 0 ? json() : json(cluster_.node(leader).name)},
                             {"writes", cluster_.writes()},
                             {"nodes", nodes}});
}

}  // namespace bellwether::app
