#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/admin/admin.h"
#include "bellwether/cluster/leaderless.h"
#include "bellwether/cluster/view.h"
#include "journal.h"

namespace bellwether::admin {

// What the page's tabs say of a cluster.
struct ClusterMark {
  std::string_view name;
  std::string_view state;  // state_word() of its view
};

// Everything that a cluster's /status, /leader and /readyz are made of, at one moment. Borrowed for one rendering.
struct Snapshot {
  const AdminOptions& options;
  const cluster::View& view;
  const Journal& journal;
  const Counters& counters;
  bool draining = false;
  TimePoint now{};
  const std::function<WallTime(TimePoint)>& wall_at;
  std::vector<cluster::Failover> failovers{};  // the newest first
  std::vector<AmbiguousRequest> ambiguous{};   // likewise
  ConfigState config{};
  LogLevelState log_level{};
  std::vector<NameState> names{};
  std::vector<std::string> listeners{};
  std::string_view cluster{};           // its name; empty: the process has one cluster, without a name
  std::vector<ClusterMark> clusters{};  // all that the process has, this one among them
};

// Why no node leads. REQUIRES: none does.
[[nodiscard]] cluster::Leaderless leaderless_of(const Snapshot& snapshot);

// What /readyz says. Ready: there is a leader that clients are sent to, or will be after one fresh answer of it.
struct Readiness {
  bool ready = false;
  std::string reason;               // why not
  std::vector<std::string> causes;  // what is wrong with which nodes, while none leads
};
[[nodiscard]] Readiness readiness(const Snapshot& snapshot);
// Of a process with several clusters: it is ready if any of them is. The reason names the clusters.
[[nodiscard]] Readiness readiness(const std::vector<Snapshot>& snapshots);

// "leading", "suspect", "idle", "conflict", "paused", "no_leader" or "starting": what the page says in large letters.
[[nodiscard]] std::string_view state_word(const cluster::View& view);

// With the last ten failovers.
[[nodiscard]] std::string status_json(const Snapshot& snapshot);
// With all of them.
[[nodiscard]] std::string failovers_json(const Snapshot& snapshot);
// Requests whose execution is in doubt.
[[nodiscard]] std::string ambiguous_json(const Snapshot& snapshot);
// The same of all clusters of a process that has several. REQUIRES: at least one snapshot.
[[nodiscard]] std::string all_status_json(const std::vector<Snapshot>& snapshots);
[[nodiscard]] std::string all_failovers_json(const std::vector<Snapshot>& snapshots);
[[nodiscard]] std::string all_ambiguous_json(const std::vector<Snapshot>& snapshots);
// REQUIRES: there is a leader.
[[nodiscard]] std::string leader_json(const Snapshot& snapshot);
[[nodiscard]] std::string ready_json(const Snapshot& snapshot);
[[nodiscard]] std::string all_ready_json(const std::vector<Snapshot>& snapshots);
[[nodiscard]] std::string node_json(std::string_view name, cluster::AdminState state);
[[nodiscard]] std::string pause_json(Duration at_most);
[[nodiscard]] std::string resume_json(bool was_paused);
[[nodiscard]] std::string upgrade_json(std::int64_t pid);
[[nodiscard]] std::string log_level_json(const LogLevelState& state, TimePoint now, const WallClock& clock);
[[nodiscard]] std::string reload_json(const ReloadReport& report);
// {"error": "..."}
[[nodiscard]] std::string error_json(std::string_view message);

}  // namespace bellwether::admin
