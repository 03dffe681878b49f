#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "end_reason.h"

namespace bellwether::proxy {

class WorkerCore;

// What a session has come to, in any mode.
struct SessionSum {
  std::optional<NodeId> node;  // the one that it had last
  Epoch epoch = 0;             // ... and its epoch
  Duration held{};
  Duration connecting{};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
};

struct EndedSession {
  std::uint16_t listener = 0;
  std::string client;
  TimePoint started{};
  const SessionSum& sum;
  EndReason reason;
};

[[nodiscard]] bool are_sessions_logged(const WorkerCore& worker);
// Hands a SessionRecord to whoever logs it. REQUIRES: are_sessions_logged().
void log_session_end(const WorkerCore& worker, EndedSession session);

}  // namespace bellwether::proxy
