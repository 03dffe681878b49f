#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bellwether::vault {

// Empty if a "%" is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view path);

}  // namespace bellwether::vault
