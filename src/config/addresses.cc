#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "bellwether/base/ip_range.h"
#include "bellwether/base/text.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

constexpr std::string_view kService = "srv+";  // before a scheme
constexpr std::size_t kMaxUnixPath = 107;      // sockaddr_un, with its final zero

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool is_bracketed = false;
};

// Splits "host:port" and "[v6]:port"; nullopt when brackets do not match or a bare IPv6 address hides the port.
std::optional<HostPort> split_host_port(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    return HostPort{text.substr(1, end - 1), rest.empty() ? std::nullopt : std::optional(rest.substr(1)), true};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostPort{text, std::nullopt, false};
  if (text.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return HostPort{text.substr(0, colon), text.substr(colon + 1), false};
}

}  // namespace

bool is_ipv4(std::string_view text) { return text.find(':') == std::string_view::npos && parse_ip(text).has_value(); }

bool is_ipv6(std::string_view text) { return text.find(':') != std::string_view::npos && parse_ip(text).has_value(); }

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '-' || text.front() == '.') return false;
  return text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
         });
}

bool is_header_name(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

Result<void> check_listen_address(std::string_view text) {
  const auto bad = [&](std::string_view why) { return fail(ErrorKind::kInvalid, fmt::format("\"{}\" {}", text, why)); };
  if (text.substr(0, 5) == "unix:") {
    const std::string_view path = text.substr(5);
    if (path.empty() || path.front() != '/')
      return bad("needs an absolute path, such as \"unix:/run/bellwether.sock\"");
    if (path.size() > kMaxUnixPath) return bad("is longer than a socket's path may be (107 bytes)");
    return {};
  }
  if (text.find("://") != std::string_view::npos) return bad("is a URL; an address is \"127.0.0.1:8200\"");
  if (is_ipv6(text)) return bad(fmt::format("has no port; write \"[{}]:8200\"", text));
  const std::optional<HostPort> parts = split_host_port(text);
  if (!parts) return bad("is not an address; write \"127.0.0.1:8200\", \"[::1]:8200\" or \"unix:/path\"");
  if (!parts->port) return bad(fmt::format("has no port; write \"{}:8200\"", text));
  const bool is_numeric = parts->is_bracketed ? is_ipv6(parts->host) : parts->host.empty() || is_ipv4(parts->host);
  if (!is_numeric) {
    return bad("does not start with a numeric address; names are not looked up here (\"127.0.0.1:8200\", \":8200\")");
  }
  if (!parse_port(*parts->port)) return bad("has a port that is not a number from 0 to 65535");
  return {};
}

Result<ParsedUrl> parse_url(std::string_view text) {
  // What stands before an "@" may be a password.
  const std::size_t at = text.rfind('@');
  const std::string shown = at == std::string_view::npos || text.find("://") != std::string_view::npos
                                ? std::string(text)
                                : fmt::format("***{}", text.substr(at));
  const auto bad = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" {}", shown, why));
  };
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    return bad(fmt::format("is not a URL; write \"https://{}\"", at != std::string_view::npos ? text.substr(at + 1)
                                                                 : text.empty() ? "vault1.example.com:8200"
                                                                                : text));
  }
  std::string scheme = lower_ascii(text.substr(0, scheme_end));
  const bool is_service = scheme.substr(0, kService.size()) == kService;
  if (is_service) scheme.erase(0, kService.size());
  if (scheme != "http" && scheme != "https") return bad("has neither http:// nor https://");
  std::string_view authority = text.substr(scheme_end + 3);
  if (!authority.empty() && authority.back() == '/') authority.remove_suffix(1);
  if (authority.find_first_of("/?#") != std::string_view::npos)
    return bad("has a path; a node is only scheme, host and port");
  if (authority.find('@') != std::string_view::npos)
    return bad("has a user name; a node is only scheme, host and port");
  const std::optional<HostPort> parts = split_host_port(authority);
  if (!parts) return bad("has a host that cannot be read; IPv6 addresses are written in [brackets]");
  if (parts->is_bracketed ? !is_ipv6(parts->host) : !is_host_name(parts->host)) return bad("has no valid host");
  ParsedUrl url{scheme == "https", lower_ascii(parts->host), 8200, parts->port.has_value(), is_service};
  if (is_service) {
    if (parts->is_bracketed || parts->host.front() != '_') {
      return bad("is no name of SRV records; write \"srv+https://_vault._tcp.example.com\"");
    }
    if (parts->port) return bad("has a port; those of a service are in its SRV records");
    url.port = 0;
  }
  if (parts->port) {
    const std::optional<std::uint16_t> port = parse_port(*parts->port);
    if (!port || *port == 0) return bad("has a port that is not a number from 1 to 65535");
    url.port = *port;
  }
  return url;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trim(text.substr(0, comma));
    if (!item.empty()) out.push_back(item);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace bellwether::config
