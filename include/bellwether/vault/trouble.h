#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/enum_count.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/vault/advice.h"

namespace bellwether::vault {

// The port of cluster_addr, one above the API's by default (V and B: command/server.go, "cluster_address").
inline constexpr std::uint16_t kClusterPort = 8201;

// Why a node gives no answer that counts.
enum class Trouble : std::uint8_t {
  kRefused,
  kConnectTimeout,
  kUnresolved,
  kUnreachable,
  kAnswerTimeout,
  kEnded,    // closed or reset before an answer
  kNotHttp,  // it answered, but not in HTTP
  kWrongName,
  kUnknownCa,
  kCertificateTime,    // of the node: expired, or not valid yet
  kClientCertificate,  // it demands one, or refuses ours
  kNotTls,             // we speak TLS, it does not
  kOtherTls,
  kTlsPort,  // we speak plain HTTP, it wants TLS
  kForwardedFor,
  kQuota,
  kGateway,        // a balancer or proxy answers in its place
  kContradiction,  // Vault's body under a status that does not fit it
  kNotVault
};
inline constexpr std::size_t kTroubleCount = 19;
static_assert(has_enumerators<Trouble, kTroubleCount>);

// What happened and what to do about it, a clause each (the second may be empty); printable ASCII, at most
// kMaxAdviceBytes together. explain_silence() and explain_error() are both in one text.
struct Advice {
  Trouble trouble{};
  std::string cause{};
  std::string remedy{};

  [[nodiscard]] std::string to_string() const;  // both in one clause
};
// `failure`: nothing if it answered, but not in HTTP. `message`: what the connection said, without the address.
[[nodiscard]] Advice advise_on_silence(const NodeSetUp& set_up, std::optional<cluster::ProbeFailure> failure,
                                       std::string_view message);
// The same for an answer that is not Vault's: `status` and `problem` are those of its HealthFacts.
[[nodiscard]] Advice advise_on_answer(const NodeSetUp& set_up, int status, std::string_view problem);

}  // namespace bellwether::vault
