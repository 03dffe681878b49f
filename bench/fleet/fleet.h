#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "bellwether/cluster/tracker.h"
#include "cluster.h"

namespace bellwether::bench {

// Many sidecars before one cluster: real trackers, each with its own seed, whose orders are carried out as the prober
// does. None has traffic but by request().
class Fleet {
 public:
  // A client's request that found its sidecar idle: where it was sent, and what it waited for.
  struct FirstRequest {
    int sidecar = 0;
    TimePoint came{};
    std::optional<NodeId> was_leader;  // whom the sidecar would have sent it to without asking
    std::optional<NodeId> sent_to;     // nothing: not yet
    int truth = -1;                    // who led at the moment it was sent
    Duration waited{};
    Duration slowest_round_trip{};  // of the probes that it caused, as far as they had lasted when it was sent
    Duration slowest_answer{};      // of those that had been answered
    Duration under_way{};           // for so long an answer was awaited that had been asked for before it came
    int conflicts = 0;              // reported meanwhile
  };

  Fleet(Agenda& agenda, Cluster& cluster, int sidecars, const cluster::TrackerOptions& options, std::uint64_t seed);

  // Each at a random moment within `spread`.
  void start(Duration spread);
  // Each is brought a request again and again, at random moments `every` apart: none is idle.
  void keep_busy(Duration every);
  void request(int sidecar);

  [[nodiscard]] int size() const { return static_cast<int>(sidecars_.size()); }
  [[nodiscard]] const cluster::View& view(int sidecar) const { return *at(sidecar).tracker.view(); }
  [[nodiscard]] int followers(int node) const;  // how many sidecars hold that node for the leader, idle or not
  [[nodiscard]] const std::vector<FirstRequest>& first_requests() const { return first_requests_; }

 private:
  struct Probe {
    cluster::ProbeId id = 0;
    NodeId node;
    TimePoint sent{};
    std::uint64_t exchange = 0;
  };
  struct Sidecar {
    explicit Sidecar(cluster::TrackerOptions options) : tracker(std::move(options)) {}
    cluster::LeaderTracker tracker;
    TimePoint wake_at = kNever;
    std::vector<Probe> probes;        // under way
    std::vector<bool> is_questioned;  // by node: a /v1/sys/leader is under way
    std::optional<FirstRequest> waiting;
  };

  void apply(int sidecar, cluster::Step step);
  void probe(int sidecar, const cluster::ProbeOrder& order);
  void on_probe_end(int sidecar, cluster::ProbeId id, const Cluster::End& end);
  void question(int sidecar, NodeId node);
  void wake(int sidecar, TimePoint when);
  void bring(int sidecar, Duration every);
  void release(Sidecar& sidecar, const cluster::View& view);
  [[nodiscard]] Sidecar& at(int sidecar) { return *sidecars_[static_cast<std::size_t>(sidecar)]; }
  [[nodiscard]] const Sidecar& at(int sidecar) const { return *sidecars_[static_cast<std::size_t>(sidecar)]; }

  Agenda& agenda_;
  Cluster& cluster_;
  Prng prng_;
  std::vector<std::unique_ptr<Sidecar>> sidecars_;
  std::vector<FirstRequest> first_requests_;
};

}  // namespace bellwether::bench
