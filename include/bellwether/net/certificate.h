#pragma once

#include <optional>
#include <string>

#include "bellwether/base/time.h"
#include "bellwether/net/tls.h"

namespace bellwether::net {

// Why peers will refuse the context's own certificate, or one that comes with it, at that time: "expired on
// 2026-11-01T00:00:00.000Z". Nothing: all are valid, or there is none.
[[nodiscard]] std::optional<std::string> validity_problem(const TlsContext& context, WallTime now);

}  // namespace bellwether::net
