#pragma once

#include <optional>
#include <string>

#include "bellwether/base/time.h"

namespace bellwether::net {

// Tells systemd, or whoever else has started this process and waits at NOTIFY_SOCKET, how it is: "READY=1",
// "STOPPING=1", "MAINPID=4711", a line each (sd_notify(3)). No-op where nobody waits there, and never blocks. Any
// thread.
void tell_supervisor(const std::string& state);

// How long systemd waits for "WATCHDOG=1" before it takes this process for hung (WatchdogSec=); none: it does not wait.
[[nodiscard]] std::optional<Duration> watchdog_limit();

// Whether what is written to that descriptor goes to systemd's journal (JOURNAL_STREAM, systemd.exec(5)).
[[nodiscard]] bool is_journal(int fd);

}  // namespace bellwether::net
