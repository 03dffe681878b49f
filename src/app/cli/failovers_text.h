#pragma once

#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether::app {

// A running Bellwether's /failovers, of one cluster or of several, for a terminal.
[[nodiscard]] Result<std::string> failovers_text(std::string_view json);

}  // namespace bellwether::app
