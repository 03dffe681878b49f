#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "bellwether/base/text.h"
#include "rules.h"

namespace bellwether::app {
namespace {

constexpr std::int64_t kFarBehind = 5000;  // entries of the raft log

bool is_named(const Examined& node, const NamedLeader& leader) {
  if (without_trailing_slash(node.url) == without_trailing_slash(leader.url)) return true;
  return std::find(leader.addresses.begin(), leader.addresses.end(), node.address) != leader.addresses.end();
}

void say_nobody_leads(const ExaminedCluster& seen, const std::vector<const Examined*>& ours, Diagnosis& out) {
  std::string named;
  for (const Examined* node : ours) {
    if (node->leader && !node->leader->leader_address.empty()) named = node->leader->leader_address;
  }
  if (named.empty()) {
    return out.add(FindingId::kNobodyLeads, kWholeCluster,
                   "nobody leads: clients would wait; is a quorum of nodes up and unsealed?");
  }
  const auto leader =
      std::find_if(seen.named.begin(), seen.named.end(), [&](const auto& each) { return each.url == named; });
  const bool is_node = std::any_of(seen.nodes.begin(), seen.nodes.end(), [&](const Examined& node) {
    return is_named(node, leader != seen.named.end() ? *leader : NamedLeader{named, {}, {}, false});
  });
  if (is_node) {
    return out.add(
        FindingId::kNobodyLeads, kWholeCluster,
        fmt::format("nobody leads: clients would wait; {} is named as the leader, and does not say so itself", named));
  }
  out.add(FindingId::kLeaderNotNamed, kWholeCluster,
          fmt::format("nobody here leads, but {} is named as the leader: is it one of the nodes?", named));
}

// Of the members that name another leader than the one that leads.
void compare_leaders(const Examined& leader, const std::vector<const Examined*>& ours, Diagnosis& out) {
  if (!leader.leader || !leader.leader->is_self || leader.leader->leader_address.empty()) return;
  const std::string& stated = leader.leader->leader_address;
  for (const Examined* node : ours) {
    if (node == &leader || !node->leader || node->leader->leader_address.empty()) continue;
    if (node->leader->leader_address == stated) continue;
    out.add(FindingId::kLeadersDiffer, node->name,
            fmt::format("names {} as the leader, but {} leads and calls itself {}", node->leader->leader_address,
                        leader.name, stated));
  }
}

bool is_raft(const Examined& node) { return node.leader && node.leader->raft_committed_index; }

bool is_unsealed(const Examined& node) {
  using cluster::Role;
  const Role role = node.facts.role;
  const bool takes_part = role == Role::kActive || role == Role::kStandby || role == Role::kPerformanceStandby ||
                          role == Role::kDisconnected;
  return !node.failure && takes_part;
}

// What is not known, as that of a node whose certificate is not trusted here, is not held against the cluster.
bool is_surely_out(const Examined& node) {
  using wire::ExchangeFailure;
  if (node.failure) {
    const ExchangeFailure kind = node.failure->failure;
    return kind == ExchangeFailure::kRefused || kind == ExchangeFailure::kConnectTimeout ||
           kind == ExchangeFailure::kAnswerTimeout || (kind == ExchangeFailure::kUnreachable && !node.address.empty());
  }
  using cluster::Role;
  const Role role = node.facts.role;
  return role == Role::kSealed || role == Role::kUninitialized || role == Role::kRemoved;
}

void check_quorum(const std::vector<const Examined*>& ours, Diagnosis& out) {
  constexpr std::size_t kLeastNodes = 3;  // who names fewer may have left some out
  const auto out_of_it = std::count_if(ours.begin(), ours.end(), [](const auto* node) { return is_surely_out(*node); });
  const bool any_raft = std::any_of(ours.begin(), ours.end(), [](const auto* node) { return is_raft(*node); });
  const auto all = static_cast<std::ptrdiff_t>(ours.size());
  const std::ptrdiff_t majority = all / 2 + 1;
  if (!any_raft || ours.size() < kLeastNodes || all - out_of_it >= majority) return;
  out.add(FindingId::kQuorumLost, kWholeCluster,
          fmt::format("{} of {} nodes are down or sealed, and raft needs {} that are up", out_of_it, all, majority));
}

void check_progress(const std::vector<const Examined*>& ours, Diagnosis& out) {
  const auto leading = claimants(ours);
  if (leading.size() != 1 || !is_raft(*leading.front())) return;
  const std::int64_t written = *leading.front()->leader->raft_committed_index;
  for (const Examined* node : ours) {
    if (node == leading.front() || !is_unsealed(*node) || !node->leader || !node->leader->raft_applied_index) continue;
    const std::int64_t applied = *node->leader->raft_applied_index;
    // Both are what nodes say: any numbers.
    if (applied < 0 || written < 0 || written - applied <= kFarBehind) continue;
    out.add(FindingId::kStandbyBehind, node->name,
            fmt::format("has applied {} entries of the raft log, and the leader has written {}", applied, written));
  }
}

// The numbers of "1.16.0+ent", for an order of age.
std::array<int, 3> version_numbers(std::string_view text) {
  std::array<int, 3> numbers{};
  for (int& number : numbers) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) break;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

std::optional<std::size_t> same_server(const std::vector<Examined>& nodes, std::size_t index) {
  const Examined& node = nodes[index];
  if (node.same_as) return node.same_as;
  if (!node.leader || node.leader->identity.empty()) return std::nullopt;
  for (std::size_t i = 0; i < index; ++i) {
    if (nodes[i].leader && nodes[i].leader->identity == node.leader->identity) return i;
  }
  return std::nullopt;
}

namespace {

std::string our_cluster_id(const std::vector<Examined>& nodes, const config::Config& config) {
  if (!config.cluster_id.empty()) return config.cluster_id;
  std::map<std::string, int> ids;
  for (const Examined& node : nodes) {
    if (!node.facts.cluster_id.empty()) ++ids[node.facts.cluster_id];
  }
  const auto most =
      std::max_element(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most != ids.end() ? most->first : std::string();
}

}  // namespace

std::vector<const Examined*> members(const std::vector<Examined>& nodes, const config::Config& config) {
  const std::string ours = our_cluster_id(nodes, config);
  std::vector<const Examined*> found;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string& stated = nodes[i].facts.cluster_id;
    if (!same_server(nodes, i) && (stated.empty() || stated == ours)) found.push_back(&nodes[i]);
  }
  return found;
}

std::vector<const Examined*> claimants(const std::vector<const Examined*>& members) {
  std::vector<const Examined*> found;
  for (const Examined* node : members) {
    if (!node->failure && node->facts.role == cluster::Role::kActive) found.push_back(node);
  }
  return found;
}

void check_same_servers(const std::vector<Examined>& nodes, Diagnosis& out) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto first = same_server(nodes, i);
    if (!first) continue;
    out.add(FindingId::kSameServer, nodes[i].name,
            fmt::format("{} and {} are one server ({})", nodes[*first].name, nodes[i].name,
                        nodes[i].same_as ? "both names lead to " + nodes[*first].address
                                         : "both state the same api_addr and active_time"));
  }
}

void check_cluster_ids(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out) {
  const std::string ours = our_cluster_id(nodes, config);
  for (const Examined& node : nodes) {
    if (node.facts.cluster_id.empty() || node.facts.cluster_id == ours) continue;
    out.add(FindingId::kAnotherCluster, node.name,
            fmt::format("belongs to another cluster ({}, not {}); it gets no traffic", node.facts.cluster_id, ours));
  }
}

void check_leadership(const ExaminedCluster& seen, const config::Config& config, Diagnosis& out) {
  const auto ours = members(seen.nodes, config);
  const auto leading = claimants(ours);
  if (leading.size() > 1) {
    std::vector<std::string> names;
    for (const Examined* node : leading) names.push_back(node->name);
    return out.add(
        FindingId::kSeveralLead, kWholeCluster,
        fmt::format("{} all say that they lead; asked again in a moment, only one should", fmt::join(names, " and ")));
  }
  if (leading.size() == 1) return compare_leaders(*leading.front(), ours, out);
  const bool any_answer = std::any_of(seen.nodes.begin(), seen.nodes.end(), [](const Examined& node) {
    return !node.failure && node.facts.role != cluster::Role::kError;
  });
  if (any_answer) say_nobody_leads(seen, ours, out);
}

void check_raft(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out) {
  const auto ours = members(nodes, config);
  check_quorum(ours, out);
  check_progress(ours, out);
}

void check_versions(const std::vector<Examined>& nodes, const config::Config& config, Diagnosis& out) {
  std::map<std::pair<std::array<int, 3>, std::string>, std::vector<std::string>> names;
  for (const Examined* node : members(nodes, config)) {
    const std::string& version = node->facts.version;
    if (!version.empty()) names[{version_numbers(version), version}].push_back(node->name);
  }
  if (names.size() < 2) return;
  std::vector<std::string> parts;
  for (const auto& [version, of] : names) {
    parts.push_back(
        fmt::format("{} {}{}", fmt::join(of, " and "), version.second, parts.empty() ? " (the oldest)" : ""));
  }
  out.add(FindingId::kVersionMix, kWholeCluster,
          fmt::format("its nodes run more than one version: {}", fmt::join(parts, ", ")));
}

}  // namespace bellwether::app
