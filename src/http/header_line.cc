#include "header_line.h"

#include <algorithm>
#include <cstddef>

#include "bellwether/base/assert.h"
#include "chars.h"

namespace bellwether::http {

// One growth of `out` and plain copies: each header of each message is written by it.
void append_line(std::string& out, std::string_view name, std::string_view value) {
  constexpr std::string_view kColon = ": ";
  constexpr std::string_view kLineEnd = "\r\n";
  const std::size_t before = out.size();
  out.resize(before + name.size() + kColon.size() + value.size() + kLineEnd.size());
  auto at = out.begin() + static_cast<std::ptrdiff_t>(before);
  for (const std::string_view part : {name, kColon, value, kLineEnd}) at = std::copy(part.begin(), part.end(), at);
}

void append_own_line(std::string& out, std::string_view name, std::string_view value) {
  BW_ASSERT(!name.empty() && span_of(name, kTokenChar) == name.size());
  BW_ASSERT(span_of_value(value) == value.size());
  append_line(out, name, value);
}

}  // namespace bellwether::http
