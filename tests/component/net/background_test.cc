#include "bellwether/net/background.h"

#include <condition_variable>
#include <mutex>

#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using namespace bellwether::net::testing;

namespace {

// What the test and the other thread tell each other.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  bool wait_for(Duration most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [this] { return is_set_; });
  }
  [[nodiscard]] bool is_set() { return wait_for(Duration::zero()); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;
};

struct ThreadEnd {
  Signal may_end, has_ended;
};

// Destroyed at the very end of its thread, as what a library keeps for a thread is. Its destructor takes some time,
// which is over at once when the test says so.
struct LastOfThread {
  ~LastOfThread() {
    if (!end) return;
    end->may_end.wait_for(300ms);
    end->has_ended.set();
  }
  std::shared_ptr<ThreadEnd> end;
};

void watch_end(const std::shared_ptr<ThreadEnd>& end) {
  thread_local LastOfThread last;
  last.end = end;
}

}  // namespace

TEST_CASE("a background thread has ended, with all that was kept for it, when its owner is gone", "[net][background]") {
  const auto loop = make_loop();
  const auto end = std::make_shared<ThreadEnd>();
  bool is_done = false;
  {
    Background background(*loop);
    background.run([&is_done, end]() -> Background::Finish {
      watch_end(end);
      return [&is_done] { is_done = true; };
    });
    REQUIRE(loop->run_until([&] { return is_done; }, 20s));
  }
  // A busy machine may keep the thread for longer than its owner waits.
  CHECK((end->has_ended.is_set() || Background::has_left_any_behind()));
  end->may_end.set();
  CHECK(end->has_ended.wait_for(20s));
}

TEST_CASE("work that hangs is left behind with its thread, and its result is dropped", "[net][background]") {
  const auto loop = make_loop();
  const auto end = std::make_shared<ThreadEnd>();
  const auto work_has_begun = std::make_shared<Signal>();
  const auto work_may_end = std::make_shared<Signal>();
  const auto work_has_ended = std::make_shared<Signal>();
  end->may_end.set();
  bool is_done = false;
  {
    Background background(*loop);
    background.run([=, &is_done]() -> Background::Finish {
      watch_end(end);
      work_has_begun->set();
      work_may_end->wait_for(20s);
      work_has_ended->set();
      return [&is_done] { is_done = true; };
    });
    REQUIRE(work_has_begun->wait_for(20s));
  }
  CHECK_FALSE(work_has_ended->is_set());
  CHECK(Background::has_left_any_behind());
  work_may_end->set();
  CHECK(end->has_ended.wait_for(20s));
  CHECK_FALSE(loop->run_until([&] { return is_done; }, Duration::zero()));
}
