#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bellwether/admin/admin.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/failover.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/metrics/slots.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// What a process hands over of its tally to the one that takes its place.
struct TallyHandover {
  std::uint64_t leader_changes = 0;
  std::uint64_t two_leaders = 0;
  std::uint64_t foreign_nodes = 0;
  Duration leaderless{};             // but for the present spell
  std::optional<NodeId> led_before;  // the present or the latest leader
  std::string led_before_name;
};

// What the tracker's events and views add up to: since the start, or since that of the process before whose place this
// one has taken. Control thread.
class Tally {
 public:
  // Another process's: it has counted what was counted here until now, but for a leader that it has not seen.
  void take_over(const TallyHandover& theirs);
  [[nodiscard]] TallyHandover hand_over() const;

  void record(const cluster::Event& event);
  void on_view(const cluster::View& view);

  [[nodiscard]] std::uint64_t leader_changes() const { return whole(counts_.leader_changes); }
  [[nodiscard]] std::uint64_t two_leaders() const { return whole(counts_.two_leaders); }
  [[nodiscard]] std::uint64_t foreign_nodes() const { return whole(counts_.foreign_nodes); }
  // How long nobody was led to for sure: suspicions that ended a leadership, and the present spell, included.
  [[nodiscard]] Duration leaderless(TimePoint now) const;
  // What a scrape says of all that; what the tally does not count is 0.
  [[nodiscard]] metrics::ControlValues values(TimePoint now) const;

 private:
  [[nodiscard]] static std::uint64_t whole(double count) { return static_cast<std::uint64_t>(count); }

  metrics::ControlValues counts_;
  std::optional<NodeId> led_before_;
  std::string led_before_name_;
  std::optional<TimePoint> leaderless_since_;
  Duration leaderless_{};
};

// What the proxy has counted that failovers are told with. `has_http`: there is an http listener.
[[nodiscard]] cluster::FailoverTraffic failover_traffic(const proxy::ProxyCounts& counts, bool has_http);

// What the page shows.
[[nodiscard]] admin::Counters page_counters(const proxy::ProxyCounts& counts, const Tally& tally);

}  // namespace bellwether::app
