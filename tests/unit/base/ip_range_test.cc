#include "bellwether/base/ip_range.h"

#include "catch.hpp"

using namespace bellwether;

namespace {

bool holds(std::string_view range, std::string_view address) {
  const auto parsed = IpRange::parse(range);
  const auto ip = parse_ip(address);
  REQUIRE(parsed);
  REQUIRE(ip);
  return parsed->contains(*ip);
}

std::string why_not(std::string_view range) {
  const auto parsed = IpRange::parse(range);
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("An IP address is read strictly", "[base]") {
  for (const std::string_view good : {"0.0.0.0", "10.0.0.5", "255.255.255.255", "::", "::1", "1::", "fd00::5",
                                      "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4", "1::3:4:5:6:7:8"}) {
    CAPTURE(good);
    CHECK(parse_ip(good));
  }
  for (const std::string_view bad : {"",
                                     "10",
                                     "10.0.0",
                                     "10.0.0.",
                                     ".10.0.0",
                                     "10.0.0.5.",
                                     "10.0.0.256",
                                     "010.0.0.1",
                                     "10.0.0.1 ",
                                     "+1.2.3.4",
                                     "1.2.3.4.5",
                                     "a.b.c.d",
                                     "1:2:3:4:5:6:7",
                                     "1:2:3:4:5:6:7:8:9",
                                     "1:2:3:4::5:6:7:8",
                                     "1::2::3",
                                     ":::",
                                     ":1",
                                     "1:",
                                     "12345::",
                                     "g::",
                                     "::1.2.3",
                                     "1.2.3.4::",
                                     "::1.2.3.4:5",
                                     "[::1]",
                                     "fe80::1%eth0",
                                     "::-1",
                                     "1:2:3:4:5:6:7:1.2.3.4"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ip(bad));
  }
}

TEST_CASE("Both spellings of an IPv4 address are one", "[base]") {
  CHECK(parse_ip("10.0.0.5") == parse_ip("::ffff:10.0.0.5"));
  CHECK(parse_ip("10.0.0.5") == parse_ip("::ffff:a00:5"));
  CHECK(parse_ip("::10.0.0.5") != parse_ip("10.0.0.5"));
  CHECK(holds("10.0.0.0/8", "::ffff:10.9.9.9"));
  CHECK(holds("::ffff:10.0.0.0/104", "10.9.9.9"));
}

TEST_CASE("A range holds the addresses with its first bits and no others", "[base]") {
  CHECK(holds("10.0.0.5", "10.0.0.5"));
  CHECK_FALSE(holds("10.0.0.5", "10.0.0.4"));
  CHECK(holds("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("10.0.0.0/31", "10.0.0.1"));
  CHECK_FALSE(holds("10.0.0.0/31", "10.0.0.2"));
  CHECK(holds("172.16.0.0/12", "172.31.255.255"));
  CHECK_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  CHECK(holds("0.0.0.0/0", "203.0.113.9"));
  CHECK(holds("fd00::/8", "fdff::1"));
  CHECK_FALSE(holds("fd00::/8", "fe00::1"));
  CHECK(holds("::1", "::1"));
}

TEST_CASE("Neither family's whole is in the other's", "[base]") {
  CHECK_FALSE(holds("::/0", "10.0.0.1"));
  CHECK(holds("::/0", "2001:db8::1"));
  CHECK_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
}

TEST_CASE("What is no range is told with its reason", "[base]") {
  CHECK_THAT(why_not("vault"), CATCH_CONTAINS("\"vault\" is not an IP address or range"));
  CHECK_THAT(why_not("10.0.0.0:80"), CATCH_CONTAINS("is not an IP address"));
  CHECK_THAT(why_not("10.0.0.0/33"), CATCH_CONTAINS("from 0 to 32"));
  CHECK_THAT(why_not("10.0.0.0/"), CATCH_CONTAINS("from 0 to 32"));
  CHECK_THAT(why_not("fd00::/129"), CATCH_CONTAINS("from 0 to 128"));
  CHECK_THAT(why_not("10.0.0.5/8"), CATCH_CONTAINS("bits set behind its /"));
  CHECK_THAT(why_not("::ffff:10.0.0.5/100"), CATCH_CONTAINS("bits set behind its /"));
}
