#pragma once

#include <string>

namespace bellwether::net {

// Tells systemd, or whoever else has started this process and waits at NOTIFY_SOCKET, how it is: "READY=1",
// "STOPPING=1", "MAINPID=4711", a line each (sd_notify(3)). No-op where nobody waits there, and never blocks. Any
// thread.
void tell_supervisor(const std::string& state);

}  // namespace bellwether::net
