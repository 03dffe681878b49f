#pragma once

#include <functional>
#include <vector>

#include "bellwether/cluster/failover.h"
#include "world.h"

namespace bellwether::cluster::testing {

// A recorder that watches a world as the program does. Before the world starts; outlives its run.
class Recorded {
 public:
  using AskLeader = std::function<void(NodeId)>;
  Recorded(World& world, AskLeader ask_leader) : world_(world), ask_leader_(std::move(ask_leader)) {
    world_.on_events = [this](const std::vector<Event>& events) {
      recorder_.on_events(events, *world_.tracker().snapshot(world_.now()), traffic);
      after();
    };
  }
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;

  [[nodiscard]] FailoverRecorder& recorder() { return recorder_; }
  // All so far, those that are open last, without our own start.
  [[nodiscard]] std::vector<Failover> records() {
    for (Failover& failover : recorder_.take_ended()) ended_.push_back(std::move(failover));
    std::vector<Failover> all = ended_;
    for (Failover& failover : recorder_.open()) all.push_back(std::move(failover));
    std::erase_if(all, [](const Failover& failover) { return failover.cause == FailoverCause::kStart; });
    return all;
  }

  FailoverTraffic traffic;  // what is counted now

 private:
  void look() {
    is_armed_ = false;
    recorder_.look(*world_.tracker().snapshot(world_.now()), traffic);
    after();
  }
  void after() {
    for (const NodeId node : recorder_.take_questions()) ask_leader_(node);
    if (recorder_.next_look() == kNever || is_armed_) return;
    is_armed_ = true;
    world_.at(recorder_.next_look(), [this] { look(); });
  }

  World& world_;
  AskLeader ask_leader_;
  FailoverRecorder recorder_;
  std::vector<Failover> ended_;
  bool is_armed_ = false;
};

}  // namespace bellwether::cluster::testing
