#pragma once

#include <string>

#include "program.h"

namespace bellwether::app {

// Completions of a shell: commands, flags, the words that a flag or an argument takes, names of files.
[[nodiscard]] std::string bash_completion(const ProgramDoc& program);
[[nodiscard]] std::string zsh_completion(const ProgramDoc& program);
[[nodiscard]] std::string fish_completion(const ProgramDoc& program);

}  // namespace bellwether::app
