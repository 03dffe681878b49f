#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"

namespace bellwether {

// An IP address. IPv4 is kept as its IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), so both spellings are equal.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_ipv4() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};
// "10.0.0.5", "fd00::5", "::ffff:10.0.0.5"; no brackets, no port, no zone.
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);

// Addresses with the same first bits: "10.0.0.0/8", "fd00::/8", or one alone: "10.0.0.5".
class IpRange {
 public:
  // The error is a clause that begins with the text in quotes.
  [[nodiscard]] static Result<IpRange> parse(std::string_view text);
  // A range of IPv6 has no IPv4 in it, unless it is one of IPv4-mapped addresses.
  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  IpAddress first_;
  int bits_ = 128;  // of the 128
};

// Whether `host`, an address without port, is in one of the ranges. What is no address is in none.
[[nodiscard]] bool is_in_any(std::string_view host, const std::vector<IpRange>& ranges);

}  // namespace bellwether
