#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/time.h"

namespace bellwether::net {

// When a certificate is valid. WallTime counts nanoseconds and ends in 2262, certificates may end in 9999 (RFC 5280
// section 4.1.2.5): those end in 2255 here.
struct Validity {
  WallTime begin{};
  WallTime end{};
};
// Of a certificate in DER, and of the first in a file of PEM. Nothing if there is none.
[[nodiscard]] std::optional<Validity> validity_of(std::string_view der);
[[nodiscard]] std::optional<Validity> validity_of_file(const std::string& file);

// The DNS names that a certificate in DER is for (subjectAltName, RFC 5280 section 4.2.1.6), as they are written there;
// at most that many, and none with other bytes than printable ASCII.
inline constexpr std::size_t kMaxDnsNames = 100;
[[nodiscard]] std::vector<std::string> dns_names_of(std::string_view der);

}  // namespace bellwether::net
