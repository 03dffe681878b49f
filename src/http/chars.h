#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bellwether::http {

// What a byte may be part of. One table serves all classes as bits.
enum CharClass : std::uint8_t {
  kTokenChar = 1,   // RFC 9110 section 5.6.2
  kValueChar = 2,   // field-vchar, space, tab (RFC 9110 section 5.5); obs-text included
  kTargetChar = 4,  // visible ASCII but "#": a fragment never travels, and parsers disagree about one that does
  kHostChar = 8,    // of a Host name (RFC 3986 section 3.2.2), without percent-encoding
};

namespace detail {
consteval std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&classes](unsigned c, unsigned bits) { classes[c] = static_cast<std::uint8_t>(classes[c] | bits); };
  const auto add_all = [&add](std::string_view chars, unsigned bits) {
    for (char c : chars) add(static_cast<unsigned char>(c), bits);
  };
  add_all("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", kTokenChar | kHostChar);
  add_all("!#$%&'*+-.^_`|~", kTokenChar);
  add_all("-._~!$&'()*+,;=", kHostChar);
  for (unsigned c = 0x21; c <= 0x7e; ++c) add(c, c == '#' ? kValueChar : kTargetChar | kValueChar);
  for (unsigned c = 0x80; c <= 0xff; ++c) add(c, kValueChar);
  add_all(" \t", kValueChar);
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();
}  // namespace detail

[[nodiscard]] inline bool is_in(char c, CharClass wanted) {
  return (detail::kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

// How many bytes from the front of `text` are in the class.
[[nodiscard]] inline std::size_t span_of(std::string_view text, CharClass wanted) {
  std::size_t length = 0;
  while (length < text.size() && is_in(text[length], wanted)) ++length;
  return length;
}

// span_of(text, kValueChar), eight bytes at a time while none of them is below 0x20 or DEL: values are the bulk of a
// head.
[[nodiscard]] inline std::size_t span_of_value(std::string_view text) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} / 255;
  std::size_t length = 0;
  while (text.size() - length >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + length, sizeof(word));
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t is_del = ((word ^ (kOnes * 0x7f)) - kOnes) & ~(word ^ (kOnes * 0x7f));
    if (((below_space | is_del) & (kOnes * 0x80)) != 0) break;
    length += sizeof(word);
  }
  return length + span_of(text.substr(length), kValueChar);
}

}  // namespace bellwether::http
