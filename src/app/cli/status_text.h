#pragma once

#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether::app {

// What /status says, of one cluster or of several, for a terminal. kProtocol if it is not such a document.
[[nodiscard]] Result<std::string> status_text(std::string_view json);

}  // namespace bellwether::app
