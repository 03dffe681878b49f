#pragma once

#include <condition_variable>
#include <mutex>

namespace bellwether::testing {

// Where other threads wait while it is shut, as they would in a write to a full log or in a file that hangs.
class Gate {
 public:
  explicit Gate(bool is_shut) : is_shut_(is_shut) {}

  void pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.wait(lock, [this] { return !is_shut_; });
  }
  void set_shut(bool shut) {
    const std::lock_guard lock(mutex_);
    is_shut_ = shut;
    changed_.notify_all();
  }
  // How often somebody came, whether or not they had to wait.
  [[nodiscard]] int arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_shut_;
  int arrived_ = 0;
};

}  // namespace bellwether::testing
