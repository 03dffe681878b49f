#pragma once

#include <optional>
#include <string>

namespace bellwether::app {

// Where the control socket goes: `configured` itself; for "auto" /run/bellwether/control.sock if that directory can be
// written to, else bellwether.sock in $XDG_RUNTIME_DIR; nothing for "off" and where neither is there.
[[nodiscard]] std::optional<std::string> control_path_to_listen(const std::string& configured);

// Where a running process probably has it: of the same places the first that exists.
[[nodiscard]] std::optional<std::string> control_path_to_ask(const std::string& configured);

}  // namespace bellwether::app
