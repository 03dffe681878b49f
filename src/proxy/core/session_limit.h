#pragma once

#include <atomic>

#include "hold.h"

namespace bellwether::proxy {

// The limit on sessions over all workers (maxconn), and the workers that wait for room below it. A worker that waits is
// woken by the next session that ends, whichever worker that belongs to: the waiter writes its mark and then reads the
// count, who leaves writes the count and then reads the marks, all in one order (seq_cst), so one of the two sees the
// other.
class SessionLimit {
 public:
  // One worker's mark. Set by its worker, taken by whoever wakes it.
  class Waiter {
   public:
    [[nodiscard]] bool is_waiting() const { return waits_.load(); }

   private:
    friend class SessionLimit;
    std::atomic<bool> waits_{false};
  };

  explicit SessionLimit(int most) : used_(most) {}

  // Who waits is not woken: with more room, that is the caller's to do afterwards.
  void set_most(int most) { used_.set_most(most); }
  [[nodiscard]] bool try_enter() { return used_.try_acquire(); }
  [[nodiscard]] bool is_full() const { return used_.is_full(); }
  // Marks the waiter. False: there is room after all, and nobody may wake it: the caller looks again by itself.
  [[nodiscard]] bool wait(Waiter& waiter) {
    waiter.waits_.store(true);
    return is_full();
  }
  void stop_waiting(Waiter& waiter) { waiter.waits_.store(false); }
  // One session less. Calls `wake` with each of `waiters` that was waiting, once for each wait().
  template <typename Waiters, typename WaiterOf, typename Wake>
  void leave(Waiters& waiters, WaiterOf waiter_of, Wake wake) {
    used_.release();
    for (auto& each : waiters) {
      Waiter& waiter = waiter_of(each);
      if (waiter.waits_.load() && waiter.waits_.exchange(false)) wake(each);
    }
  }

 private:
  SharedLimit used_;
};

}  // namespace bellwether::proxy
