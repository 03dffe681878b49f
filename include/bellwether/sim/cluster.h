#pragma once

#include <functional>
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
  std::vector<net::Address> addresses;    // one per node; empty: loopback, port 0
  std::shared_ptr<net::TlsContext> tls;   // null: plain http
  std::string public_host = "127.0.0.1";  // in api_addr
  Duration election = 500ms;              // leader's end to the successor's first 200
  Duration demotion_block = 500ms;        // how long a demoting leader blocks everything, health too
  Duration crash_election = 2s;           // after a crash or hang: nobody handed over
  Duration unseal_after = 1s;             // a restarted or crashed node comes back (static seal)
  bool standby_reads = true;              // OpenBao >= 2.5: standbys answer reads themselves
  bool openbao = true;                    // bodies of OpenBao, else of Vault
  std::uint64_t seed = 1;
};

// Three pretended nodes on real sockets that behave as a real cluster was measured to (vault-facts section 12 of the
// project's papers; tests/traces). For `bellwether dev`, `bellwether sim` and the tests. One thread: the loop's.
class Cluster {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> start(net::Loop& loop, SimOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] int size() const;
  [[nodiscard]] std::string url(int node) const;  // "http://127.0.0.1:41234"
  [[nodiscard]] net::Address address(int node) const;
  [[nodiscard]] int leader() const;  // -1: none
  [[nodiscard]] std::string root_token() const;

  // Faults, by name: "step-down", "seal", "unseal", "crash", "restart", "term", "hang", "wake", "slow" (duration),
  // "partition" (from its peers), "heal", "split-brain", "foreign" (another cluster_id), "not-vault" (a bare 429).
  [[nodiscard]] Result<void> inject(int node, std::string_view fault, Duration argument = {});
  [[nodiscard]] static const std::vector<std::string_view>& faults();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  explicit Cluster(std::unique_ptr<Impl> impl);
};

}  // namespace bellwether::sim
