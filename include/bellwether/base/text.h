#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether {

// ASCII only: header names, tokens and option keys are ASCII by definition.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string lower_ascii(std::string_view text);
// Without leading and trailing spaces and tabs.
[[nodiscard]] std::string_view trim(std::string_view text);
// The candidate closest to `word` by edit distance, if close enough to be a typing error.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      const std::vector<std::string_view>& candidates);

}  // namespace bellwether
