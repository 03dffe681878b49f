#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::sim {

// What was measured on raft with performance_multiplier 1 (src/vault/FACTS.md 5, tests/traces) and is not an option.
inline constexpr Duration kTermElection = 50ms;      // SIGTERM hands over at once
inline constexpr Duration kQuorumElection = 300ms;   // from quorum regained to a leader
inline constexpr Duration kWokenLease = 20ms;        // a woken leader answers what waited before it knows
inline constexpr Duration kLearnDelay = 10ms;        // standbys name the new leader that much after its first 200
inline constexpr Duration kRejoinDelay = 900ms;      // a healed node knows the leader again
inline constexpr Duration kStepDownPause = 10s;      // who stepped down is not elected for that long, unless alone
inline constexpr Duration kDisconnectedAfter = 10s;  // Vault: a leaderless standby says 474 (V:vault/ha.go)

struct ModelOptions {
  std::vector<std::string> urls;  // api_addr of each node
  Duration election = 500ms;
  Duration demotion_block = 500ms;
  Duration crash_election = 2s;
  Duration unseal_after = 1s;
  Duration lease = 500ms;           // a leader without quorum goes on saying 200 for that long, as was measured
  Duration replication_lag = 30ms;  // what a standby's own reads are behind
  bool standby_reads = true;
  bool openbao = true;
  bool consistency_headers = false;     // consistency.h
  bool missing_header_forward = false;  // a standby forwards whatever carries no consistency header, health included
  bool names_itself = false;            // each answer says whose it is, as with enable_response_header_raft_node_id
  std::uint64_t seed = 1;
  std::string root_token = "root";
  WallTime wall_at_start{};

  [[nodiscard]] const std::string& url(int node) const { return urls[static_cast<std::size_t>(node)]; }
};

// The time of day that goes with the model's steady time. Pure.
struct WallClock {
  WallTime wall_at_start{};
  TimePoint started{};

  [[nodiscard]] WallTime at(TimePoint now) const {
    return wall_at_start + duration_cast<WallTime::duration>(now - started);
  }
};

}  // namespace bellwether::sim
