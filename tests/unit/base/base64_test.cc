#include "bellwether/base/base64.h"

#include "catch.hpp"

using namespace bellwether;

TEST_CASE("Base64 as RFC 4648 section 10 has it, both ways", "[base][base64]") {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xfb\xff", "+/8="}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
}

TEST_CASE("Base64 is read without its padding, and other characters make it none", "[base][base64]") {
  CHECK(from_base64("Zm8") == "fo");
  CHECK(from_base64("Zm 9v").empty());
  CHECK(from_base64("Zm9-").empty());
}
