#pragma once

#include <string>
#include <string_view>

namespace bellwether::admin {

// For the content of an element or a value between double quotes.
[[nodiscard]] std::string escaped_html(std::string_view text);

}  // namespace bellwether::admin
