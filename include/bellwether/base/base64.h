#pragma once

#include <string>
#include <string_view>

namespace bellwether {

// RFC 4648 section 4, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
// Empty for what is none. Padding may be missing.
[[nodiscard]] std::string from_base64(std::string_view text);

}  // namespace bellwether
