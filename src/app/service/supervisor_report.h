#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "bellwether/cluster/view.h"
#include "bellwether/net/loop.h"
#include "watchdog.h"

namespace bellwether::app {

// Who leads, in a sentence: what `systemctl status` shows of this process.
[[nodiscard]] std::string status_line(const cluster::View& view);

// What systemd, or whoever else has started this process and listens (sd_notify(3)), is told of it: that it is ready,
// reloads, ends, or has been replaced; who leads; and that its loops turn. Control thread.
class SupervisorReport {
 public:
  // `status`: who leads, in a sentence.
  void ready(std::string status);
  // `ask`: of all loops but the control loop. No-op where nobody has set a watchdog.
  void feed_watchdog(net::Loop& loop, Watchdog::AskAll ask);
  void on_status(std::string status);
  void reloading();
  void reloaded();
  void stopping();
  // From now on that process speaks for the service, and this one says nothing.
  void replaced_by(pid_t successor);

 private:
  void tell(const std::string& state) const;

  bool is_ready_ = false;
  bool is_replaced_ = false;
  bool is_stopping_ = false;
  std::string told_status_;
  std::optional<Watchdog> watchdog_;
};

}  // namespace bellwether::app
