#include "location.h"

#include <algorithm>
#include <charconv>

#include "bellwether/base/text.h"

namespace bellwether::proxy {
namespace {

std::optional<std::string_view> without_prefix(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size() || !equals_ignoring_case(text.substr(0, prefix.size()), prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.substr(0, 4) == "127."; }

bool is_any(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool is_met_by(const net::Address& own, const HostPort& target) {
  if (own.is_unix() || own.port() != target.port) return false;
  const std::string host = own.host();
  if (host == target.host) return true;
  return is_loopback(target.host) && (is_any(host) || (target.host == "localhost" && is_loopback(host)));
}

}  // namespace

std::optional<std::string_view> path_and_query(std::string_view target) {
  if (target.empty()) return std::nullopt;
  if (target == "*") return "/";  // OPTIONS of the server as a whole
  if (target.front() == '/') return target;
  auto rest = without_prefix(target, "http://");
  if (!rest) rest = without_prefix(target, "https://");
  if (!rest) return std::nullopt;
  const std::size_t path = rest->find_first_of("/?");
  if (path == std::string_view::npos) return "/";
  return rest->substr(path);
}

std::optional<std::string> location_for(std::string_view public_url, std::string_view target) {
  const auto path = path_and_query(target);
  if (!path) return std::nullopt;
  while (!public_url.empty() && public_url.back() == '/') public_url.remove_suffix(1);
  std::string location(public_url);
  if (path->front() != '/') location += '/';  // "http://host?query" has an empty path
  location += *path;
  return location;
}

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view after;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    after = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    after = text.substr(colon);
  }
  if (host.empty()) return std::nullopt;
  if (after.empty() || after == ":") return HostPort{lower_ascii(host), default_port};
  if (after.front() != ':') return std::nullopt;
  const auto port = parse_port(after.substr(1));
  if (!port) return std::nullopt;
  return HostPort{lower_ascii(host), *port};
}

std::optional<HostPort> host_port_of_url(std::string_view url) {
  std::uint16_t port = 443;
  auto rest = without_prefix(url, "https://");
  if (!rest) {
    rest = without_prefix(url, "http://");
    port = 80;
  }
  if (!rest) return std::nullopt;
  return parse_host_port(rest->substr(0, rest->find_first_of("/?#")), port);
}

bool points_to_us(const HostPort& target, const std::optional<HostPort>& request_host,
                  const std::vector<net::Address>& own) {
  if (request_host && *request_host == target) return true;
  return std::any_of(own.begin(), own.end(), [&](const net::Address& address) { return is_met_by(address, target); });
}

}  // namespace bellwether::proxy
