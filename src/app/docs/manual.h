#pragma once

#include <string>

#include "program.h"

namespace bellwether::app {

// Man pages in the man(7) macros.

// bellwether(1): commands, their arguments, environment, exit codes, signals.
[[nodiscard]] std::string manual_of_commands(const ProgramDoc& program);
// bellwether.json(5): the configuration file, by the table of options.
[[nodiscard]] std::string manual_of_file(const ProgramDoc& program);

}  // namespace bellwether::app
