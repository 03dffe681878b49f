#pragma once

#include <functional>
#include <set>

#include "trace.h"
#include "world.h"

namespace bellwether::cluster::testing {

// How often a trace is replayed: at as many phases of the probing.
inline constexpr int kPhases = 100;

// One run: what was led to, and when.
struct Outcome {
  double taken = 0;             // when the new leader was first led to
  bool unsettled = false;       // the old one was lost or suspect at the first new 200
  std::set<std::uint32_t> led;  // everybody who was ever led to
  int lost = 0;                 // how often there was "no leader" after the first
  Epoch epoch = 0;
  bool ends_sending = false;
};

// A trace, probed by the tracker as it would probe the nodes, without any other traffic or with one client that writes
// in a closed loop.
class Replay {
 public:
  Replay(const Trace& trace, int phase, bool live);

  void run();
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] World& world() { return world_; }
  // Asks the node whom it follows, and tells the tracker.
  void ask_leader(NodeId node);

 private:
  World::OnProbe answer_probe();
  std::optional<std::string> leader_named_by(NodeId node, TimePoint sent) const;
  void write();
  void note(const View& view);

  const Trace& trace_;
  int phase_;
  bool live_;
  bool had_leader_ = false;
  Outcome outcome_;
  World world_;
};

}  // namespace bellwether::cluster::testing
