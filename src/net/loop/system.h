#pragma once

#include <optional>
#include <string>

#include "bellwether/net/socket.h"

namespace bellwether::net {

// "connection refused", without a number: for people.
[[nodiscard]] std::string describe_errno(int error);

// Socket::connect that leaves the errno for whoever must tell "refused" from "unreachable". 0: connecting, or done.
[[nodiscard]] int start_connect(const Address& to, const std::optional<Address>& source, const TcpOptions& tcp,
                                Socket& out);

}  // namespace bellwether::net
