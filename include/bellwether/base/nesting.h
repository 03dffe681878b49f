#pragma once

#include <cstddef>
#include <string_view>

namespace bellwether {

// Whether brackets and braces outside of strings nest deeper than that. For JSON from others before it is parsed: each
// level costs a parser memory, and its values a destructor call.
[[nodiscard]] bool nests_deeper_than(std::size_t levels, std::string_view json);

}  // namespace bellwether
