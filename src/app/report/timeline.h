#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <vector>

#include "app/process/log.h"
#include "bellwether/cluster/failover.h"
#include "bellwether/net/loop.h"

namespace bellwether::app {

inline constexpr double kFailoverBuckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 30, 60};

struct PhaseCounts {
  std::array<std::uint64_t, std::size(kFailoverBuckets) + 1> buckets{};  // the last is +Inf
  double sum_s = 0;
  void record(Duration duration);
};

// What the failovers add up to: those that changed the leader, each once it has ended.
struct FailoverCounts {
  std::array<std::uint64_t, cluster::kFailoverCauseCount> by_cause{};
  PhaseCounts detect;         // from the old leader's last claim to the first sign
  PhaseCounts elect;          // from there to the new leader
  PhaseCounts first_success;  // from there to the first client that was served
};

// What the timeline asks of the rest. All on the control thread.
struct TimelineSources {
  log::ClusterLog log;
  std::function<cluster::ViewPtr()> snapshot;
  std::function<cluster::FailoverTraffic()> traffic;
  std::function<void(NodeId)> ask_leader;
};

// Feeds the recorder, logs what it finds, and keeps the last 100. Control thread.
class Timeline {
 public:
  static constexpr std::size_t kMost = 100;

  Timeline(net::Loop& loop, TimelineSources sources);

  void on_events(const std::vector<cluster::Event>& events);
  void on_traffic();
  void on_first_success(Epoch epoch);

  // The newest first, those that still go on included.
  [[nodiscard]] std::vector<cluster::Failover> failovers() const;
  [[nodiscard]] const FailoverCounts& counts() const { return counts_; }

 private:
  void look();
  void after();
  void keep(const cluster::Failover& failover);

  net::Loop& loop_;
  const TimelineSources sources_;
  cluster::FailoverRecorder recorder_;
  std::deque<cluster::Failover> ended_;  // the oldest first
  FailoverCounts counts_;
  net::Timer timer_;
};

}  // namespace bellwether::app
