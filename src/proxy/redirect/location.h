#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/net/address.h"

namespace bellwether::proxy {

// What a redirect names and whether that would be ourselves. Pure.

// Path and query of a request target (RFC 9112 section 3.2), byte for byte; nothing for CONNECT's authority form.
[[nodiscard]] std::optional<std::string_view> path_and_query(std::string_view target);

// public_url (without a final slash) + path and query. Nothing if the target has no path.
[[nodiscard]] std::optional<std::string> location_for(std::string_view public_url, std::string_view target);

// A host, lower case and without brackets, and a port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
// "host", "host:port", "[v6]:port"; the default port if none is given. Nothing if it is neither.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);
// Of an "http://" or "https://" URL.
[[nodiscard]] std::optional<HostPort> host_port_of_url(std::string_view url);

// Whether a client that follows a redirect to `target` comes back to us: it is what the client asked already, or one
// of our listeners. A listener on all addresses is met by any loopback spelling of its port.
[[nodiscard]] bool points_to_us(const HostPort& target, const std::optional<HostPort>& request_host,
                                const std::vector<net::Address>& own);

}  // namespace bellwether::proxy
