#include "bellwether/net/proxy_protocol.h"

#include <vector>

#include "bellwether/base/prng.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::net;
using namespace std::string_literals;

namespace {

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

Address address(const char* text) { return *Address::parse(text); }

// Every proper beginning asks for more, the whole is complete, and what follows it is left alone.
ProxyParse parse_at_every_split(const std::string& header) {
  for (std::size_t cut = 0; cut < header.size(); ++cut) {
    CAPTURE(cut);
    // A copy of just these bytes: reading past them is caught by the sanitizer.
    const std::vector<char> part(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(cut));
    const auto parsed = parse_proxy_header({part.data(), part.size()});
    REQUIRE(parsed);
    REQUIRE_FALSE(parsed->complete);
  }
  const auto whole = parse_proxy_header(header + "GET / HTTP/1.1\r\n");
  REQUIRE(whole);
  REQUIRE(whole->complete);
  REQUIRE(whole->bytes == header.size());
  return *whole;
}

bool is_refused(const std::string& bytes) { return !parse_proxy_header(bytes); }

}  // namespace

TEST_CASE("a v1 header reads as the specification's example", "[net][proxy-protocol]") {
  const std::string line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
  CHECK(proxy_header(ProxyVersion::kV1, address("192.168.0.1:56324"), address("192.168.0.11:443")) == line);
  const ProxyParse parsed = parse_at_every_split(line);
  CHECK(parsed.source == address("192.168.0.1:56324"));
  CHECK(parsed.destination == address("192.168.0.11:443"));
}

TEST_CASE("both versions carry IPv4 and IPv6 there and back", "[net][proxy-protocol]") {
  for (const ProxyVersion version : {ProxyVersion::kV1, ProxyVersion::kV2}) {
    for (const auto& [from, to] : {std::pair{"10.1.2.3:65535", "10.0.0.1:8200"}, {"[2001:db8::7]:1", "[::1]:8200"}}) {
      const ProxyParse parsed = parse_at_every_split(proxy_header(version, address(from), address(to)));
      CHECK(parsed.source == address(from));
      CHECK(parsed.destination == address(to));
    }
  }
}

TEST_CASE("a v2 header has the specification's bytes", "[net][proxy-protocol]") {
  CHECK(proxy_header(ProxyVersion::kV2, address("1.2.3.4:258"), address("5.6.7.8:8200")) ==
        kSignature + "\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x20\x08"s);
  CHECK(proxy_header_local(ProxyVersion::kV2) == kSignature + "\x20\x00\x00\x00"s);
  CHECK(proxy_header_local(ProxyVersion::kV1) == "PROXY UNKNOWN\r\n");
  CHECK(proxy_header_local(ProxyVersion::kNone).empty());
}

TEST_CASE("what has no common family goes as unknown", "[net][proxy-protocol]") {
  for (const char* source : {"[::1]:7", "unix:/a"}) {
    CHECK(proxy_header(ProxyVersion::kV1, address(source), address("10.0.0.1:1")) == "PROXY UNKNOWN\r\n");
    const ProxyParse parsed =
        parse_at_every_split(proxy_header(ProxyVersion::kV2, address(source), address("10.0.0.1:1")));
    CHECK_FALSE(parsed.source);
  }
}

TEST_CASE("unknown and local headers leave the addresses to the socket", "[net][proxy-protocol]") {
  for (const std::string& header :
       {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN ffff::1 what ever\r\n"s, kSignature + "\x20\x00\x00\x00"s,
        kSignature + "\x20\xff\x00\x02zz"s, kSignature + "\x21\x00\x00\x00"s,
        kSignature + "\x21\x12\x00\x0c"s + std::string(12, 'x'),
        kSignature + "\x21\x31\x00\xd8"s + std::string(216, 'x')}) {
    const ProxyParse parsed = parse_at_every_split(header);
    CHECK_FALSE(parsed.source);
    CHECK_FALSE(parsed.destination);
  }
}

TEST_CASE("extensions behind the addresses of a v2 header are skipped", "[net][proxy-protocol]") {
  const ProxyParse parsed = parse_at_every_split(
      kSignature + "\x21\x11\x00\x11\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x20\x08\x04\x00\x02ok"s);
  CHECK(parsed.source == address("1.2.3.4:80"));
  CHECK(parsed.bytes == 33);
}

TEST_CASE("what is not exactly a header is refused", "[net][proxy-protocol]") {
  CHECK(is_refused("GET / HTTP/1.1\r\n"));
  CHECK(is_refused("\x16\x03\x01"));
  CHECK(is_refused("proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n"));
  CHECK(is_refused("PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n"));
  CHECK(is_refused("PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY TCP4 ::1 ::1 1 2\r\n"));
  CHECK(is_refused("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY TCP6 [::1] ::1 1 2\r\n"));
  CHECK(is_refused("PROXY TCP6 fe80::1%lo ::1 1 2\r\n"));
  CHECK(is_refused("PROXY TCP4 unix:/a 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n"));
  CHECK(is_refused("PROXY UNKNOWNS\r\n"));
  CHECK(is_refused("PROXY \r\n"));
  CHECK(is_refused("PROXY UNKNOWN " + std::string(94, 'x')));
  CHECK(is_refused(kSignature + "\x11\x11\x00\x0c"s));
  CHECK(is_refused(kSignature + "\x22\x11\x00\x0c"s));
  CHECK(is_refused(kSignature + "\x21\x41\x00\x0c"s));
  CHECK(is_refused(kSignature + "\x21\x11\x00\x0b"s));
  CHECK(is_refused(kSignature + "\x21\x21\x00\x23"s));
}

TEST_CASE("a v2 header longer than we take is refused before it has come", "[net][proxy-protocol]") {
  const auto parsed = parse_proxy_header(kSignature + "\x21\x11\xff\xff"s);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().kind == ErrorKind::kLimit);
}

TEST_CASE("no bytes make the reader go past its input", "[net][proxy-protocol]") {
  Prng random(11);
  const std::vector<std::string> seeds = {
      proxy_header(ProxyVersion::kV1, address("10.1.2.3:65535"), address("10.0.0.1:8200")),
      proxy_header(ProxyVersion::kV2, address("[2001:db8::7]:1"), address("[::1]:8200"))};
  for (int round = 0; round < 20'000; ++round) {
    const std::string& seed = seeds[random.below(seeds.size())];
    std::vector<char> bytes(seed.begin(), seed.end());
    for (auto flips = random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    bytes.resize(random.below(bytes.size() + 1));
    bytes.shrink_to_fit();
    const auto parsed = parse_proxy_header({bytes.data(), bytes.size()});
    if (parsed && parsed->complete) REQUIRE(parsed->bytes <= bytes.size());
  }
}
