#include "proxy/core/session_limit.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

// A worker as far as the limit is concerned: it waits until it is woken, then looks again.
struct WaitingWorker {
  SessionLimit::Waiter waiter;
  std::mutex mutex;
  std::condition_variable woken;
  bool is_woken = false;

  void wake() {
    const std::lock_guard lock(mutex);
    is_woken = true;
    woken.notify_one();
  }
  // False: nobody woke it for far longer than a session lasts.
  bool wait() {
    std::unique_lock lock(mutex);
    const bool was_woken = woken.wait_for(lock, std::chrono::seconds(5), [this] { return is_woken; });
    is_woken = false;
    return was_woken;
  }
};

using Workers = std::array<WaitingWorker, 3>;

void leave(SessionLimit& limit, Workers& workers) {
  limit.leave(
      workers, [](WaitingWorker& each) -> SessionLimit::Waiter& { return each.waiter; },
      [](WaitingWorker& each) { each.wake(); });
}

// Lets `rounds` connections in, one after the other, each of which ends at once.
bool serve(SessionLimit& limit, Workers& workers, std::size_t self, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    while (!limit.try_enter()) {
      if (limit.wait(workers[self].waiter) && !workers[self].wait()) return false;
    }
    std::this_thread::yield();  // so that the others find it full
    leave(limit, workers);
  }
  return true;
}

}  // namespace

TEST_CASE("a connection beyond maxconn is woken by whichever worker's session ends", "[session_limit]") {
  SessionLimit limit(1);
  Workers workers;
  std::array<bool, std::tuple_size_v<Workers>> has_served{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back([&, i] { has_served[i] = serve(limit, workers, i, 3'000); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(has_served == std::array<bool, std::tuple_size_v<Workers>>{true, true, true});
  CHECK_FALSE(limit.is_full());
}

TEST_CASE("a place that comes free between the look and the wait is not waited for", "[session_limit]") {
  SessionLimit limit(1);
  Workers workers;
  REQUIRE(limit.try_enter());
  REQUIRE_FALSE(limit.try_enter());
  leave(limit, workers);  // nobody waits yet, so nobody is woken
  CHECK_FALSE(workers[1].is_woken);
  CHECK_FALSE(limit.wait(workers[1].waiter));
  CHECK(limit.try_enter());
}

TEST_CASE("who finds room after it said that it waits does not wait", "[session_limit]") {
  SessionLimit limit(1);
  Workers workers;
  REQUIRE(limit.try_enter());
  CHECK_FALSE(limit.try_enter());
  CHECK(limit.wait(workers[0].waiter));
  leave(limit, workers);
  CHECK(workers[0].is_woken);
  CHECK_FALSE(workers[0].waiter.is_waiting());
  CHECK_FALSE(limit.wait(workers[0].waiter));
}

}  // namespace bellwether::proxy
