#pragma once

#include <optional>
#include <string>
#include <string_view>

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

}  // namespace bellwether::net
