#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/text.h"
#include "finish.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

// A key belongs to the certificate of its level.
constexpr std::pair<std::string_view, std::string_view> kCertificatesAndKeys[] = {{"tls_cert", "tls_key"},
                                                                                  {"client_cert", "client_key"}};

bool is_known(std::string_view name, const Draft& draft) {
  return std::any_of(draft.clusters.begin(), draft.clusters.end(),
                     [&](const ClusterEntry& each) { return each.name == name; });
}

// "\"east\", \"north\" or \"west\""
std::string names_of(const Draft& draft, std::string_view conjunction) {
  std::string out;
  for (const ClusterEntry& each : draft.clusters) {
    if (!out.empty()) out += &each == &draft.clusters.back() ? fmt::format(" {} ", conjunction) : ", ";
    out += fmt::format("\"{}\"", each.name);
  }
  return out;
}

void check_cluster_of(ListenEntry& entry, Draft& draft) {
  const bool is_only = draft.clusters.size() == 1;
  if (entry.cluster.empty() && is_only) {
    entry.cluster = draft.clusters.front().name;
    draft.named_clusters.insert(entry.cluster);
  } else if (entry.cluster.empty()) {
    draft.problem(entry.at, fmt::format("listen: \"{}\" does not name the \"cluster\" that it serves: {}",
                                        entry.address, names_of(draft, "or")));
  } else if (!is_known(entry.cluster, draft)) {
    std::vector<std::string_view> names;
    for (const ClusterEntry& each : draft.clusters) names.push_back(each.name);
    const auto meant = nearest(entry.cluster, names);
    draft.problem(entry.cluster_at,
                  fmt::format("cluster: there is no cluster \"{}\"; {}", entry.cluster,
                              meant ? fmt::format("did you mean \"{}\"?", *meant)
                                    : (is_only ? "the only one is " : "there are ") + names_of(draft, "and")));
  }
}

void check_listeners_of_clusters(Draft& draft) {
  // Which clusters there are is unknown while one of them has no name.
  if (is_known("", draft)) return;
  for (ListenEntry& each : draft.listen) check_cluster_of(each, draft);
  if (draft.clusters.size() == 1) return;
  for (const ClusterEntry& each : draft.clusters) {
    if (draft.named_clusters.count(each.name) > 0) continue;
    draft.problem(each.at, fmt::format("clusters: no listener names \"{}\"", each.name));
  }
}

void refuse_shared_nodes(const ClusterEntry& one, const ClusterEntry& other, Draft& draft) {
  for (const NodeEntry& each : other.nodes.entries) {
    const Node& node = each.node;
    const auto is_same = [&](const NodeEntry& known) {
      return known.node.host == node.host && known.node.port == node.port;
    };
    if (std::none_of(one.nodes.entries.begin(), one.nodes.entries.end(), is_same)) continue;
    draft.problem(each.at,
                  fmt::format("nodes: {} is a node of \"{}\" and of \"{}\"",
                              node.is_service ? node.host : host_and_port(node.host, node.port), one.name, other.name));
  }
}

// What concerns two clusters at a time.
void check_pairs(Draft& draft) {
  for (const ClusterEntry& cluster : draft.clusters) {
    for (const ClusterEntry& other : draft.clusters) {
      if (&other > &cluster) refuse_shared_nodes(cluster, other, draft);
    }
    for (const ListenEntry& entry : draft.listen) {
      if (entry.cluster == cluster.name) continue;  // finish_cluster() has looked
      for (const NodeEntry& node : cluster.nodes.entries) refuse_own_address(entry, node, draft);
    }
  }
}

// A cluster's own key without a certificate of its own, where there is a common one.
void check_own_keys(Draft& cluster, const Config& common) {
  const bool has_common[] = {!common.tls_cert.empty(), !common.client_cert.empty()};
  const bool has_key[] = {!cluster.config.tls_key.empty(), !cluster.config.client_key.empty()};
  for (std::size_t i = 0; i < std::size(kCertificatesAndKeys); ++i) {
    const auto [cert, key] = kCertificatesAndKeys[i];
    if (cluster.own.count(key) == 0 || cluster.own.count(cert) > 0 || !has_common[i] || !has_key[i]) continue;
    cluster.problem(cluster.own.at(key),
                    fmt::format("{}: this cluster has no {} of its own that it belongs to", key, cert));
  }
}

// What is said for all, with what the cluster says itself over it.
Draft draft_of(const ClusterEntry& cluster, const Draft& common) {
  Draft draft;
  draft.config = common.config;
  draft.config.cluster = cluster.name;
  draft.places = common.places;
  draft.own = cluster.said;
  draft.nodes = cluster.nodes;
  for (const auto& [key, place] : cluster.said) {
    const Option& option = *find_option(key);
    if (!std::holds_alternative<NodesField>(option.field)) copy_value(option, cluster.own, draft.config);
  }
  for (const auto& [cert, key] : kCertificatesAndKeys) {
    const bool is_of_common_certificate = cluster.said.count(cert) > 0 && cluster.said.count(key) == 0;
    if (is_of_common_certificate) copy_value(*find_option(key), Config{}, draft.config);
  }
  std::copy_if(common.listen.begin(), common.listen.end(), std::back_inserter(draft.listen),
               [&](const ListenEntry& each) { return each.cluster == cluster.name; });
  return draft;
}

// Whether `problem` is that nobody uses a value, and some other cluster that has it from the same place does use it.
bool is_used_elsewhere(const Problem& problem, const Draft& cluster, const Draft& common,
                       const std::vector<Draft>& clusters) {
  const auto unused = std::find_if(cluster.unused.begin(), cluster.unused.end(),
                                   [&](const UnusedValue& each) { return each.problem == problem; });
  if (unused == cluster.unused.end()) return false;
  const Place at = common.place_of(unused->key);
  const bool is_common = at == Place{problem.file, {problem.line, problem.column}};
  return is_common && std::any_of(clusters.begin(), clusters.end(), [&](const Draft& each) {
           return each.own.count(unused->key) == 0 &&
                  std::none_of(each.unused.begin(), each.unused.end(),
                               [&](const UnusedValue& other) { return other.key == unused->key; });
         });
}

// The same text at the same place once.
void report(const std::vector<Problem>& found, const Draft& cluster, const Draft& common,
            const std::vector<Draft>& clusters, std::vector<Problem>& all) {
  for (const Problem& each : found) {
    if (std::find(all.begin(), all.end(), each) != all.end()) continue;
    if (!is_used_elsewhere(each, cluster, common, clusters)) all.push_back(each);
  }
}

// By the options that its cluster has.
Listen listen_of_any(const ListenEntry& entry, const Draft& common, const std::vector<Draft>& clusters) {
  const auto found = std::find_if(clusters.begin(), clusters.end(),
                                  [&](const Draft& each) { return each.config.cluster == entry.cluster; });
  return listen_of(entry, found == clusters.end() ? common.config : found->config);
}

}  // namespace

std::span<const Config> clusters_of(const Config& config) {
  return config.clusters.empty() ? std::span<const Config>(&config, 1) : std::span<const Config>(config.clusters);
}

void finish_clusters(Draft& draft) {
  if (draft.is_set("nodes")) {
    draft.problem(draft.place_of("nodes"), "nodes: each of the \"clusters\" has nodes of its own; name them there");
  }
  if (draft.clusters.empty()) return;
  if (draft.clusters.size() == 1) add_default_listener(draft, draft.clusters.front().name);
  check_listeners_of_clusters(draft);
  check_keys(draft);
  std::vector<Draft> clusters;
  for (const ClusterEntry& each : draft.clusters) {
    if (each.name.empty()) continue;
    Draft& cluster = clusters.emplace_back(draft_of(each, draft));
    check_own_keys(cluster, draft.config);
    finish_cluster(cluster);
  }
  check_pairs(draft);
  for (const ListenEntry& each : draft.listen) draft.config.listen.push_back(listen_of_any(each, draft, clusters));
  for (const Draft& each : clusters) {
    report(each.problems, each, draft, clusters, draft.problems);
    report(each.hints, each, draft, clusters, draft.hints);
    draft.config.clusters.push_back(each.config);
  }
}

}  // namespace bellwether::config
