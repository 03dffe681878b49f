#pragma once

#include <vector>

#include "bellwether/net/socket.h"

namespace bellwether::net {

// Copies of all sockets on which this process listens, with descriptors from `above` + their number on. Any thread.
[[nodiscard]] std::vector<Socket> copies_of_listening_sockets(int above);

}  // namespace bellwether::net
