#include "bellwether/net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace bellwether::net {

namespace {

template <typename T>
T view_as(const sockaddr* address) {
  T out;
  std::memcpy(&out, address, sizeof out);
  return out;
}

template <typename T>
Address pack(const T& address, socklen_t length = sizeof(T)) {
  return Address::from(reinterpret_cast<const sockaddr*>(&address), length);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

Result<Address> parse_unix(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) return fail(ErrorKind::kInvalid, "unix: needs a path, as in unix:/run/bellwether.sock");
  if (path.find('\0') != std::string_view::npos) return fail(ErrorKind::kInvalid, "a socket path cannot hold a NUL");
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalid, fmt::format("the socket path \"{}\" is longer than the system's {} bytes", path,
                                                 sizeof address.sun_path - 1));
  }
  path.copy(address.sun_path, path.size());
  return pack(address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

std::optional<Address> parse_v4(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  return pack(address);
}

std::optional<Address> parse_v6(std::string host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (const auto percent = host.find('%'); percent != std::string::npos) {
    address.sin6_scope_id = ::if_nametoindex(host.c_str() + percent + 1);
    if (address.sin6_scope_id == 0) return std::nullopt;
    host.resize(percent);
  }
  if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
  return pack(address);
}

// IPv4 seen through a dual-stack socket (RFC 4291 section 2.5.5.2) is IPv4: one client, one spelling.
Address unmapped(const sockaddr_in6& v6) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  return pack(v4);
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not an address: {}", text, why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("it needs a port, as in 127.0.0.1:8200");
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return wrong("the port must be a number from 0 to 65535");

  const std::string host(text.substr(0, colon));
  if (host.empty()) return *parse_v6("::", *port);
  if (host.find('\0') != std::string::npos) return wrong("it holds a NUL byte");
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string::npos) return wrong("IPv6 goes in brackets, as in [::1]:8200");
  const auto address = bracketed ? parse_v6(host.substr(1, host.size() - 2), *port) : parse_v4(host, *port);
  if (!address) return wrong("the host must be a numeric IPv4 address or an IPv6 one in brackets");
  return *address;
}

Address Address::from(const sockaddr* address, socklen_t length) {
  Address out;
  if (address == nullptr || length < static_cast<socklen_t>(sizeof(sa_family_t))) return out;
  const auto family = address->sa_family;
  if (family == AF_INET && length >= static_cast<socklen_t>(sizeof(sockaddr_in))) {
    auto v4 = view_as<sockaddr_in>(address);
    std::memset(v4.sin_zero, 0, sizeof v4.sin_zero);
    std::memcpy(&out.storage_, &v4, sizeof v4);
    out.length_ = sizeof v4;
  } else if (family == AF_INET6 && length >= static_cast<socklen_t>(sizeof(sockaddr_in6))) {
    auto v6 = view_as<sockaddr_in6>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return unmapped(v6);
    v6.sin6_flowinfo = 0;
    std::memcpy(&out.storage_, &v6, sizeof v6);
    out.length_ = sizeof v6;
  } else if (family == AF_UNIX) {
    out.length_ = std::min(length, static_cast<socklen_t>(sizeof(sockaddr_un)));
    std::memcpy(&out.storage_, address, out.length_);
  }
  return out;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(view_as<sockaddr_in>(data()).sin_port);
  if (family() == AF_INET6) return ntohs(view_as<sockaddr_in6>(data()).sin6_port);
  return 0;
}

Address Address::with_port(std::uint16_t port) const {
  if (family() == AF_INET) {
    auto v4 = view_as<sockaddr_in>(data());
    v4.sin_port = htons(port);
    return pack(v4);
  }
  if (family() == AF_INET6) {
    auto v6 = view_as<sockaddr_in6>(data());
    v6.sin6_port = htons(port);
    return pack(v6);
  }
  return *this;
}

std::string Address::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto v4 = view_as<sockaddr_in>(data());
    return ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  }
  if (family() == AF_INET6) {
    const auto v6 = view_as<sockaddr_in6>(data());
    std::string host = ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    std::array<char, IF_NAMESIZE> interface {};
    if (v6.sin6_scope_id != 0 && ::if_indextoname(v6.sin6_scope_id, interface.data()) != nullptr) {
      host += '%';
      host += interface.data();
    }
    return host;
  }
  if (is_unix()) {
    const auto path = view_as<sockaddr_un>(data());
    const std::size_t most = length_ > offsetof(sockaddr_un, sun_path) ? length_ - offsetof(sockaddr_un, sun_path) : 0;
    return {path.sun_path, ::strnlen(path.sun_path, most)};
  }
  return {};
}

std::string Address::to_string() const {
  if (family() == AF_INET) return fmt::format("{}:{}", host(), port());
  if (family() == AF_INET6) return fmt::format("[{}]:{}", host(), port());
  if (is_unix()) return "unix:" + host();
  return {};
}

bool operator==(const Address& a, const Address& b) {
  if (a.is_unix() && b.is_unix()) return a.host() == b.host();
  return a.length_ == b.length_ && std::memcmp(&a.storage_, &b.storage_, a.length_) == 0;
}

}  // namespace bellwether::net
