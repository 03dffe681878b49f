#pragma once

#include <cstddef>
#include <string>

#include "bellwether/base/result.h"

namespace bellwether::app {

// The whole file, "-" is standard input. A file of more than `most` bytes is an error, which says that it is larger
// than `what` may be.
[[nodiscard]] Result<std::string> read_text(const std::string& name, std::size_t most, const std::string& what);

}  // namespace bellwether::app
