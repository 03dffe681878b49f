#pragma once

#include <nlohmann/json.hpp>

#include "auth_api.h"
#include "bellwether/base/prng.h"
#include "bellwether/base/time.h"
#include "kv_store.h"
#include "model_options.h"
#include "request.h"

namespace bellwether::sim {

// How a node stands while it executes a request.
struct Execution {
  TimePoint as_of{};  // reads see what had been written by then
  TimePoint now{};
  int leader = -1;  // of the cluster
};

// What a request reaches once a node executes it: the KV engine at secret/, the auth methods and sys/, with their
// storage, which all nodes share. Pure.
class Backends {
 public:
  // `options` and `prng` must outlive it.
  Backends(const ModelOptions& options, WallClock clock, Prng& prng) : options_(options), clock_(clock), prng_(prng) {}

  [[nodiscard]] http::Response execute(const Request& request, const Execution& execution);
  // Up to the first write to storage, as a standby does before it passes the request on.
  void execute_until_write(const Request& request);
  [[nodiscard]] bool is_allowed(const Request& request) const;  // by its token

  [[nodiscard]] const KvStore& store() const { return store_; }
  [[nodiscard]] const AuthApi& auth() const { return auth_; }

 private:
  [[nodiscard]] http::Response execute_system(const Request& request, const Execution& execution);
  [[nodiscard]] nlohmann::json raft_servers(int leader) const;
  [[nodiscard]] nlohmann::json nodes_answer(const Execution& execution) const;
  [[nodiscard]] int nodes() const { return static_cast<int>(options_.urls.size()); }

  const ModelOptions& options_;
  WallClock clock_;
  Prng& prng_;
  KvStore store_;
  AuthApi auth_;
};

}  // namespace bellwether::sim
