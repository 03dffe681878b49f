#include "proxy/tcp/hello.h"

#include "catch.hpp"
#include "support/client_hello.h"

namespace bellwether::proxy {
namespace {

bool may_say_again(std::string_view bytes) {
  Hello hello;
  hello.feed(bytes);
  return hello.may_be_said_again();
}

}  // namespace

TEST_CASE("a hello may be said again, whole and at every cut", "[hello]") {
  const HelloShape shape =
      GENERATE(HelloShape{}, HelloShape{.has_extensions = false}, HelloShape{.key_share = 1200},
               HelloShape{.key_share = 1200, .largest_record = 300}, HelloShape{.largest_record = 1});
  const std::string wire = client_hello(shape);
  Hello hello;
  for (const char c : wire) {
    hello.feed({&c, 1});
    REQUIRE(hello.may_be_said_again());
  }
  CHECK(hello.bytes() == wire);
  hello.feed(std::string_view("\x14"));
  CHECK_FALSE(hello.may_be_said_again());
}

TEST_CASE("early data, what comes behind a hello and what is none are not said again", "[hello]") {
  const std::string wire = client_hello({});
  CHECK(may_say_again(wire));
  CHECK_FALSE(may_say_again(client_hello({.early_data = true})));
  CHECK_FALSE(may_say_again(wire + "\x17\x03\x03"));
  CHECK_FALSE(may_say_again(wire + wire));
  CHECK_FALSE(may_say_again("GET / HTTP/1.1"));
  CHECK_FALSE(may_say_again("\x16\x02\x01"));
  CHECK_FALSE(may_say_again(client_hello({.key_share = Hello::kMost})));
}

TEST_CASE("a hello whose lengths lie is not said again", "[hello]") {
  const std::string wire = client_hello({});
  for (std::size_t at = 3; at < wire.size(); ++at) {
    std::string broken = wire;
    broken[at] = static_cast<char>(broken[at] + 1);
    Hello hello;
    hello.feed(broken);
    // It may still be a hello, whole or in part; what it must not be is longer than what came.
    if (hello.may_be_said_again()) CHECK(hello.bytes() == broken);
  }
  std::string behind = wire;
  behind[8] = static_cast<char>(behind[8] - 1);  // the message is a byte shorter than its record
  CHECK_FALSE(may_say_again(behind));
}

}  // namespace bellwether::proxy
