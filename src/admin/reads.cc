#include "reads.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api.h"
#include "bellwether/base/assert.h"

namespace bellwether::admin {
namespace {

std::vector<std::string_view> names_of(const State& state) {
  std::vector<std::string_view> names;
  for (const ClusterState& each : state.clusters) names.push_back(each.name);
  return names;
}

http::Response answer_of_cluster(const ClusterPath& path, const State& state, const AdminOptions& options) {
  const auto found = std::find_if(state.clusters.begin(), state.clusters.end(), [&path](const ClusterState& each) {
    return !each.name.empty() && each.name == *path.cluster;
  });
  if (found == state.clusters.end()) return error_response(404, no_such_cluster(*path.cluster, names_of(state)));
  return answer_read(path.rest, state.snapshot(*found, options)).value();
}

http::Response answer_of_all(std::string_view path, const State& state, const AdminOptions& options) {
  std::vector<Snapshot> snapshots;
  for (const ClusterState& each : state.clusters) snapshots.push_back(state.snapshot(each, options));
  return (snapshots.size() == 1 ? answer_read(path, snapshots.front()) : answer_read_of_all(path, snapshots)).value();
}

}  // namespace

http::Response read_answer(const ClusterPath& path, const State& state, const AdminOptions& options) {
  BW_ASSERT(is_read_path(path.rest));
  if (is_process_path(path.rest)) return answer_process_read(path.rest, state.metrics_text).value();
  return path.cluster ? answer_of_cluster(path, state, options) : answer_of_all(path.rest, state, options);
}

}  // namespace bellwether::admin
