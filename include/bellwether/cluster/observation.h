#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"

namespace bellwether::cluster {

// What a node says it is. Role is not health: a standby is as healthy as the leader.
enum class Role : std::uint8_t {
  kUnknown,             // never asked, or never answered yet
  kActive,              // 200: the leader, by its own word ("a claim")
  kStandby,             // 429 with Vault's body
  kPerformanceStandby,  // 473
  kDrSecondary,         // 472: the active node of a DR secondary says this too
  kSealed,              // 503 with Vault's body
  kUninitialized,       // 501
  kRemoved,             // 530: removed from the raft cluster
  kDisconnected,        // 474: a standby that cannot reach its active node
  kError,               // answered, but not as Vault does: counts like silence
  kSilent,              // no answer
  kForeign,             // answers as a node of another cluster
};
inline constexpr std::size_t kRoleCount = 12;

// "active", "standby", "performance_standby", ...: the spelling of /status, metrics and logs.
[[nodiscard]] std::string_view to_text(Role role);
// A role by which a node says that it is not the leader, true from the moment it is received.
[[nodiscard]] bool is_denial(Role role);

// Set by the operator; independent of what the node says.
enum class AdminState : std::uint8_t { kReady, kDrain, kMaint };
[[nodiscard]] std::string_view to_text(AdminState state);
[[nodiscard]] std::optional<AdminState> admin_state_from(std::string_view text);

// What a health answer contained. Absent fields are empty.
struct HealthFacts {
  Role role = Role::kUnknown;
  int status = 0;          // HTTP status; 0: no answer
  std::string cluster_id;  // absent while sealed
  std::string cluster_name;
  std::string version;
  bool states_enterprise = false;  // it has the field "enterprise", with whatever value: Vault 1.16 and later
  std::optional<std::int64_t> server_time_utc;  // seconds; shows clock skew
  std::string problem;                          // for kError: why this is not Vault's answer
};

using ProbeId = std::uint64_t;

// A probe that was answered with a whole HTTP response.
struct ProbeAnswer {
  ProbeId probe = 0;
  TimePoint sent{};      // when the request's bytes were written: a claim is true for this moment
  TimePoint received{};  // when the answer was complete: a denial is true from this moment
  HealthFacts facts;
};

// Why a probe ended without an answer.
enum class ProbeFailure : std::uint8_t {
  kRefused,  // nobody listens
  kReset,    // cut while we waited
  kClosed,   // ended cleanly without an answer
  kConnectTimeout,
  kAnswerTimeout,
  kTls,          // handshake or verification failed
  kUnreachable,  // no route, no address, a name that does not resolve
};
[[nodiscard]] std::string_view to_text(ProbeFailure failure);
inline constexpr std::size_t kProbeFailureCount = 7;

// What a node's /v1/sys/leader said: corroboration in a conflict, never proof of leadership.
struct LeaderStatement {
  NodeId node;
  TimePoint sent{};
  TimePoint received{};
  bool is_self = false;
  std::string leader_address{};  // empty: it knows of no leader
  // Of one that says is_self: api_addr, cluster address and since when it is active, which no two servers share. Empty:
  // not stated. Two nodes that state the same are one server.
  std::string identity{};
};

// Something seen on live traffic that makes a probe round worthwhile. Never changes the view by itself.
enum class HintKind : std::uint8_t {
  kRefused,
  kReset,
  kClosed,      // of a client's connection to the node
  kRedirected,  // a 307 that names a node
  kNotActive,   // "local node not active but active cluster node not found"
  kSealed,      // exactly "Vault is sealed"
  kSlow,        // an exchange without an answer for 20 ms
};
[[nodiscard]] std::string_view to_text(HintKind kind);
struct Hint {
  NodeId node;
  Epoch epoch = 0;  // the epoch under which it was seen; a stale one is dropped
  HintKind kind = HintKind::kSlow;
};

}  // namespace bellwether::cluster
