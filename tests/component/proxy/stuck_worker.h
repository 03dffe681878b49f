#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

// Keeps a worker within a callback, as its log would while it is full: is_stuck() says so, until release().
class Latch {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    is_stuck_ = true;
    changed_.wait(lock, [this] { return is_released_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool is_stuck() {
    const std::lock_guard lock(mutex_);
    return is_stuck_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stuck_ = false;
  bool is_released_ = false;
};

// The worker that is the first to end a session stands still there, until release(): what comes meanwhile it finds all
// at once. Made before rig.start().
class StuckWorker {
 public:
  explicit StuckWorker(Rig& rig) : rig_(rig) {
    rig.options.log_sessions = true;
    rig.on_session_end_in_worker = [latch = latch_] { latch->wait(); };
  }
  ~StuckWorker() { release(); }
  StuckWorker(const StuckWorker&) = delete;
  StuckWorker& operator=(const StuckWorker&) = delete;

  [[nodiscard]] bool until_stuck() {
    return rig_.until([this] { return latch_->is_stuck(); });
  }
  // By a client that comes and leaves.
  void make_stuck() {
    const auto sessions = rig_.proxy->counts().sessions_now;
    const auto leaves = rig_.client();
    REQUIRE(rig_.until([&] { return rig_.proxy->counts().sessions_now == sessions + 1; }));
    leaves->close();
    REQUIRE(until_stuck());
  }
  void release() { latch_->release(); }

 private:
  Rig& rig_;
  std::shared_ptr<Latch> latch_ = std::make_shared<Latch>();
};

}  // namespace bellwether::proxy
