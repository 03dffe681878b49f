#pragma once

#include <string>
#include <string_view>

namespace bellwether::http {

// "name: value" and its line end, after what is in `out`. For what came through the parser.
void append_line(std::string& out, std::string_view name, std::string_view value);
// The same for what did not: it must not bring line ends of its own. REQUIRES: a token, and a field value.
void append_own_line(std::string& out, std::string_view name, std::string_view value);

}  // namespace bellwether::http
