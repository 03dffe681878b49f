#include "room_maker.h"

#include <algorithm>

#include "worker.h"

namespace bellwether::proxy {
namespace {

constexpr int kMaxEndedShare = 16;  // a sixteenth of maxconn at a time
constexpr int kMaxEnded = 64;

}  // namespace

wire::RoomPolicy room_policy(int maxconn) {
  return {.silent = 50ms,
          .answered = 50ms,
          .unfinished = 2s,
          .stuck = 5s,
          .between = 1s,
          .most = static_cast<std::size_t>(std::clamp(maxconn / kMaxEndedShare, 1, kMaxEnded)),
          .most_between = 1};
}

RoomMaker::RoomMaker(Worker& worker) : worker_(worker), timer_(worker.loop(), [this] { make_room(); }) {}

// In the next turn at the earliest: one look serves all listeners that have parked a connection in this one.
void RoomMaker::start() {
  if (!timer_.is_armed()) timer_.arm_at(std::max(next_look_, worker_.now()));
}

void RoomMaker::make_room() {
  SessionLimit& sessions = worker_.shared().sessions;
  if (!worker_.has_parked() || !sessions.is_full()) return;
  worker_.make_room();
  if (!sessions.is_full()) return;
  worker_.shared().ask_others_for_room(worker_.seat());
  next_look_ = worker_.now() + kRetryInterval;
  timer_.arm_at(next_look_);
}

}  // namespace bellwether::proxy
