#include "bellwether/net/proxy_protocol.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

// Section numbers are those of haproxy:doc/proxy-protocol.txt.

namespace bellwether::net {

namespace {

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::size_t kLongestV1 = 107;  // section 2.1
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Fixed = 16;

// Section 2.2: the high nibble is the version, the low one the command.
constexpr unsigned char kV2Local = 0x20;
constexpr unsigned char kV2Proxy = 0x21;
// The high nibble is the family, the low one the transport.
constexpr unsigned char kUnspecified = 0x00;
constexpr unsigned char kTcp4 = 0x11;
constexpr unsigned char kTcp6 = 0x21;

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorKind::kProtocol, fmt::format("not a PROXY protocol header: {}", why));
}

bool is_ip(const Address& a) { return a.family() == AF_INET || a.family() == AF_INET6; }
bool is_pair(const Address& a, const Address& b) { return is_ip(a) && a.family() == b.family(); }

// Without the zone, which means nothing on another machine.
std::string plain_host(const Address& address) {
  std::string host = address.host();
  host.resize(std::min(host.size(), host.find('%')));
  return host;
}

void append_16(std::string& out, std::size_t value) {
  out += static_cast<char>((value >> 8) & 0xff);
  out += static_cast<char>(value & 0xff);
}

std::size_t read_16(std::string_view bytes) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 | static_cast<unsigned char>(bytes[1]);
}

template <typename T>
std::string raw(const T& value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

std::string raw_host(const Address& address) {
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.data(), sizeof v4);
    return raw(v4.sin_addr);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address.data(), sizeof v6);
  return raw(v6.sin6_addr);
}

std::string v2_header(unsigned char command, unsigned char family, std::string_view body) {
  std::string out(kV2Signature);
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  append_16(out, body.size());
  out += body;
  return out;
}

std::string v1_header(const Address& source, const Address& destination) {
  if (!is_pair(source, destination)) return "PROXY UNKNOWN\r\n";
  return fmt::format("PROXY {} {} {} {} {}\r\n", source.family() == AF_INET ? "TCP4" : "TCP6", plain_host(source),
                     plain_host(destination), source.port(), destination.port());
}

std::string v2_header(const Address& source, const Address& destination) {
  if (!is_pair(source, destination)) return v2_header(kV2Local, kUnspecified, "");
  std::string body = raw_host(source) + raw_host(destination);
  append_16(body, source.port());
  append_16(body, destination.port());
  return v2_header(kV2Proxy, source.family() == AF_INET ? kTcp4 : kTcp6, body);
}

// Section 2.1: decimal, no leading zeros.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return port;
}

std::optional<Address> parse_host(std::string_view host, int family, std::uint16_t port) {
  if (host.find_first_of("[]%") != std::string_view::npos) return std::nullopt;
  const auto address =
      Address::parse(family == AF_INET ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port));
  const bool is_mapped = family == AF_INET6 && address && address->family() == AF_INET;
  if (!address || host.empty() || address->is_unix() || (address->family() != family && !is_mapped)) {
    return std::nullopt;
  }
  return *address;
}

Result<ProxyParse> parse_v1_line(std::string_view line, ProxyParse out) {
  std::string_view rest = line.substr(kV1Start.size());
  // "UNKNOWN": what follows it up to the end of the line is to be ignored.
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return out;
  std::array<std::string_view, 5> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t space = rest.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == fields.size())) return malformed("it needs five fields");
    fields[i] = rest.substr(0, space);
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  if (fields[0] != "TCP4" && fields[0] != "TCP6") return malformed("the protocol is neither TCP4, TCP6 nor UNKNOWN");
  const int family = fields[0] == "TCP4" ? AF_INET : AF_INET6;
  const auto source_port = parse_port(fields[3]);
  const auto destination_port = parse_port(fields[4]);
  if (!source_port || !destination_port) return malformed("bad port");
  out.source = parse_host(fields[1], family, *source_port);
  out.destination = parse_host(fields[2], family, *destination_port);
  if (!out.source || !out.destination) return malformed("bad address");
  return out;
}

Result<ProxyParse> parse_v1(std::string_view buffer) {
  const std::string_view head = buffer.substr(0, kLongestV1);
  const std::size_t end = head.find("\r\n");
  if (end == std::string_view::npos) {
    if (head.size() == kLongestV1) return malformed("no end of line within 107 bytes");
    return ProxyParse{};
  }
  ProxyParse out;
  out.complete = true;
  out.bytes = end + 2;
  return parse_v1_line(head.substr(0, end), out);
}

Address v4_address(std::string_view host, std::string_view port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  std::memcpy(&v4.sin_addr, host.data(), sizeof v4.sin_addr);
  std::memcpy(&v4.sin_port, port.data(), sizeof v4.sin_port);
  return Address::from(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

Address v6_address(std::string_view host, std::string_view port) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, host.data(), sizeof v6.sin6_addr);
  std::memcpy(&v6.sin6_port, port.data(), sizeof v6.sin6_port);
  return Address::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

// Section 2.2: how many bytes of addresses each family has; datagrams and unix sockets carry none that we could use.
std::optional<std::size_t> address_bytes(unsigned char family) {
  switch (family) {
    case kUnspecified:
      return 0;
    case kTcp4:
    case 0x12:
      return 12;
    case kTcp6:
    case 0x22:
      return 36;
    case 0x31:
    case 0x32:
      return 216;
    default:
      return std::nullopt;
  }
}

Result<ProxyParse> parse_v2(std::string_view buffer) {
  if (buffer.size() < kV2Fixed) return ProxyParse{};
  const auto command = static_cast<unsigned char>(buffer[12]);
  const auto family = static_cast<unsigned char>(buffer[13]);
  const std::size_t length = read_16(buffer.substr(14));
  if (command != kV2Local && command != kV2Proxy) return malformed("unknown version or command");
  if (kV2Fixed + length > kMaxProxyHeader) {
    return fail(ErrorKind::kLimit,
                fmt::format("a PROXY v2 header of {} bytes; at most {} are taken", kV2Fixed + length, kMaxProxyHeader));
  }
  const auto needed = address_bytes(family);
  // Of a LOCAL header everything but the length is to be ignored.
  if (command == kV2Proxy && !needed) return malformed("unknown address family");
  if (command == kV2Proxy && length < *needed) return malformed("too short for its addresses");
  if (buffer.size() < kV2Fixed + length) return ProxyParse{};

  ProxyParse out;
  out.complete = true;
  out.bytes = kV2Fixed + length;
  const std::string_view body = buffer.substr(kV2Fixed, length);
  if (command == kV2Proxy && family == kTcp4) {
    out.source = v4_address(body, body.substr(8));
    out.destination = v4_address(body.substr(4), body.substr(10));
  } else if (command == kV2Proxy && family == kTcp6) {
    out.source = v6_address(body, body.substr(32));
    out.destination = v6_address(body.substr(16), body.substr(34));
  }
  return out;
}

bool begins(std::string_view buffer, std::string_view start) {
  return buffer.substr(0, start.size()) == start.substr(0, buffer.size());
}

}  // namespace

std::string proxy_header(ProxyVersion version, const Address& source, const Address& destination) {
  switch (version) {
    case ProxyVersion::kNone:
      return {};
    case ProxyVersion::kV1:
      return v1_header(source, destination);
    case ProxyVersion::kV2:
      return v2_header(source, destination);
  }
  return {};
}

std::string proxy_header_local(ProxyVersion version) { return proxy_header(version, {}, {}); }

Result<ProxyParse> parse_proxy_header(std::string_view buffer) {
  if (begins(buffer, kV1Start)) return buffer.size() < kV1Start.size() ? ProxyParse{} : parse_v1(buffer);
  if (begins(buffer, kV2Signature)) return parse_v2(buffer);
  return malformed("it starts with neither version's signature (is the sender configured to send one?)");
}

}  // namespace bellwether::net
