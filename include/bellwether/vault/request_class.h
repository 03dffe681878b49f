#pragma once

#include <cstdint>
#include <string_view>

#include "bellwether/cluster/observation.h"
#include "bellwether/http/head.h"

namespace bellwether::vault {

// What a request's method and path say about how it must be treated. Every `path` is as it came, undecoded and without
// query (http::path_of). Nodes decode it once and then route, so the decoded path decides, and all of it: "%6d" is an
// "m", and a secret whose name ends with "sys/monitor" is a secret. A namespace in the header changes nothing; one at
// the beginning of the path cannot be told from a mount, see may_be_stream().

enum class RequestClass : std::uint8_t {
  kData,       // for the leader, held while there is none
  kNodeLocal,  // sys/health, sys/leader, sys/seal-status, the question sys/init, the files of the UI: any node answers
               // for itself, so it is never held
  kBootstrap,  // to change sys/init, sys/unseal: for nodes that cannot lead yet, if the operator allows it
  kStream,     // sys/monitor, sys/events/subscribe: as kData, but endless. While one runs on the leader, a step-down
               // waits up to 90 s for it (measured, FACTS.md 5).
};
[[nodiscard]] RequestClass classify(std::string_view method, std::string_view path);
[[nodiscard]] std::string_view to_text(RequestClass request_class);

// The role in which a node can carry out a kBootstrap request.
[[nodiscard]] cluster::Role role_to_bootstrap(std::string_view path);

// Nodes redirect these before they think of forwarding, with the body unread (V16:http/handler.go).
[[nodiscard]] bool is_always_redirected(std::string_view path);

// A kData request that is a stream if what stands before its "sys/" is a namespace: Vault has sys/monitor in the
// administrative namespace and events in all. An answer tells: a secret's is short. So only an answer that has begun
// and does not end may be treated as a stream's.
[[nodiscard]] bool may_be_stream(std::string_view path);

// Asks a standby to redirect instead of to forward. Any non-empty value (V16, B: http/handler.go).
inline constexpr std::string_view kNoForwardingHeader = "X-Vault-No-Request-Forwarding";
// Says below which namespace a path is.
inline constexpr std::string_view kNamespaceHeader = "X-Vault-Namespace";

}  // namespace bellwether::vault
