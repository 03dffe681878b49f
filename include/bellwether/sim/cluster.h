#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/tls.h"

namespace bellwether::sim {

struct SimOptions {
  int nodes = 3;
  std::vector<net::Address> addresses;   // one per node; empty: loopback, port 0
  std::shared_ptr<net::TlsContext> tls;  // null: plain http
  Duration election = 500ms;             // leader's end to the successor's first 200
  Duration demotion_block = 500ms;       // how long a demoting leader blocks everything, health too
  Duration crash_election = 2s;          // after a crash or hang: nobody handed over
  Duration unseal_after = 1s;            // a restarted or crashed node comes back (static seal)
  Duration lease = 500ms;                // how long a leader without quorum goes on saying 200
  bool standby_reads = true;             // OpenBao >= 2.5: standbys answer reads themselves
  bool openbao = true;                   // bodies of OpenBao, else of Vault
  bool consistency_headers = false;      // X-Vault-Index and X-Vault-Inconsistent, as OpenBao 2.7
  bool missing_header_forward = false;   // consistency_missing_header_forward of OpenBao 2.7
  bool names_itself = false;             // X-Vault-Raft-Node-ID in each answer
  Duration replication_lag = 30ms;       // what a standby's own reads are behind
  std::uint64_t seed = 1;
  WallTime wall_at_start{};  // for created_time and the like; nothing is decided by it
};

// How a node is doing, for people.
struct SimNode {
  std::string name;  // "n1"
  std::string url;
  std::string state;  // "active", "standby", "sealed", "blocked", "frozen", "stopped"
  bool partitioned = false;
  std::string leader_url;  // whom it would name; empty: nobody
};

// Pretended nodes on real sockets that behave as a real cluster was measured to (src/vault/FACTS.md 5, tests/traces).
// For `bellwether dev`, `bellwether sim` and the tests. One thread: the loop's.
class Cluster {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> start(net::Loop& loop, SimOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] int size() const;
  [[nodiscard]] std::string url(int node) const;  // "http://127.0.0.1:41234"
  [[nodiscard]] net::Address address(int node) const;
  [[nodiscard]] int leader() const;  // who leads and says so; -1: none
  [[nodiscard]] SimNode node(int node) const;
  [[nodiscard]] std::string root_token() const;

  // Faults, by name: "step-down", "seal", "unseal", "crash", "restart", "term", "hang", "wake", "slow" (duration),
  // "partition" (from its peers), "heal", "split-brain", "foreign" (another cluster_id), "not-vault" (a bare 429); and
  // what a node may say of itself: "uninitialized", "removed", "disconnected", "dr-secondary", "performance-standby".
  // With an argument a fault undoes itself after that time (a crash by a restart, a seal by an unseal, ...); that of
  // "slow" is what each answer is late, zero ends it. An error if it makes no sense now ("n2 does not lead").
  [[nodiscard]] Result<void> inject(int node, std::string_view fault, Duration argument = {});
  [[nodiscard]] static const std::vector<std::string_view>& faults();

  // How many KV writes were executed, in all or on one key: what shows a write that ran twice.
  [[nodiscard]] std::uint64_t writes() const;
  [[nodiscard]] std::uint64_t writes(const std::string& key) const;
  // How often nodes have asked the simulated RADIUS server about a user: POST auth/radius/login/USER, by any node.
  [[nodiscard]] std::uint64_t radius_calls(const std::string& user) const;

  struct Impl;
  explicit Cluster(std::unique_ptr<Impl> impl);  // for start()

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::sim
