#pragma once

#include <CLI/App.hpp>

#include "app/docs/program.h"

namespace bellwether::app {

// The whole command line as values, read from the parser that takes it and, for options of the configuration, from
// their table.
[[nodiscard]] ProgramDoc describe(const CLI::App& app);

}  // namespace bellwether::app
