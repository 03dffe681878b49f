#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/result.h"
#include "bellwether/net/address.h"

namespace bellwether::net {

// The PROXY protocol (haproxy:doc/proxy-protocol.txt), both versions, both ways. Pure functions over bytes.
enum class ProxyVersion : std::uint8_t { kNone, kV1, kV2 };

// The header for a connection whose client is `source` and that reached us at `destination`. Where the families differ
// or are not IP: UNKNOWN (v1) or LOCAL/unspecified (v2).
[[nodiscard]] std::string proxy_header(ProxyVersion version, const Address& source, const Address& destination);
// For our own connections (probes): v1 UNKNOWN, v2 LOCAL.
[[nodiscard]] std::string proxy_header_local(ProxyVersion version);

// The longest header we accept: a v1 line has at most 107 bytes, a v2 header with TLVs is cut off at this.
inline constexpr std::size_t kMaxProxyHeader = 536;

struct ProxyParse {
  bool complete = false;          // false: need more bytes (or an error in the Result)
  std::size_t bytes = 0;          // length of the header
  std::optional<Address> source;  // absent for LOCAL and UNKNOWN: use the socket's own
  std::optional<Address> destination;
};
// Reads a v1 or v2 header at the start of `buffer`. Anything else is kProtocol.
[[nodiscard]] Result<ProxyParse> parse_proxy_header(std::string_view buffer);

}  // namespace bellwether::net
