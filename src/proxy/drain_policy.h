#pragma once

#include <cstdint>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"

namespace bellwether::proxy {

// What a view means for the sessions that run on one node.
enum class Standing : std::uint8_t {
  kKeep,     // the leader, a suspect, or a node of which nothing worse than silence is known
  kDemoted,  // it stated another role, or another node leads
  kDead,     // demoted, and it does not answer: nothing that runs there can end well
  kMaint,    // the operator wants it empty
};
[[nodiscard]] Standing standing_of(const cluster::View& view, NodeId node);

// Whether a session is ended now, and why.
enum class Cut : std::uint8_t { kNone, kQuiet, kDeadline, kDead, kAdmin };
struct DrainTimes {
  Duration quiet;     // ended once no byte moved either way for that long
  Duration deadline;  // ... and at the latest that long after the node lost its standing
};
// `since`: when the node got this standing; `last_active`: when the session last moved a byte.
[[nodiscard]] Cut cut_now(Standing standing, TimePoint since, TimePoint last_active, TimePoint now,
                          const DrainTimes& times);

}  // namespace bellwether::proxy
