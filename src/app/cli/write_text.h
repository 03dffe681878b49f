#pragma once

#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether::app {

// Writes all of `text` or leaves what is there: it is written beside `path` first. Only with `force` over a file that
// is there; what is no file, such as a terminal or a pipe, is written to. Errors name the file and the way out.
[[nodiscard]] Result<void> write_text(const std::string& path, std::string_view text, bool force);

// What write_text() would say now, before something is done whose result is to be written. Writes nothing.
[[nodiscard]] Result<void> may_write(const std::string& path, bool force);

}  // namespace bellwether::app
