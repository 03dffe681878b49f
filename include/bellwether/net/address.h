#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "bellwether/base/result.h"

namespace bellwether::net {

// A socket address: IPv4, IPv6 or a unix path. A value type.
class Address {
 public:
  Address() = default;
  // "127.0.0.1:8200", "[::1]:8200", ":8200" (all IPv6 and IPv4), "unix:/run/bw.sock". Numeric hosts only; names are
  // the Resolver's.
  [[nodiscard]] static Result<Address> parse(std::string_view text);
  [[nodiscard]] static Address from(const sockaddr* address, socklen_t length);

  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t length() const { return length_; }
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] std::uint16_t port() const;  // 0 for unix
  [[nodiscard]] Address with_port(std::uint16_t port) const;
  // "127.0.0.1", "::1", or the path: no port, no brackets.
  [[nodiscard]] std::string host() const;
  // As parse() reads it.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Address& a, const Address& b);

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace bellwether::net
