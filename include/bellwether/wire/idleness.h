#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::wire {

// What a connection waits for from its client. In the order in which connections make room for others.
enum class Idleness : std::uint8_t {
  kSilent,      // not a byte has come
  kAnswered,    // it has its answer, and the rest of a body that nobody wants is still to come
  kUnfinished,  // a handshake or the head of a request is incomplete
  kStuck,       // the client does not read its answer, or does not go on with its body
  kBetween,     // it has its answers, and no other request has begun
};

// A connection that waits for its client. `end` ends it, or returns false if it has just ceased to be idle; valid until
// any connection of its thread is served again.
struct IdleConnection {
  Idleness idleness{};
  TimePoint since{};
  std::function<bool()> end;
};

// How long a connection must have waited before it has to make room, and how many of them may be ended at a time.
struct RoomPolicy {
  Duration silent{};
  Duration answered{};
  Duration unfinished{};
  Duration stuck{};
  Duration between{};
  std::size_t most = 1;
  std::size_t most_between = 1;  // of `most`: these clients have done nothing wrong
};

// Ends those that have waited for longest, in the order of Idleness. While there are silent or answered ones, only too
// young yet, none between two requests is ended. Returns how many.
std::size_t end_longest_idle(std::vector<IdleConnection> connections, TimePoint now, const RoomPolicy& policy);

}  // namespace bellwether::wire
