#include "path.h"

#include <cstddef>

namespace bellwether::vault {
namespace {

constexpr std::size_t kCodeBytes = 3;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool starts_code(std::string_view text) {
  return text.size() >= kCodeBytes && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    if (!starts_code(path.substr(i))) return std::nullopt;
    out += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
    i += kCodeBytes - 1;
  }
  return out;
}

}  // namespace bellwether::vault
