#pragma once

#include "bellwether/net/loop.h"
#include "hold.h"

namespace bellwether::proxy {

// The sessions of one worker that have asked a node something and have not heard a word since, in the order in which
// they asked. One that waits for longer than a healthy leader takes says so, once. Its timer is armed only while
// somebody waits.
template <typename Session>
class AnswerWatch {
 public:
  // A healthy leader answers in a few milliseconds; a blocked one, in the middle of its demotion, in half a second.
  static constexpr Duration kLate = 20ms;

  explicit AnswerWatch(net::Loop& loop) : loop_(loop), timer_(loop, [this] { look(); }) {}

  // REQUIRES: it waits for nothing else
  void add(Session& session) {
    waiting_.push_back(session);
    if (!timer_.is_armed()) timer_.arm_in(kLate);
  }
  // No-op if it is not watched. REQUIRES: it waits in no other queue
  void remove(Session& session) {
    if (session.is_queued()) waiting_.remove(session);
  }

 private:
  void look() {
    while (WaitLink* first = waiting_.first()) {
      auto& session = static_cast<Session&>(*first);
      const TimePoint late_at = session.asked_at() + kLate;
      if (late_at > loop_.now()) return timer_.arm_at(late_at);
      waiting_.remove(session);
      session.say_unanswered();
    }
  }

  net::Loop& loop_;
  WaitQueue waiting_;
  net::Timer timer_;
};

}  // namespace bellwether::proxy
