#pragma once

#include <string>

namespace bellwether::app {

// conf/REFERENCE.md: options, environment, exit codes, signals and metrics, from their tables.
[[nodiscard]] std::string reference_markdown();

}  // namespace bellwether::app
