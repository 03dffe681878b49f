#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "surroundings.h"

namespace bellwether::app::migration {

inline constexpr std::size_t kMaxLineBytes = 64 * 1024;  // also of what variables put into it
inline constexpr std::size_t kMaxWords = 1024;

// The words of one line of an haproxy.cfg, by the rules of HAProxy's configuration manual (2.1 to 2.3): "#" begins a
// comment outside quotes, '' takes everything as it is, "" knows escapes and variables ("$NAME", "${NAME}",
// "${NAME-default}"), a backslash outside '' takes the meaning from what follows. A variable that does not exist is
// empty. The error says what is wrong and how to put it right, without the line's number.
[[nodiscard]] Result<std::vector<std::string>> split_line(std::string_view line, const Surroundings& surroundings);

}  // namespace bellwether::app::migration
