#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bellwether {

// Percent encoding (RFC 3986 section 2.1).

// The byte that `text` begins with as "%" and two hexadecimal digits. Empty if it does not begin so.
[[nodiscard]] std::optional<char> percent_code(std::string_view text);
inline constexpr std::size_t kPercentCodeBytes = 3;

// Empty if a "%" is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);
// All but the unreserved characters (RFC 3986 section 2.3) are encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace bellwether
