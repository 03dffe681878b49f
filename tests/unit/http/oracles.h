#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bellwether::http {

// What other parsers make of a request. Each in a file of its own: their headers define the same names.
struct Framed {
  bool complete = false;
  std::size_t end = 0;  // where the message ends, counted from the end of its request line's method
  std::string body;
};

// They know no LIST and no SCAN.
inline constexpr std::string_view kKnownMethod = "POST";
inline std::string with_known_method(const std::string& text) {
  return std::string(kKnownMethod) + text.substr(text.find(' '));
}

// Nothing if it refuses the message. Of these, those whose BELLWETHER_ macro is defined.
std::optional<Framed> framed_by_http_parser(const std::string& text);
std::optional<Framed> framed_by_llhttp(const std::string& text);

}  // namespace bellwether::http
