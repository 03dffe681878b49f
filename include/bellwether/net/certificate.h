#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/net/tls.h"

namespace bellwether::net {

// A certificate that we show to peers.
struct OwnCertificate {
  std::string file;
  std::optional<WallTime> not_after;
  // Why peers refuse it, or one that comes with it, at the time of the question: "expired on 2026-11-01T00:00:00.000Z".
  std::optional<std::string> problem;
};
// All of the context's: the first is the one that clients get who ask for no name that another one has.
[[nodiscard]] std::vector<OwnCertificate> own_certificates(const TlsContext& context, WallTime now);
// The first problem of any of them, with its file where there are several. Nothing: all are valid, or there is none.
[[nodiscard]] std::optional<std::string> validity_problem(const TlsContext& context, WallTime now);

}  // namespace bellwether::net
