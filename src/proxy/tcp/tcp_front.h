#pragma once

#include <memory>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/idleness.h"
#include "proxy/core/accepted.h"
#include "proxy/core/answer_watch.h"
#include "proxy/core/hold.h"
#include "proxy/core/session_table.h"
#include "session.h"

namespace bellwether::proxy {

class WorkerCore;

// Tcp mode on one worker: its sessions, those among them that wait for a leader, and those that are to leave a node.
class TcpFront {
 public:
  // Sessions with nothing under way leave a demoted node at this pace: at most 2,000 a second come back together.
  static constexpr int kMaxQuietCutsPerLeaveTick = 8;

  explicit TcpFront(WorkerCore& worker);
  TcpFront(const TcpFront&) = delete;
  TcpFront& operator=(const TcpFront&) = delete;

  void adopt(Accepted accepted);
  void end_all();   // with the worker
  void on_fence();  // what is being dialled goes back to the hold: not a byte was sent
  void on_view();
  // The view is the same, but may be sent by again, or tells that a node has been silent for `grace`.
  void look_again();
  void tick(TimePoint now);
  // Dials for those who wait, in order and paced.
  void release();
  void collect_idle(std::vector<wire::IdleConnection>& into);
  [[nodiscard]] bool has_waiting() const { return !queue_.empty(); }
  [[nodiscard]] bool is_busy() const { return !table_.empty(); }

  // For sessions.
  [[nodiscard]] WorkerCore& worker() { return worker_; }
  [[nodiscard]] WaitQueue& queue() { return queue_; }
  [[nodiscard]] AnswerWatch<Session>& answers() { return answers_; }
  // Sessions are looked at every few milliseconds while one of them is to leave its node.
  void arm_leave_timer();
  void retire(Session& session, std::uint16_t listener);

 private:
  [[nodiscard]] std::unique_ptr<Origin> origin_of(const Accepted& accepted) const;
  void leave_tick();
  void after_retire();

  WorkerCore& worker_;
  WaitQueue queue_;
  AnswerWatch<Session> answers_;
  TableOf<Session> table_;
  net::Timer leave_timer_;
};

inline WorkerCore& Session::worker() const { return front_.worker(); }

}  // namespace bellwether::proxy
