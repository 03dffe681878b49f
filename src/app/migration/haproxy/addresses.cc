#include "addresses.h"

#include <fmt/format.h>

#include "bellwether/base/ip_range.h"
#include "bellwether/base/text.h"
#include "bellwether/base/visible.h"
#include "units.h"

namespace bellwether::app::migration {
namespace {

bool takes_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct HostPort {
  std::string_view host;
  std::string_view port;
};

HostPort split(std::string_view text) {
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  HostPort parts{text.substr(0, has_port ? colon : text.size()), has_port ? text.substr(colon + 1) : ""};
  if (parts.host.size() > 1 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '-' || text.front() == '.') return false;
  for (const char c : text) {
    if (!is_host_character(c)) return false;
  }
  return text.find("..") == std::string_view::npos;
}

int port_of(std::string_view text) {
  const int port = parse_count(text).value_or(0);
  return port > 65535 ? 0 : port;
}

// As Bellwether writes what HAProxy calls the host of a listener; nullopt: a name.
std::optional<std::string> bind_host(std::string_view host, bool wants_ipv6) {
  if (host.empty() || host == "*") return wants_ipv6 ? "[::]" : "0.0.0.0";
  if (host == "localhost") return "127.0.0.1";
  if (!parse_ip(host)) return std::nullopt;
  return host.find(':') == std::string_view::npos ? std::string(host) : fmt::format("[{}]", host);
}

void add_ports(std::string_view text, const HostPort& parts, const std::string& host, BindAddresses& out) {
  const std::size_t dash = std::min(parts.port.find('-'), parts.port.size());
  const int first = port_of(parts.port.substr(0, dash));
  const int last = dash == parts.port.size() ? first : port_of(parts.port.substr(dash + 1));
  if (first == 0 || last < first || last - first >= kMaxPortRange) {
    out.refused.push_back(fmt::format("\"{}\" names no port, or more than {}: bind to single ports",
                                      for_people(text.substr(0, 100)), kMaxPortRange));
    return;
  }
  for (int port = first; port <= last; ++port) out.addresses.push_back(fmt::format("{}:{}", host, port));
}

void add_address(std::string_view text, BindAddresses& out) {
  const std::string_view whole = text;
  constexpr std::size_t kMaxUnixPath = 107;
  const bool is_unix = takes_prefix(text, "unix@") || text.substr(0, 1) == "/";
  if (is_unix) {
    if (text.substr(0, 1) == "/" && text.size() <= kMaxUnixPath) {
      out.addresses.push_back(fmt::format("unix:{}", text));
    } else {
      out.refused.push_back("the path of a unix socket must be absolute and 107 bytes long at most");
    }
    return;
  }
  const bool wants_ipv6 = takes_prefix(text, "ipv6@");
  if (!wants_ipv6 && !takes_prefix(text, "ipv4@")) takes_prefix(text, "tcp@");
  const bool is_other = text.find('@') != std::string_view::npos;
  const HostPort parts = split(text);
  const auto host = is_other ? std::nullopt : bind_host(parts.host, wants_ipv6);
  if (!host) {
    out.refused.push_back(fmt::format(
        "Bellwether cannot listen on \"{}\": it takes numeric addresses with a port, and unix sockets by their path",
        for_people(whole.substr(0, 100))));
    return;
  }
  add_ports(whole, parts, *host, out);
}

}  // namespace

std::optional<ServerAddress> parse_server_address(std::string_view text) {
  if (!takes_prefix(text, "ipv4@") && !takes_prefix(text, "ipv6@")) takes_prefix(text, "tcp@");
  if (text.find('@') != std::string_view::npos || text.find('/') != std::string_view::npos) return std::nullopt;
  const HostPort parts = split(text);
  ServerAddress address;
  address.host = lower_ascii(parts.host);
  address.is_numeric = parse_ip(address.host).has_value();
  if (!address.is_numeric && !is_host_name(address.host)) return std::nullopt;
  if (address.host == "0.0.0.0" || address.host == "::") return std::nullopt;  // wherever the client went
  address.is_service = address.host.front() == '_';
  address.port = parts.port.substr(0, 1) == "+" ? 0 : port_of(parts.port);
  return address;
}

BindAddresses parse_bind_addresses(std::string_view text) {
  BindAddresses out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) add_address(text.substr(0, comma), out);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace bellwether::app::migration
