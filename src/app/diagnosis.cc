#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "doctor.h"

namespace bellwether::app {
namespace {

constexpr Duration kMuchSkew = 5s;

std::string explain_failure(const Examined& node) {
  if (node.address.empty())
    return fmt::format("{}: the name does not resolve here: {}", node.name, node.failure->message);
  const bool is_named = node.failure->message.compare(0, node.name.size() + 1, node.name + ":") == 0;
  std::string out = is_named ? node.failure->message : fmt::format("{}: {}", node.name, node.failure->message);
  switch (node.failure->failure) {
    case wire::ExchangeFailure::kRefused:
      return out + "; is Vault running there, and is the port right?";
    case wire::ExchangeFailure::kTls:
      if (out.find("not valid for") != std::string::npos) {
        return out + "; if all nodes share one name, say --server-name NAME (server_name)";
      }
      return out;
    case wire::ExchangeFailure::kConnectTimeout:
    case wire::ExchangeFailure::kUnreachable:
      return out + "; is there a firewall or a wrong route?";
    case wire::ExchangeFailure::kAnswerTimeout:
      return out + "; the node accepts connections but does not answer";
    case wire::ExchangeFailure::kClosed:
    case wire::ExchangeFailure::kReset:
      return out + (node.tls ? "; does it want a client certificate (--client-cert) or a PROXY header (--send-proxy)?"
                             : "; does it speak TLS (https://) or want a PROXY header (--send-proxy)?");
    case wire::ExchangeFailure::kProtocol:
      return out + (node.tls ? "" : "; does it speak TLS? then write https://");
  }
  return out;
}

// What to do about an answer that is no health.
std::string_view way_out(const Examined& node) {
  if (node.facts.problem.find("hops to skip") != std::string::npos) {
    return "; its x_forwarded_for_hop_skips wants longer lists: set forwarded_for_hops to one more than that";
  }
  if (node.facts.problem.find("missing x-forwarded-for") != std::string::npos) {
    return "; it wants X-Forwarded-For: use an http listener with forwarded_for, or send_proxy";
  }
  const bool is_tls_port = !node.tls && node.facts.status == 400;
  return is_tls_port ? "; plain HTTP on a TLS port? then write https://" : "";
}

void look_at_answers(const std::vector<Examined>& nodes, Diagnosis& out) {
  for (const Examined& node : nodes) {
    if (node.failure) {
      out.problems.push_back(explain_failure(node));
    } else if (node.facts.role == cluster::Role::kError) {
      out.problems.push_back(fmt::format("{}: {}{}", node.name, node.facts.problem, way_out(node)));
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
  for (const Examined& node : nodes) {
    if (node.facts.role == cluster::Role::kActive) claims.push_back(node.name);
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
  look_at_answers(nodes, out);
  look_at_cluster(nodes, config, out);
  look_for_leader(nodes, out);
  return out;
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
