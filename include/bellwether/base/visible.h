#pragma once

#include <string>
#include <string_view>

namespace bellwether {

// For texts that came from the network and are shown to people. What would act on a terminal or mislead the reader is
// written as an escape: control characters (C0 with line ends and tabs, DEL, C1), bytes that are no UTF-8, characters
// that turn the direction of text, are invisible or end lines. So the result is one line.
[[nodiscard]] std::string visible(std::string_view text);

// The same text with what stands before the "@" of a URL's authority replaced by "***": it may be a password.
[[nodiscard]] std::string without_userinfo(std::string_view text);

// Both: what any text is put through before it is printed.
[[nodiscard]] std::string for_people(std::string_view text);

}  // namespace bellwether
