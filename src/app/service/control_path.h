#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"

namespace bellwether::app {

// Each instance has a control socket of its own, whose name tells its admin address: "control@127.0.0.1:8209.sock" in
// the directory that systemd makes for its unit ($RUNTIME_DIRECTORY: /run/bellwether, or /run/bellwether@NAME for
// bellwether@NAME.service) or else in /run/bellwether, or "bellwether@127.0.0.1:8209.sock" in $XDG_RUNTIME_DIR. Without
// an admin address the name has the process id in its place.

// What `control` says: "auto" or nothing.
[[nodiscard]] bool is_automatic(const std::string& configured);

// Where the control socket goes: `configured` itself; for "auto" the first of the places above that this user may write
// to; nothing for "off" and where there is no such place. `admin_address` as it is listened on; empty: none.
[[nodiscard]] std::optional<std::string> control_path_to_listen(const std::string& configured,
                                                                const std::string& admin_address);

// One that a running process may have.
struct ControlSocket {
  std::string path;
  std::string instance;  // "127.0.0.1:8209", "pid-4711"
};
// In all of these directories. In a command of a unit (ExecReload=) only in the directory of that unit, if one is
// there.
[[nodiscard]] std::vector<ControlSocket> control_sockets();

// Of those that are there the one that a command means. `admin`: the admin address chosen on the command line or in
// BELLWETHER_ADMIN; empty: none was. kUnavailable if none is there or is chosen, kInvalid, with all of them, if several
// are and nothing was chosen. Pure.
[[nodiscard]] Result<std::string> choose_control(const std::vector<ControlSocket>& found, std::string_view admin);

}  // namespace bellwether::app
