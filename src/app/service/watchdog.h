#pragma once

#include <functional>
#include <memory>

#include "bellwether/net/loop.h"

namespace bellwether::app {

// Tells systemd's watchdog (WatchdogSec=) that this process is alive, three times within its limit, and only after
// every loop has turned since the last time: with one that is stuck the process is ended and started again. Control
// thread.
class Watchdog {
 public:
  // Calls its argument once all other loops have turned.
  using AskAll = std::function<void(std::function<void()> on_turned)>;

  // `feed`: tells it.
  Watchdog(net::Loop& loop, Duration limit, AskAll ask, std::function<void()> feed);

  // Now, and from now on.
  void begin();

 private:
  void look();
  void on_turned();

  const Duration interval_;
  const AskAll ask_;
  const std::function<void()> feed_;
  bool is_asking_ = false;
  std::shared_ptr<Watchdog*> alive_;  // a loop may answer when we are gone
  net::Timer timer_;
};

}  // namespace bellwether::app
