#include "bellwether/base/ip_range.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace bellwether {
namespace {

constexpr std::size_t kMappedBytes = 12;  // ten zeros and two 0xff before the four of IPv4
constexpr int kMappedBits = 8 * static_cast<int>(kMappedBytes);

std::optional<unsigned> parse_number(std::string_view digits, int base, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  return is_whole && value <= most ? std::optional(value) : std::nullopt;
}

// Strict: four decimal numbers without leading zeros, which some read as octal.
bool parse_ipv4(std::string_view text, std::uint8_t* out) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || (dot > 1 && text[0] == '0')) return false;
    const auto number = parse_number(text.substr(0, dot), 10, 255);
    if (!number) return false;
    out[part] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

// What stands on one side of a "::".
struct Groups {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;

  bool read(std::string_view text, bool may_end_in_ipv4) {
    while (!text.empty()) {
      const std::size_t colon = text.find(':');
      const std::string_view group = text.substr(0, colon);
      const bool is_last = colon == std::string_view::npos;
      if (is_last && may_end_in_ipv4 && group.find('.') != std::string_view::npos) {
        if (size > kMappedBytes || !parse_ipv4(group, &bytes[size])) return false;
        size += 4;
        return true;
      }
      const auto number = group.size() <= 4 ? parse_number(group, 16, 0xffff) : std::nullopt;
      if (!number || size == bytes.size()) return false;
      bytes[size++] = static_cast<std::uint8_t>(*number >> 8);
      bytes[size++] = static_cast<std::uint8_t>(*number & 0xff);
      if (is_last) return true;
      text.remove_prefix(colon + 1);
      if (text.empty()) return false;
    }
    return true;
  }
};

// RFC 4291 section 2.2: eight groups, or fewer with one "::"; the last two may be an IPv4 address.
bool parse_ipv6(std::string_view text, IpAddress& out) {
  const std::size_t gap = text.find("::");
  Groups head;
  Groups tail;
  if (gap == std::string_view::npos) {
    if (!head.read(text, true) || head.size != 16) return false;
  } else {
    // The gap stands for at least one group.
    if (!head.read(text.substr(0, gap), false) || !tail.read(text.substr(gap + 2), true)) return false;
    if (head.size + tail.size > 14) return false;
  }
  std::copy_n(head.bytes.begin(), head.size, out.bytes.begin());
  std::copy_n(tail.bytes.begin(), tail.size, out.bytes.end() - static_cast<std::ptrdiff_t>(tail.size));
  return true;
}

bool has_bit(const IpAddress& address, int bit) {
  return (address.bytes[static_cast<std::size_t>(bit / 8)] & (0x80 >> (bit % 8))) != 0;
}

}  // namespace

bool IpAddress::is_ipv4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress address;
  if (text.find(':') != std::string_view::npos) {
    return parse_ipv6(text, address) ? std::optional(address) : std::nullopt;
  }
  address.bytes[10] = address.bytes[11] = 0xff;
  return parse_ipv4(text, &address.bytes[kMappedBytes]) ? std::optional(address) : std::nullopt;
}

Result<IpRange> IpRange::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return fail(ErrorKind::kInvalid, "\"" + std::string(text) + "\" " + std::string(why));
  };
  const std::size_t slash = text.find('/');
  const auto first = parse_ip(text.substr(0, slash));
  if (!first) return bad("is not an IP address or range; write \"10.0.0.5\", \"10.0.0.0/8\" or \"fd00::/8\"");
  IpRange range;
  range.first_ = *first;
  if (slash == std::string_view::npos) return range;
  const int skipped = text.substr(0, slash).find(':') == std::string_view::npos ? kMappedBits : 0;
  const auto bits = parse_number(text.substr(slash + 1), 10, static_cast<unsigned>(128 - skipped));
  if (!bits)
    return bad(skipped > 0 ? "needs a number from 0 to 32 after its /" : "needs one from 0 to 128 after its /");
  range.bits_ = skipped + static_cast<int>(*bits);
  for (int bit = range.bits_; bit < 128; ++bit) {
    if (has_bit(range.first_, bit)) return bad("does not begin a range of that size; it has bits set behind its /");
  }
  return range;
}

bool IpRange::contains(const IpAddress& address) const {
  if (address.is_ipv4() && bits_ < kMappedBits) return false;
  for (int bit = 0; bit < bits_; ++bit) {
    if (has_bit(first_, bit) != has_bit(address, bit)) return false;
  }
  return true;
}

bool is_in_any(std::string_view host, const std::vector<IpRange>& ranges) {
  if (ranges.empty()) return false;
  const auto address = parse_ip(host);
  return address &&
         std::any_of(ranges.begin(), ranges.end(), [&](const IpRange& each) { return each.contains(*address); });
}

}  // namespace bellwether
