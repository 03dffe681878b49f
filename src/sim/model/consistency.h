#pragma once

#include <optional>

#include "answers.h"
#include "bellwether/base/time.h"
#include "kv_store.h"
#include "model_options.h"
#include "request.h"

namespace bellwether::sim {

// The consistency headers of OpenBao 2.7 (src/vault/FACTS.md 7): an answer to a write states the index of the storage,
// and a request may require that a node has reached one. The index is opaque to clients; here it is the number of
// writes. `as_of` is the moment up to which the node has what was written. Pure.
class Consistency {
 public:
  // `options` and `store` must outlive it.
  Consistency(const ModelOptions& options, const KvStore& store) : options_(options), store_(store) {}

  // Whether a standby sends the request to the leader, whatever it asks for.
  [[nodiscard]] bool wants_leader(const Request& request, TimePoint as_of) const;
  // The answer to a request that requires more than the node has.
  [[nodiscard]] std::optional<http::Response> refuse(const Request& request, TimePoint as_of) const;
  void state_index(const Request& request, http::Response& response, TimePoint now) const;

 private:
  const ModelOptions& options_;
  const KvStore& store_;
};

}  // namespace bellwether::sim
