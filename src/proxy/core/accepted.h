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
};

}  // namespace bellwether::proxy
