#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bellwether/base/enum_count.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/vault/effect.h"

namespace bellwether::vault {

// The safe-retry table (FACTS.md 3): whether a node's answer, or its silence, proves that the request was
// NOT executed. Proof is made of the answer, of what the node is by its role, product and version, and of what the
// request may have touched. Pure. It never sees the method: a GET may create a credential, a PUT may be harmless.

enum class Verdict : std::uint8_t {
  kPassOn,     // the node's answer is the client's answer
  kProof,      // not executed: may be sent again, to whoever claims to lead when asked after this
  kAmbiguous,  // perhaps executed: our own error (ambiguous_status), never sent again
  kAgainHere,  // not executed, and the node names itself: may be sent again to it, shortly
  kAskMount,   // proof if the path leads to an engine that only touches storage, else ambiguous: ask a node (mount.h)
};

// The row of the table that decided. Metric label and log word, so the set is closed and its texts are stable.
enum class Row : std::uint8_t {
  // kPassOn
  kAnswered,         // below 500 and no redirect to another node: a quota's 429 is one of these
  kOtherRedirect,    // a 307 that is not the cluster's: of the UI, the mux, a plugin
  kNamespaceClosed,  // a sealed or locked namespace: any node says so
  kOverloaded,
  kNodeError,  // any other 5xx: its text is worth more to the client than ours; it does not prove anything
  // kProof
  kNotConnected,     // refused, unreachable, TLS failed
  kNothingSent,      // ended before a byte of the request went
  kRedirected,       // 307 to another node
  kNotActive,        // 500 "local node not active but active cluster node not found"
  kNoActiveFound,    // 503 "no active Vault instance found"
  kSealed,           // 503, exactly "Vault is sealed"
  kCanceledEarly,    // 500 "active context canceled after getting state lock"
  kRemoved,          // 5xx of a node whose health says 530
  kIndexNotReached,  // 429 or 412: the node is behind the X-Vault-Index that the request states (vault/consistency.h)
  // kAgainHere
  kRedirectedToItself,
  // kAskMount
  kUnknownMount,  // refused, by a node that may have carried out a part of it before, as its mount does
  // kAmbiguous
  kMaybeForwarded,    // would be proof, had the node been kept from forwarding
  kMaybeActed,        // as kUnknownMount, and it may have touched more than storage
  kSealedMidway,      // "Vault is sealed" on what may have touched more than storage, or among other errors
  kLeadershipLost,    // the texts of a request that leadership was taken from
  kMaybeRemoved,      // 530 of a node whose health did not say so
  kCut,               // the connection ended before an answer came
  kCutInAnswer,       // and amid an answer that was not yet judged
  kNoAnswer,          // none in time
  kUnreadableAnswer,  // no HTTP, or HTTP that we refuse
  kUnconfirmed,       // answered, but not by a node that has confirmed since that it leads, where that is asked for
};
inline constexpr std::size_t kRowCount = 26;
static_assert(has_enumerators<Row, kRowCount>);
[[nodiscard]] std::string_view to_text(Row row);
[[nodiscard]] Verdict verdict_of(Row row);
// What our error says to the client: a sentence for each ambiguous row, empty for the others.
[[nodiscard]] std::string_view explanation_of(Row row);
// What the row tells the prober to look at, if anything.
[[nodiscard]] std::optional<cluster::HintKind> hint_of(Row row);

// What is known of a request when its answer comes.
struct Attempt {
  std::string_view path;                              // undecoded, without query
  Effect effect = Effect::kOutside;                   // of the request as it was sent
  StandbyConduct conduct = StandbyConduct::kUnknown;  // of the node that answered
  bool forbade_forwarding = false;                    // it carried X-Vault-No-Request-Forwarding
  // The cluster has performance standbys. They forward in spite of that header (D:vault/docs/enterprise/
  // performance-standby), and a leader that steps down may become one.
  bool has_performance_standbys = false;
  cluster::Role role = cluster::Role::kUnknown;  // what the node had last said of itself when we sent
  std::span<const std::string_view> node_urls;   // all by which the node is known: its URL, its public_url
};

// A final answer (2xx to 5xx, or 101) as far as it is needed.
struct Answer {
  int status = 0;
  std::optional<std::string_view> location;
  std::string_view body;           // only for needs_body(); empty if it was longer than kJudgedBodyBytes
  bool index_not_reached = false;  // consistency.h
};

inline constexpr std::size_t kJudgedBodyBytes = 4 * 1024;
// Only then the body, whole, is needed for the verdict. A longer one decides nothing.
[[nodiscard]] bool needs_body(int status);
[[nodiscard]] Row judge(const Attempt& attempt, const Answer& answer);
// The node's own words, for our error in its place: the first of its errors, printable and short; empty if it has none.
[[nodiscard]] std::string first_error(std::string_view body);

enum class Failure : std::uint8_t {
  kNotConnected,  // no connection: refused, unreachable, timed out, or its TLS handshake failed
  kEnded,         // closed or reset
  kTimedOut,      // given up: by answer timeout, or because another node leads
  kBadAnswer,     // not HTTP, or refused by our parser
};
// Bytes count as sent once the kernel or TLS has them.
struct Transport {
  Failure failure = Failure::kEnded;
  std::uint64_t sent = 0;      // of the request
  std::uint64_t received = 0;  // of its answer
};
[[nodiscard]] Row judge(const Transport& transport);

}  // namespace bellwether::vault
