#pragma once

#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether::app {

// Writes all of `text` or leaves what is there: it is written beside `path` first. Only with `force` over a file that
// is there; what is no file, such as a terminal or a pipe, is written to. Errors name the file and the way out.
[[nodiscard]] Result<void> write_text(const std::string& path, std::string_view text, bool force);

}  // namespace bellwether::app
