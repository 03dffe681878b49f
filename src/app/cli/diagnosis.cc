#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bellwether/probe/explain.h"
#include "doctor.h"

namespace bellwether::app {
namespace {

constexpr Duration kMuchSkew = 5s;

std::string cause_of(const Examined& node) {
  if (node.failure) {
    const auto address = net::Address::parse(node.address);
    return vault::explain_silence(
        node.set_up, probe::probe_failure(node.failure->failure),
        probe::message_for(node.set_up.host, address ? std::optional(*address) : std::nullopt, node.failure->message));
  }
  if (node.facts.role != cluster::Role::kError) return {};
  return vault::explain_error(node.set_up, node.facts.status, node.facts.problem);
}

void check_answers(const std::vector<Examined>& nodes, Diagnosis& out) {
  for (const Examined& node : nodes) {
    if (node.same_as) continue;
    if (const std::string cause = cause_of(node); !cause.empty()) {
      out.problems.push_back(fmt::format("{}: {}", node.name, cause));
    } else if (node.facts.role == cluster::Role::kSealed || node.facts.role == cluster::Role::kUninitialized) {
      out.remarks.push_back(fmt::format("{}: is {}: it cannot take over", node.name, to_text(node.facts.role)));
    }
    if (node.clock_ahead && std::chrono::abs(*node.clock_ahead) > kMuchSkew) {
      out.remarks.push_back(fmt::format("{}: its clock is {:.0f} s {} ours; tokens and certificates suffer from that",
                                        node.name, std::abs(to_seconds(*node.clock_ahead)),
                                        *node.clock_ahead > Duration::zero() ? "ahead of" : "behind"));
    }
  }
}

// The place of an earlier node that is the same server: by address, or by what both state in sys/leader.
std::optional<std::size_t> same_server(const std::vector<Examined>& nodes, std::size_t index) {
  const Examined& node = nodes[index];
  if (node.same_as) return node.same_as;
  if (!node.leader || node.leader->identity.empty()) return std::nullopt;
  for (std::size_t i = 0; i < index; ++i) {
    if (nodes[i].leader && nodes[i].leader->identity == node.leader->identity) return i;
  }
  return std::nullopt;
}

void check_names(const std::vector<Examined>& nodes, Diagnosis& out) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto first = same_server(nodes, i);
    if (!first) continue;
    out.problems.push_back(fmt::format("{} and {} are one server ({}): name it once", nodes[*first].name, nodes[i].name,
                                       nodes[i].same_as ? "both names lead to " + nodes[*first].address
                                                        : "both state the same api_addr and active_time"));
  }
}

void look_at_cluster(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out) {
  std::map<std::string, int> ids;
  for (const Examined& node : nodes) {
    if (!node.facts.cluster_id.empty()) ++ids[node.facts.cluster_id];
  }
  if (ids.empty()) return;
  const auto most =
      std::max_element(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const std::string ours = config.cluster_id.empty() ? most->first : config.cluster_id;
  for (const Examined& node : nodes) {
    if (node.facts.cluster_id.empty() || node.facts.cluster_id == ours) continue;
    out.problems.push_back(fmt::format("{}: belongs to another cluster ({}, not {}); it gets no traffic", node.name,
                                       node.facts.cluster_id, ours));
  }
}

void look_for_leader(const std::vector<Examined>& nodes, Diagnosis& out) {
  std::vector<std::string> claims;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].facts.role == cluster::Role::kActive && !same_server(nodes, i)) claims.push_back(nodes[i].name);
  }
  if (claims.size() > 1) {
    out.problems.push_back(
        fmt::format("{} all say that they lead; asked again in a moment, only one should", fmt::join(claims, " and ")));
  }
  const bool any_answer = std::any_of(nodes.begin(), nodes.end(), [](const Examined& node) { return !node.failure; });
  if (!claims.empty() || !any_answer) return;
  std::string named;
  for (const Examined& node : nodes) {
    if (node.leader && !node.leader->leader_address.empty()) named = node.leader->leader_address;
  }
  out.problems.push_back(
      named.empty() ? "nobody leads: clients would wait; is a quorum of nodes up and unsealed?"
                    : fmt::format("nobody here leads, but {} is named as the leader: is it one of the nodes?", named));
}

}  // namespace

Diagnosis diagnose(const std::vector<Examined>& nodes, const config::Config& config) {
  Diagnosis out;
  check_answers(nodes, out);
  check_names(nodes, out);
  look_at_cluster(nodes, config, out);
  look_for_leader(nodes, out);
  return out;
}

nlohmann::ordered_json nodes_json(const std::vector<Examined>& nodes) {
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
