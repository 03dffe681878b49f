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
  friend bool operator==(const PhaseCounts&, const PhaseCounts&) = default;
};

// What the failovers add up to: those that changed the leader, each once it has ended.
struct FailoverCounts {
  std::array<std::uint64_t, cluster::kFailoverCauseCount> by_cause{};
  PhaseCounts detect;         // from the old leader's last claim to the first sign
  PhaseCounts elect;          // from there to the new leader
  PhaseCounts first_success;  // from there to the first client that was served

  // REQUIRES: it has ended
  void record(const cluster::Failover& failover);
  friend bool operator==(const FailoverCounts&, const FailoverCounts&) = default;
};

// What a process hands over of its timeline to the one that takes its place.
struct TimelineHandover {
  std::vector<cluster::Failover> ended;  // the oldest first
  cluster::OpenFailovers open;
  FailoverCounts counts;
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

  // Another process's, that had come to this epoch: what was recorded here of the same epochs is dropped.
  void take_over(const TimelineHandover& theirs, Epoch epoch);
  [[nodiscard]] TimelineHandover hand_over() const;
  // Another process records from now on.
  void stop();

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
  void remember(const cluster::Failover& failover);

  net::Loop& loop_;
  const TimelineSources sources_;
  cluster::FailoverRecorder recorder_;
  std::deque<cluster::Failover> ended_;  // the oldest first
  FailoverCounts counts_;
  bool is_stopped_ = false;
  net::Timer timer_;
};

}  // namespace bellwether::app
