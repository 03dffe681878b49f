#include "bellwether/base/enum_count.h"

#include <cstdint>

#include "catch.hpp"

using namespace bellwether;

namespace {

enum class Three : std::uint8_t { kOne, kTwo, kThree };

}  // namespace

TEST_CASE("an enum has as many enumerators as it has names, no more and no fewer", "[base]") {
  STATIC_REQUIRE(has_enumerators<Three, 3>);
  STATIC_REQUIRE_FALSE(has_enumerators<Three, 2>);
  STATIC_REQUIRE_FALSE(has_enumerators<Three, 4>);
}
