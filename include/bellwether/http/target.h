#pragma once

#include <string_view>

namespace bellwether::http {

// Path and query of a request target, byte for byte: without the scheme and authority of the absolute form (RFC 9112
// section 3.2). An absolute target without a path gives its query alone, or nothing.
[[nodiscard]] std::string_view origin_form(std::string_view target);

// The path alone, undecoded; "/" for an absolute target without one, "*" for OPTIONS *.
[[nodiscard]] std::string_view path_of(std::string_view target);

}  // namespace bellwether::http
