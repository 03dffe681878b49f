#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bellwether::app::migration {

inline constexpr int kMaxPortRange = 64;

// The address of a server as HAProxy writes it: "10.0.0.1:8200", "[::1]:8200", "fd00::1:8200" (what follows the last
// colon is the port), "ipv4@vault1:8200".
struct ServerAddress {
  std::string host;
  int port = 0;  // 0: none is written, or none that can be used
  bool is_numeric = false;
  bool is_service = false;  // a name of SRV records
};
// nullopt: what Bellwether cannot connect to, such as a unix socket.
[[nodiscard]] std::optional<ServerAddress> parse_server_address(std::string_view text);

// The addresses of a `bind` line, as Bellwether writes them.
struct BindAddresses {
  std::vector<std::string> addresses;
  std::vector<std::string> refused;  // sentences
};
[[nodiscard]] BindAddresses parse_bind_addresses(std::string_view text);

}  // namespace bellwether::app::migration
