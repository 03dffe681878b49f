#pragma once

#include <cstdint>
#include <optional>

#include "bellwether/admin/admin.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/failover.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// What the tracker's events and views add up to since the start. Control thread.
class Tally {
 public:
  void record(const cluster::Event& event);
  void on_view(const cluster::View& view);

  [[nodiscard]] std::uint64_t leader_changes() const { return leader_changes_; }
  [[nodiscard]] std::uint64_t two_leaders() const { return two_leaders_; }
  [[nodiscard]] std::uint64_t foreign_nodes() const { return foreign_nodes_; }
  // How long nobody was led to for sure: suspicions that ended a leadership, and the present spell, included.
  [[nodiscard]] Duration leaderless(TimePoint now) const;

 private:
  std::uint64_t leader_changes_ = 0;
  std::uint64_t two_leaders_ = 0;
  std::uint64_t foreign_nodes_ = 0;
  std::optional<NodeId> led_before_;
  std::optional<TimePoint> leaderless_since_;
  Duration leaderless_{};
};

// What the proxy has counted that failovers are told with. `has_http`: there is an http listener.
[[nodiscard]] cluster::FailoverTraffic failover_traffic(const proxy::ProxyCounts& counts, bool has_http);

// What the page shows.
[[nodiscard]] admin::Counters page_counters(const proxy::ProxyCounts& counts, const Tally& tally);

}  // namespace bellwether::app
