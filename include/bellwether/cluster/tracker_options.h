#pragma once

#include <cstdint>
#include <string>

#include "bellwether/base/time.h"
#include "bellwether/cluster/topology.h"

namespace bellwether::cluster {

enum class OnConflict : std::uint8_t { kKeep, kHold };

struct TrackerOptions {
  TopologyPtr topology;  // not empty
  Duration inter = 1s;
  Duration fastinter = 10ms;
  Duration downinter = 1s;
  Duration idle_inter = 30s;
  Duration idle_after = 10s;
  Duration suspect_after = 100ms;
  Duration conflict_patience = 20ms;  // how long the old leader may be unanswered once another claims
  int fall = 3;
  int rise = 2;
  OnConflict on_conflict = OnConflict::kKeep;
  bool follows_cluster_change = true;  // a learned cluster_id goes with the last node that states it
  std::string cluster_id;              // empty: learned from a majority of the nodes' first answers
  std::uint64_t seed = 1;              // of the interval jitter
};

}  // namespace bellwether::cluster
