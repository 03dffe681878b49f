#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/config/options.h"

namespace bellwether::config {

// Texts to values. Every error is a clause that continues "KEY: ".

// Sets a scalar option from text as flags, variables and files spell it. REQUIRES: not a list.
[[nodiscard]] Result<void> set_scalar(const Option& option, std::string_view text, Config& config);

// "127.0.0.1:8200", "[::1]:8200", ":8200", "unix:/path".
[[nodiscard]] Result<void> check_listen_address(std::string_view text);
// A URL of a node: http or https, host, optional port (then Node::port is 8200), no path.
struct ParsedUrl {
  bool tls = true;
  std::string host;           // without brackets
  std::uint16_t port = 8200;  // 0 for a service
  bool has_port = false;
  bool is_service = false;  // srv+http, srv+https: the host is the name of SRV records
};
[[nodiscard]] Result<ParsedUrl> parse_url(std::string_view text);
[[nodiscard]] bool is_ipv4(std::string_view text);
[[nodiscard]] bool is_ipv6(std::string_view text);
[[nodiscard]] bool is_host_name(std::string_view text);
[[nodiscard]] bool is_header_name(std::string_view text);  // a token (RFC 9110 section 5.6.2) of up to 64 bytes
// "vault1:8200", "[::1]:8200".
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

}  // namespace bellwether::config
