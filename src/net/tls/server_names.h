#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::net {

// Which of a listener's certificates has the name that a client asks for (SNI, RFC 6066 section 3). A name that two of
// them have is the first one's. Pure.
class ServerNames {
 public:
  // DNS names as certificates have them: in any case, with "*" as the whole of the leftmost label for any one label
  // (RFC 6125 section 6.4.3). Returns how many of them no certificate had before.
  std::size_t add(std::size_t certificate, const std::vector<std::string>& names);
  // A certificate with the very name comes before one with a "*". Nothing: none has it.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view asked) const;
  // REQUIRES: added
  [[nodiscard]] std::size_t owner_of(const std::string& name) const;

 private:
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace bellwether::net
