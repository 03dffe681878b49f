#pragma once

#include <functional>
#include <memory>

#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

// A thread for work that may block for as long as a file system or a name server does, so that its loop never does. One
// piece of work at a time. Used by its loop's thread, and outlived by the loop.
class Background {
 public:
  // What is to be done on the loop's thread with what the work has found.
  using Finish = std::function<void()>;
  using Work = std::function<Finish()>;

  explicit Background(Loop& loop);
  // Waits for running work, but not for long: work that hangs is left behind with its thread, and its result dropped.
  // It must own whatever it uses.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // REQUIRES: !is_busy().
  void run(Work work);
  [[nodiscard]] bool is_busy() const;
  // How long the work has been running. REQUIRES: is_busy().
  [[nodiscard]] Duration running_for() const;
  // Some thread of the process was left behind: it may wake at any time, so the process must end without taking down
  // what the thread may still use (static objects, libraries).
  [[nodiscard]] static bool has_left_any_behind();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace bellwether::net
