#include "bellwether/base/percent.h"

#include "catch.hpp"

using namespace bellwether;

TEST_CASE("what is percent-encoded is decoded to the same bytes", "[base]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(percent_decoded(percent_encoded(all)) == all);
  CHECK(percent_encoded("aZ09-._~ /%\xff") == "aZ09-._~%20%2F%25%FF");
}

TEST_CASE("a percent sign without two hexadecimal digits is not decoded", "[base]") {
  for (const char* broken : {"%", "%4", "%4g", "%g4", "a%", "%%41"}) CHECK_FALSE(percent_decoded(broken));
  CHECK(percent_decoded("a%2Fb%2fc") == "a/b/c");
  CHECK(percent_decoded("") == "");
  CHECK(percent_code("%41B") == 'A');
  CHECK_FALSE(percent_code("A%41"));
}
