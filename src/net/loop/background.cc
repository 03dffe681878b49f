#include "bellwether/net/background.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/process.h"

namespace bellwether::net {

namespace {

constexpr auto kPatienceAtEnd = std::chrono::milliseconds(500);

std::atomic<bool> left_behind{false};

}  // namespace

struct Background::Shared {
  explicit Shared(Loop& l) : loop(l) {}

  Loop& loop;         // not used once `ending`
  bool busy = false;  // the loop's thread only, as is `since`
  TimePoint since{};
  std::thread thread;  // likewise; from the first work on

  std::mutex mutex;
  std::condition_variable changed;
  Work work;  // guarded by mutex, as is what follows
  bool has_ended = false;
  bool ending = false;

  static void serve(const std::shared_ptr<Shared>& self) {
    name_thread("background");
    std::unique_lock lock(self->mutex);
    while (true) {
      self->changed.wait(lock, [&] { return self->ending || self->work; });
      if (self->ending) break;
      const Work work = std::exchange(self->work, {});
      lock.unlock();
      Finish finish = work();
      lock.lock();
      if (self->ending) break;
      self->loop.post([weak = std::weak_ptr(self), finish = std::move(finish)] {
        if (const auto shared = weak.lock()) shared->finish(finish);
      });
    }
    self->has_ended = true;
    self->changed.notify_all();
  }

  void finish(const Finish& result) {
    {
      const std::lock_guard lock(mutex);
      if (ending) return;
    }
    busy = false;
    result();
  }
};

Background::Background(Loop& loop) : shared_(std::make_shared<Shared>(loop)) {}

Background::~Background() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  if (!shared_->thread.joinable()) return;
  const bool has_ended = shared_->changed.wait_for(lock, kPatienceAtEnd, [this] { return shared_->has_ended; });
  lock.unlock();
  if (has_ended) {
    shared_->thread.join();  // what libraries keep for a thread is freed only at its very end
  } else {
    shared_->thread.detach();
    left_behind = true;
  }
}

void Background::run(Work work) {
  BW_ASSERT(!shared_->busy);
  shared_->busy = true;
  shared_->since = shared_->loop.precise_now();
  const std::lock_guard lock(shared_->mutex);
  shared_->work = std::move(work);
  if (!shared_->thread.joinable()) shared_->thread = std::thread([shared = shared_] { Shared::serve(shared); });
  shared_->changed.notify_all();
}

bool Background::is_busy() const { return shared_->busy; }

Duration Background::running_for() const { return shared_->loop.precise_now() - shared_->since; }

bool Background::has_left_any_behind() { return left_behind; }

}  // namespace bellwether::net
