#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bellwether/admin/admin.h"
#include "cluster_path.h"
#include "journal.h"
#include "render.h"

namespace bellwether::admin {

// What an answer is made of. It is copied for those that need it only.
struct Needs {
  bool metrics = false;
  bool views = false;  // of all clusters
  // Of those clusters only that are named below.
  bool failovers = false;  // and what else a status has
  bool ambiguous = false;
  bool of_all_clusters = false;
  std::set<std::string> of_clusters{};
  Needs& operator|=(const Needs& other);
};
[[nodiscard]] Needs needs_of(const ClusterPath& path);

// What of it concerns one cluster.
struct ClusterState {
  std::string name{};
  cluster::ViewPtr view{};  // null: it was not needed
  Journal journal{};
  Counters counters{};
  std::vector<NameState> names{};
  std::vector<std::string> listeners{};
  std::vector<cluster::Failover> failovers{};
  std::vector<AmbiguousRequest> ambiguous{};
};

// A copy of everything that the reading endpoints are made of. Taken on the control thread, rendered on the admin
// thread.
struct State {
  std::vector<ClusterState> clusters{};  // as AdminSources::clusters has them
  bool draining = false;
  ConfigState config{};
  LogLevelState log_level{};
  TimePoint now{};
  std::function<WallTime(TimePoint)> wall_at{};
  std::function<std::string()> metrics_text{};

  // REQUIRES: the views of all clusters were needed.
  [[nodiscard]] Snapshot snapshot(const ClusterState& cluster, const AdminOptions& options) const;
};
using StatePtr = std::shared_ptr<const State>;

// Control thread.
[[nodiscard]] StatePtr copy_state(const AdminSources& sources, const Journals& journals, const Needs& needs,
                                  TimePoint now);

}  // namespace bellwether::admin
