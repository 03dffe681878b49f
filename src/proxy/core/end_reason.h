#pragma once

#include "bellwether/base/time.h"
#include "drain_policy.h"

namespace bellwether::proxy {

// Who ended a session and when, in HAProxy's letters (haproxy:doc/configuration.txt section 8.5).
struct EndReason {
  char who = '-';
  char when = '-';
  [[nodiscard]] bool is_normal() const { return who == '-'; }
};

// How long a side may take to close after the other one has.
inline constexpr Duration kLongestLinger = 2s;

// Where a session stood.
enum class Phase : std::uint8_t { kRequest, kHeld, kConnecting, kHeaders, kRelaying, kLastData };
[[nodiscard]] char letter(Phase phase);

inline constexpr EndReason kEndedNormally{};
[[nodiscard]] EndReason ended_by_client(Phase phase);
[[nodiscard]] EndReason ended_by_node(Phase phase);
[[nodiscard]] EndReason refused_by_us(Phase phase);   // no room to hold it, or an answer that is not passed on
[[nodiscard]] EndReason node_timed_out(Phase phase);  // 's': nobody served it in time
[[nodiscard]] EndReason node_lost(Phase phase);       // 'D': its node leads no more
[[nodiscard]] EndReason idle_timed_out(Phase phase);  // 'c': nothing to do for too long
[[nodiscard]] EndReason ended_by_us(Phase phase);     // local: we stop, or out of resources
[[nodiscard]] EndReason cut_by(Cut cut, Phase phase);

}  // namespace bellwether::proxy
