#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/process/log.h"
#include "bellwether/base/ids.h"
#include "bellwether/cluster/leaderless.h"
#include "bellwether/cluster/view.h"
#include "bellwether/net/loop.h"

namespace bellwether::app {

// What the report asks of the rest. All on the control thread.
struct LeaderlessSources {
  log::ClusterLog log;
  std::function<cluster::ViewPtr()> snapshot;
  std::function<void(NodeId)> ask_leader;  // whom it follows; a later snapshot shows it
  std::function<WallTime(TimePoint)> wall_at;
};

// Warns in the log while no node leads: once every node has been heard (at the start) or an election has had its usual
// time (later), then each minute, and within ten seconds when the causes change. Control thread.
class LeaderlessReport {
 public:
  LeaderlessReport(net::Loop& loop, LeaderlessSources sources);
  void on_view(const cluster::View& view);

 private:
  void look();
  void report(const cluster::View& view, TimePoint now);
  [[nodiscard]] bool is_due(const cluster::View& view, const std::string& text, TimePoint now) const;

  net::Loop& loop_;
  const LeaderlessSources sources_;
  std::optional<TimePoint> reported_at_;  // of the present spell without a leader
  std::string reported_;                  // what was said then
  bool is_first_spell_ = true;
  bool has_asked_ = false;  // the nodes, whom they follow
  net::Timer timer_;
};

}  // namespace bellwether::app
