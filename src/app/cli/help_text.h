#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bellwether::app {

// A help page with no line longer than `width`: what is longer goes on in the next line, below the text that it belongs
// to. Words are not broken.
[[nodiscard]] std::string wrap_help(std::string_view text, std::size_t width = 80);

}  // namespace bellwether::app
