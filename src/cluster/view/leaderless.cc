#include "bellwether/cluster/leaderless.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/text.h"

namespace bellwether::cluster {
namespace {

std::string_view plural(int count) { return count == 1 ? "node" : "nodes"; }

std::string all_of(const NodeCensus& census) {
  return census.total == 1 ? std::string("the only node") : fmt::format("all {} nodes", census.total);
}

// "https://vault4:8200" that a standby follows and that is none of ours; empty: there is none.
std::string unknown_leader(const View& view) {
  for (const NodeView& node : view.nodes) {
    if (node.names_leader.empty() || !is_denial(node.role) || node.failure || node.role == Role::kForeign) continue;
    const NodeTable<NodeDescription>& known = view.topology->nodes;
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const NodeDescription& each) {
      return equals_ignoring_case(without_trailing_slash(each.url), without_trailing_slash(node.names_leader));
    });
    if (!is_known) return node.names_leader;
  }
  return {};
}

bool states_several_clusters(const View& view) {
  const std::string* first = nullptr;
  if (!view.cluster_id.empty()) return false;
  for (const NodeView& node : view.nodes) {
    if (node.facts.cluster_id.empty()) continue;
    if (first != nullptr && *first != node.facts.cluster_id) return true;
    first = &node.facts.cluster_id;
  }
  return false;
}

std::vector<std::string> cluster_ids_of(const View& view) {
  std::vector<std::string> lines;
  for (const NodeId node : view.nodes.ids()) {
    const std::string& id = view.nodes.at(node).facts.cluster_id;
    lines.push_back(
        fmt::format("{}: {}", view.name(node), id.empty() ? "states no cluster_id" : "states cluster_id " + id));
  }
  return lines;
}

std::string way_out_of(const NodeCensus& census) {
  if (census.out_of_service > 0) return "`bellwether node NAME ready` puts it back into service";
  if (census.unheard > 0) return {};
  if (census.answering() == 0) return {};  // the causes of each node say it
  if (census.foreign == census.answering())
    return "correct the nodes or cluster_id, or `bellwether repin` after a restore";
  if (census.uninitialized == census.answering()) return "initialize one node, at its own address (operator init)";
  if (census.members < census.majority() && census.sealed > 0)
    return "unseal the sealed nodes, each at its own address (operator unseal)";
  if (census.members < census.majority()) return "start or repair the nodes that do not answer";
  return {};
}

// "n1, n2: connection refused": nodes with the same trouble in one line.
std::vector<std::string> causes_of(const View& view) {
  std::vector<std::pair<std::string, std::string>> by_trouble;  // trouble, names
  for (const NodeId node : view.nodes.ids()) {
    std::string trouble = trouble_of(view.nodes.at(node));
    const std::string_view name = view.name(node);
    if (trouble.empty()) continue;
    const auto known =
        std::find_if(by_trouble.begin(), by_trouble.end(), [&](const auto& each) { return each.first == trouble; });
    if (known == by_trouble.end()) {
      by_trouble.emplace_back(std::move(trouble), name);
    } else {
      known->second += fmt::format(", {}", name);
    }
  }
  std::vector<std::string> lines;
  for (const auto& [trouble, nodes] : by_trouble) lines.push_back(fmt::format("{}: {}", nodes, trouble));
  return lines;
}

}  // namespace

void NodeCensus::add(const NodeView& node) {
  if (node.same_as) return;
  ++total;
  if (node.role == Role::kActive && node.admin != AdminState::kReady) ++out_of_service;
  // What a node said last is no answer any more once its probes fail.
  if (node.failure && node.role != Role::kUnknown) return;
  switch (node.role) {
    case Role::kUnknown:
      if (!node.failure) ++unheard;
      return;
    case Role::kActive:
    case Role::kStandby:
    case Role::kPerformanceStandby:
      ++members;
      return;
    case Role::kSealed:
      ++sealed;
      return;
    case Role::kUninitialized:
      ++uninitialized;
      return;
    case Role::kForeign:
      ++foreign;
      return;
    case Role::kError:
      ++errors;
      return;
    case Role::kDrSecondary:
    case Role::kRemoved:
    case Role::kDisconnected:
      ++others;
      return;
    case Role::kSilent:
      return;
  }
}

NodeCensus census_of(const View& view) {
  NodeCensus census;
  for (const NodeView& node : view.nodes) census.add(node);
  return census;
}

std::string headline_of(const NodeCensus& census) {
  const int answering = census.answering();
  if (census.out_of_service > 0) return "the node that says it leads is set to drain or maint";
  if (census.unheard == census.total) return "no node has answered yet";
  if (answering == 0) {
    const std::string_view how = census.errors > 0 ? " as Vault or OpenBao does" : "";
    if (census.total == 1) return fmt::format("the only node does not answer{}", how);
    return fmt::format("none of the {} nodes answers{}", census.total, how);
  }
  if (census.foreign == answering) return "every node that answers belongs to another cluster";
  if (census.uninitialized == answering) return "the cluster is not initialized";
  if (census.sealed == census.total)
    return fmt::format("{} {} sealed", all_of(census), census.total == 1 ? "is" : "are");
  if (census.members < census.majority() && census.others == 0) {
    const int heard = census.members + census.sealed;
    std::string line =
        fmt::format("{} of {} nodes {}: no quorum", heard, census.total, heard == 1 ? "answers" : "answer");
    if (census.sealed > 0)
      line += fmt::format(", as {} of them {} sealed", census.sealed, census.sealed == 1 ? "is" : "are");
    return line;
  }
  return fmt::format("{} of {} {} answer, and none says that it leads", answering, census.total, plural(census.total));
}

std::string trouble_of(const NodeView& node) {
  if (!node.cause.empty()) return node.cause;
  if (node.admin != AdminState::kReady) return fmt::format("is set to {}", to_text(node.admin));
  switch (node.role) {
    case Role::kSealed:
      return "is sealed: unseal it at its own address (operator unseal)";
    case Role::kUninitialized:
      return "is not initialized (operator init, at one node)";
    case Role::kRemoved:
      return "was removed from the raft cluster; it must join again";
    case Role::kDisconnected:
      return "is a standby that has lost its active node";
    case Role::kDrSecondary:
      return "is a DR secondary: it never serves clients";
    case Role::kUnknown:
    case Role::kActive:
    case Role::kStandby:
    case Role::kPerformanceStandby:
    case Role::kError:
    case Role::kSilent:
    case Role::kForeign:
      return {};
  }
  return {};
}

Leaderless explain_leaderless(const View& view) {
  const NodeCensus census = census_of(view);
  if (states_several_clusters(view)) {
    return {"the nodes state different cluster_ids and no majority agrees", "set cluster_id, or correct the nodes",
            cluster_ids_of(view)};
  }
  Leaderless out{headline_of(census), way_out_of(census), causes_of(view)};
  if (const std::string leader = unknown_leader(view); !leader.empty() && census.out_of_service == 0) {
    out.way_out = fmt::format("they follow {}, which is not one of the nodes: add it to them", leader);
  }
  return out;
}

std::string summary_of(const Leaderless& leaderless) {
  return leaderless.way_out.empty() ? leaderless.headline
                                    : fmt::format("{}; {}", leaderless.headline, leaderless.way_out);
}

}  // namespace bellwether::cluster
