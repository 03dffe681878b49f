#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/cluster/observation.h"
#include "sim/model/model.h"

namespace bellwether::bench {

// Pretended time, and what is to be done in it. Of equal times, first in first out.
class Agenda {
 public:
  explicit Agenda(TimePoint now) : now_(now) {}
  void at(TimePoint when, std::function<void()> what) { queue_.emplace(std::max(when, now_), std::move(what)); }
  void in(Duration after, std::function<void()> what) { at(now_ + after, std::move(what)); }
  void run_for(Duration duration);
  [[nodiscard]] TimePoint now() const { return now_; }

 private:
  TimePoint now_;
  std::multimap<TimePoint, std::function<void()>> queue_;
};

// How many requests came, by node, in slices of 10 ms.
class Load {
 public:
  Load(int nodes, TimePoint began) : began_(began), slices_(static_cast<std::size_t>(nodes)) {}
  void count(int node, TimePoint now);
  // Per second, over all the time from `from` to `to`, and in the worst `window` in it; of the busiest node.
  [[nodiscard]] double mean(TimePoint from, TimePoint to) const;
  [[nodiscard]] double worst(TimePoint from, TimePoint to, Duration window) const;

 private:
  static constexpr Duration kSlice = 10ms;
  [[nodiscard]] std::size_t slice(TimePoint at) const { return static_cast<std::size_t>((at - began_) / kSlice); }

  TimePoint began_;
  std::vector<std::vector<std::uint32_t>> slices_;
};

struct ClusterOptions {
  sim::ModelOptions model;
  Duration round_trip = 1ms;  // of the network, half of it each way, each way 50 % more or less
  Duration service = 75us;    // of a request about the node itself; it does one after the other
};

// The simulated cluster (sim::Model) behind a pretended network: requests take their time to get there, wait for their
// turn, and are counted. Who asks keeps a connection to each node from the first answer on, and is told when the node's
// end of it closes.
class Cluster {
 public:
  // An answer, or why there is none.
  struct End {
    int status = 0;
    std::string body;
    cluster::ProbeFailure failure = cluster::ProbeFailure::kRefused;  // if status is 0
  };
  using OnEnd = std::function<void(const End&)>;
  using OnCut = std::function<void(int client, int node)>;

  Cluster(Agenda& agenda, ClusterOptions options, std::uint64_t seed);

  // Returns what forget() takes.
  std::uint64_t ask(int client, int node, const std::string& path, OnEnd on_end);
  bool forget(std::uint64_t exchange);  // false: it had ended
  void strike(int node, std::string_view fault, Duration argument = {});
  void set_service(Duration service) { options_.service = service; }

  [[nodiscard]] int size() const { return static_cast<int>(options_.model.urls.size()); }
  [[nodiscard]] int leader() const { return model_.leader(); }
  [[nodiscard]] const std::string& url(int node) const { return model_.url(node); }
  [[nodiscard]] const Load& load() const { return load_; }
  [[nodiscard]] const Load& answered_load() const {
    return answered_load_;
  }  // without what a dead node's kernel refused

  OnCut on_cut;  // of a connection without a request

 private:
  struct Open {
    int client = 0;
    int node = 0;
    std::string path;
    OnEnd on_end;
  };
  void arrive(std::uint64_t exchange);
  void serve(std::uint64_t exchange);
  void end_later(std::uint64_t exchange, End end);
  void pump();
  void cut_all(int node);
  [[nodiscard]] bool is_stopped(int node) const { return model_.state(node).process == sim::Process::kStopped; }
  [[nodiscard]] Duration one_way() { return prng_.jitter(options_.round_trip / 2, 0.5); }

  Agenda& agenda_;
  ClusterOptions options_;
  sim::Model model_;
  Prng prng_;
  Load load_, answered_load_;
  std::map<std::uint64_t, Open> open_;
  std::uint64_t last_exchange_ = 0;
  std::vector<TimePoint> busy_until_;     // by node
  std::vector<std::set<int>> connected_;  // by node: clients
  TimePoint tick_at_ = kNever;
};

}  // namespace bellwether::bench
