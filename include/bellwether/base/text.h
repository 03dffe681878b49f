#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether {

// ASCII only: header names, tokens and option keys are ASCII by definition.
[[nodiscard]] constexpr char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
[[nodiscard]] bool equals_ignoring_case_slowly(std::string_view a, std::string_view b);  // REQUIRES: the same size
// Each header of each message is compared with a dozen names: most differ in their size or first character.
[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  return a.empty() || (lower_ascii(a[0]) == lower_ascii(b[0]) && equals_ignoring_case_slowly(a, b));
}
[[nodiscard]] std::string lower_ascii(std::string_view text);
// Without leading and trailing spaces and tabs.
[[nodiscard]] std::string_view trim(std::string_view text);
// Without trailing slashes: how addresses are compared.
[[nodiscard]] std::string_view without_trailing_slash(std::string_view address);
// The first `most` bytes, with everything but printable ASCII replaced by "?": for text from the network that goes into
// logs, terminals and pages.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most);
// The candidate closest to `word` by edit distance, if close enough to be a typing error.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      const std::vector<std::string_view>& candidates);

}  // namespace bellwether
