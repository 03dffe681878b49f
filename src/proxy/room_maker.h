#pragma once

#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/idleness.h"

namespace bellwether::proxy {

class Worker;

// Who makes room when maxconn is reached and another connection has come. A client sends its first bytes with its
// handshake or one round trip later, so a silent connection goes first and soon; one that is idle between two requests
// goes last, and one at a time.
[[nodiscard]] wire::RoomPolicy room_policy(int maxconn);

// Makes room for the connections that a worker has parked, at once and, where nothing could be ended, again every
// kRetryInterval: what was too young to be ended grows older, and other workers may have older ones. Owned by its
// worker.
class RoomMaker {
 public:
  static constexpr Duration kRetryInterval = 10ms;

  explicit RoomMaker(Worker& worker);
  void start();

 private:
  void make_room();

  Worker& worker_;
  net::Timer timer_;
  TimePoint next_look_ = TimePoint::min();
};

}  // namespace bellwether::proxy
