#pragma once

#include <optional>
#include <string>
#include <vector>

#include "answers.h"
#include "bellwether/base/prng.h"
#include "bellwether/base/time.h"
#include "kv_store.h"
#include "model_options.h"
#include "raft.h"
#include "request.h"

namespace bellwether::sim {

// What each node says about itself to anybody who asks: sys/health, sys/leader, sys/seal-status and whether it is
// initialized. Pure.
class StatusApi {
 public:
  // `options`, `raft` and `store` must outlive it. Takes the clusters' names from `prng`.
  StatusApi(const ModelOptions& options, WallClock clock, const Raft& raft, const KvStore& store, Prng& prng);

  // Nullopt: the request asks for something else.
  [[nodiscard]] std::optional<http::Response> answer(int node, const Request& request, TimePoint now) const;
  [[nodiscard]] http::Response seal_status(int node, TimePoint now) const;

  // Whether the node says that it belongs to another cluster.
  void set_foreign(int node, bool is_foreign) { is_foreign_[static_cast<std::size_t>(node)] = is_foreign; }

 private:
  [[nodiscard]] NodeFacts facts(int node, TimePoint now) const;
  [[nodiscard]] Stated stated(int node, TimePoint now) const;

  const ModelOptions& options_;
  WallClock clock_;
  const Raft& raft_;
  const KvStore& store_;
  std::string cluster_id_, foreign_cluster_id_;
  std::vector<bool> is_foreign_;
};

}  // namespace bellwether::sim
