#include "examined_text.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "app/doctor/diagnosis.h"

namespace bellwether::app {

nlohmann::ordered_json nodes_json(const std::vector<Examined>& nodes, const std::string& cluster) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Examined& node : nodes) {
    nlohmann::ordered_json json{{"name", node.name},
                                {"url", node.url},
                                {"address", node.address},
                                {"role", node.failure ? std::string("silent") : std::string(to_text(node.facts.role))},
                                {"version", node.facts.version},
                                {"cluster_id", node.facts.cluster_id},
                                {"cause", cause_of(node)}};
    json["latency_ms"] =
        node.failure ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(to_millis(node.latency));
    json["clock_ahead_seconds"] =
        node.clock_ahead ? nlohmann::ordered_json(to_seconds(*node.clock_ahead)) : nlohmann::ordered_json(nullptr);
    if (!cluster.empty()) json["cluster"] = cluster;
    list.push_back(std::move(json));
  }
  return list;
}

std::string table_of(const std::vector<Examined>& nodes, bool verified) {
  constexpr std::string_view kRow = "  {:<28} {:<22} {:<20} {:<10} {:<10} {:>9} {:>7}  {}\n";
  std::string out = fmt::format(kRow, "node", "address", "role", "version", "TLS", "latency", "clock", "cluster_id");
  for (const Examined& node : nodes) {
    const std::string_view good = verified ? "verified" : "unverified";
    const std::string_view tls = !node.tls ? "none" : !node.failure ? good : "?";
    const bool tls_failed = node.failure && node.failure->failure == wire::ExchangeFailure::kTls;
    out += fmt::format(
        kRow, node.name, node.address.empty() ? "?" : node.address, node.failure ? "silent" : to_text(node.facts.role),
        node.facts.version, tls_failed ? "refused" : tls,
        node.failure ? "" : fmt::format("{:.1f} ms", to_millis(node.latency)),
        node.clock_ahead ? fmt::format("{:+.0f} s", to_seconds(*node.clock_ahead)) : "", node.facts.cluster_id);
  }
  return out;
}

}  // namespace bellwether::app
