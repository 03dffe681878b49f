#pragma once

#include <cstdint>
#include <optional>

#include "bellwether/net/address.h"
#include "bellwether/net/socket.h"

namespace bellwether::proxy {

// An accepted connection on its way to becoming a session.
struct Accepted {
  std::uint16_t listener = 0;
  net::Socket socket;
  net::Address client;                      // of the socket, or named by a PROXY header
  std::optional<net::Address> destination;  // named by a PROXY header

  // Where the client reached us: as named, or else the socket's own address; empty if the system does not tell.
  [[nodiscard]] net::Address reached() const {
    if (destination) return *destination;
    auto local = socket.local_address();
    return local ? *local : net::Address();
  }
};

}  // namespace bellwether::proxy
