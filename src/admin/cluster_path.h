#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"

namespace bellwether::admin {

// A path, taken apart: "/clusters/east/status" is "/status" asked of the cluster "east".
struct ClusterPath {
  std::optional<std::string> cluster{};  // percent-decoded; none: the path names no cluster
  std::string rest{};                    // begins with "/"; the whole path, where that names no cluster

  friend auto operator<=>(const ClusterPath&, const ClusterPath&) = default;
};

// "/clusters/NAME" is "/" of that cluster. kInvalid: a broken escape in the name.
[[nodiscard]] Result<ClusterPath> parse_cluster_path(std::string_view path);

// What stands before the paths of a cluster: "/clusters/east"; nothing before those of one without a name.
[[nodiscard]] std::string cluster_prefix(std::string_view cluster);

// Whether a path concerns the whole process, whatever clusters it has: /metrics, /healthz, /reload, /check, /log-level
// or /upgrade.
[[nodiscard]] bool is_process_path(std::string_view path);

// Why an answer is refused, in words.
[[nodiscard]] std::string process_path_refusal(std::string_view path);
// `names`: of the clusters that there are; one empty name: the process has one cluster, without a name.
[[nodiscard]] std::string no_such_cluster(std::string_view name, const std::vector<std::string_view>& names);
[[nodiscard]] std::string several_clusters(std::string_view path, const std::vector<std::string_view>& names);

}  // namespace bellwether::admin
