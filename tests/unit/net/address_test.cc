#include "bellwether/net/address.h"

#include "catch.hpp"

using bellwether::net::Address;

TEST_CASE("an address is printed as it is read", "[net]") {
  for (const char* text : {"127.0.0.1:8200", "[::1]:8200", "[2001:db8::7]:1", "unix:/run/bellwether.sock"}) {
    const auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
    CHECK(*address == *Address::parse(text));
  }
}

TEST_CASE("a port alone means every address of the machine", "[net]") {
  const auto address = Address::parse(":8200");
  REQUIRE(address);
  CHECK(address->family() == AF_INET6);
  CHECK(address->host() == "::");
  CHECK(address->port() == 8200);
}

TEST_CASE("what is not a numeric address is refused with a reason", "[net]") {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text : {std::string("127.0.0.1"), std::string("127.0.0.1:"), std::string("127.0.0.1:65536"),
                                  std::string("127.0.0.1:-1"), std::string("127.0.0.1:80x"), std::string("127.1:80"),
                                  std::string("vault.example.com:8200"), std::string("::1:80"), std::string("[::1]80"),
                                  std::string("[]:80"), std::string("[127.0.0.1]:80"), std::string(""),
                                  std::string("unix:"), std::string("127.0.0.1\0x:80", 14), long_path}) {
    CAPTURE(text);
    const auto address = Address::parse(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().message.size() > 10);
  }
}

TEST_CASE("an address keeps its host when it gets another port", "[net]") {
  CHECK(Address::parse("[::1]:1")->with_port(2).to_string() == "[::1]:2");
  CHECK(Address::parse("10.0.0.1:1")->with_port(2).to_string() == "10.0.0.1:2");
  CHECK(Address::parse("unix:/a")->with_port(2).to_string() == "unix:/a");
}
