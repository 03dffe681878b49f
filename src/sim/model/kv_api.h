#pragma once

#include <string_view>

#include "answers.h"
#include "bellwether/base/prng.h"
#include "kv_store.h"
#include "request.h"

namespace bellwether::sim {

// The KV version 2 engine mounted at secret/: data (GET, PUT, POST, PATCH, DELETE, check-and-set) and metadata (GET,
// LIST, DELETE). `path` is what follows "/v1/secret/". Reads see the store as it was at `as_of`: a standby lags.
[[nodiscard]] http::Response answer_kv(KvStore& store, const Request& request, std::string_view path, TimePoint as_of,
                                       Instant now, Prng& prng);

}  // namespace bellwether::sim
