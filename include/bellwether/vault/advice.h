#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/cluster/observation.h"

namespace bellwether::vault {

// How a node is asked, as far as the advice about a failure depends on it: what is done already is not advised.
struct NodeSetUp {
  std::string host;  // as configured
  std::uint16_t port = 0;
  bool is_tls = false;
  bool has_server_name = false;  // another one than the host
  bool has_ca = false;           // ca_file or ca_path
  bool has_client_cert = false;
  bool sends_proxy = false;          // a PROXY header
  bool sends_forwarded_for = false;  // X-Forwarded-For
};

// Why a node gave no answer and what to do about it, in one clause; printable ASCII, at most kMaxAdviceBytes.
// `failure`: nothing if it answered, but not in HTTP. `message`: what the connection said, without the address.
inline constexpr std::size_t kMaxAdviceBytes = 600;
[[nodiscard]] std::string explain_silence(const NodeSetUp& set_up, std::optional<cluster::ProbeFailure> failure,
                                          std::string_view message);
// The same for an answer that is not Vault's: `status` and `problem` are those of its HealthFacts.
[[nodiscard]] std::string explain_error(const NodeSetUp& set_up, int status, std::string_view problem);

}  // namespace bellwether::vault
