#include "bellwether/base/visible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace bellwether {
namespace {

constexpr std::string_view kScheme = "://";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: no UTF-8
};

std::size_t length_by_first(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

// RFC 3629: neither overlong forms nor surrogates.
Character first_of(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = length_by_first(first);
  if (length == 0 || length > text.size()) return {};
  std::uint32_t code = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code = code << 6 | (byte & 0x3f);
  }
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (is_overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, length};
}

bool misleads(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  if (code == 0xad || code == 0x61c || code == 0x180e || code == 0xfeff) return true;
  return (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code < 0xe0080);
}

bool ends_authority(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view("/?#\"'<>,;()\\").find(c) != std::string_view::npos;
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character next = first_of(text);
    if (next.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (!misleads(next.code)) {
      out += text.substr(0, next.bytes);
    } else if (next.code < 0x100) {
      out += fmt::format("\\x{:02x}", next.code);
    } else {
      out += fmt::format("\\u{:04x}", next.code);
    }
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return out;
}

std::string without_userinfo(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t scheme = text.find(kScheme);
    if (scheme == std::string_view::npos) return out.append(text);
    const std::size_t begin = scheme + kScheme.size();
    out.append(text.substr(0, begin));
    text.remove_prefix(begin);
    const auto end = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends_authority) - text.begin());
    const std::size_t at = text.substr(0, end).rfind('@');
    if (at == std::string_view::npos) continue;
    out.append("***");
    text.remove_prefix(at);
  }
}

std::string for_people(std::string_view text) { return visible(without_userinfo(text)); }

}  // namespace bellwether
