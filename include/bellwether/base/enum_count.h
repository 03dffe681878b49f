#pragma once

#include <cstddef>
#include <string_view>

namespace bellwether {

// Whether a value of an enum has an enumerator. The compiler knows: it writes "ns::Enum::kName" of one that has, and
// "(ns::Enum)7" of one that has none. Clang's name of a nameless namespace has parentheses too.
template <auto Value>
[[nodiscard]] constexpr bool is_enumerator() {
  constexpr std::string_view kAssignment = "Value = ";
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::string_view value = text.substr(text.find(kAssignment) + kAssignment.size());
  const std::size_t cast = value.rfind(')');
  return cast == std::string_view::npos || value.substr(cast + 1, 1) == ":";
}

// Whether an enum whose enumerators count from 0 has exactly `Count` of them. For a static_assert beside the constant,
// so that an enumerator is not added without it.
template <typename Enum, std::size_t Count>
inline constexpr bool has_enumerators = is_enumerator<static_cast<Enum>(Count - 1)>() &&
                                        !is_enumerator<static_cast<Enum>(Count)>();

}  // namespace bellwether
