#pragma once

#include <cstddef>
#include <cstdint>

#include "bellwether/base/enum_count.h"
#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"
#include "dialogue.h"

namespace bellwether::proxy {

// What a view means for the sessions that run on one node.
enum class Standing : std::uint8_t {
  kKeep,     // the leader, a suspect, or a node of which nothing worse than silence is known
  kDemoted,  // it stated another role, or another node leads, or it was removed from the nodes
  kDead,     // demoted, and it does not answer, or hangs: nothing that runs there can end well
  kMaint,    // the operator wants it empty
};
// `patience`: how long a node that was replaced may leave its probes unanswered before it counts as dead. The leader
// that is demoted blocks for up to 0.9 s and then answers (FACTS.md 5); one that hangs has been silent for longer than
// that when another leads.
[[nodiscard]] Standing standing_of(const cluster::View& view, NodeId node, TimePoint now, Duration patience);
// Another node leads, and this one has been silent for `patience`.
[[nodiscard]] bool is_hung(const cluster::View& view, NodeId node, TimePoint now, Duration patience);
// When is_hung() will become true if nothing changes; kNever if it is true already, or will not.
[[nodiscard]] TimePoint hung_from(const cluster::View& view, NodeId node, TimePoint now, Duration patience);

// Whether a session is ended now, and why.
enum class Cut : std::uint8_t {
  kNone,
  kQuiet,     // nothing was under way
  kRequest,   // the client began a request, of which the node got nothing
  kAnswer,    // the answer was complete that the client waited for when the node was demoted
  kSilent,    // another node leads and this one answers neither the client nor a probe, or it blocked and is sealed
  kDeadline,  // it was still busy at drain_deadline
  kDead,
  kAdmin,  // the operator's maintenance
};
inline constexpr std::size_t kCutCount = 8;
static_assert(has_enumerators<Cut, kCutCount>);
struct DrainTimes {
  Duration quiet;     // a session of which it is not known whether anything is under way ends once quiet for that long
  Duration deadline;  // every session ends at the latest that long after its node lost its standing
};
// A node that leaves a client without an answer for so long while its probe is late has blocked.
inline constexpr Duration kBlockedFor = std::chrono::milliseconds(100);

// For what has no requests and answers: streams and tunnels of http mode. `since`: when the node got this standing;
// `last_active`: when the session last moved a byte.
[[nodiscard]] Cut cut_now(Standing standing, TimePoint since, TimePoint last_active, TimePoint now,
                          const DrainTimes& times);

// A node that has lost its standing, as a tcp session on it sees it.
struct LostNode {
  Standing standing = Standing::kKeep;
  TimePoint since{};         // when it lost its standing
  bool is_sealed = false;    // it cannot answer anything any more
  bool is_replaced = false;  // another node leads
  bool is_silent = false;    // its probe is late, or got no answer
};
// A tcp session ends as soon as that breaks no exchange. `pause`: how long the node must be quiet after a short answer;
// `waited`: the client waited for an answer when the node lost its standing.
[[nodiscard]] Cut leave_now(const LostNode& node, const Dialogue& dialogue, TimePoint last_active, Duration pause,
                            bool waited, TimePoint now, const DrainTimes& times);

}  // namespace bellwether::proxy
