#include "proxy/core/places.h"

#include <optional>
#include <utility>

#include "catch.hpp"

namespace bellwether::proxy {

TEST_CASE("what is counted is counted once, and no more after it was given back", "[proxy][places]") {
  Counter gauge;
  {
    Counted one(gauge);
    CHECK(gauge.get() == 1);
    Counted other = std::move(one);
    CHECK(gauge.get() == 1);
    CHECK(other);
    SECTION("with its owner") {}
    SECTION("by a call, and then not again") {
      other.reset();
      CHECK(gauge.get() == 0);
      CHECK_FALSE(other);
      other.reset();
    }
    SECTION("by another that takes its place") {
      other = Counted(gauge);
      CHECK(gauge.get() == 1);
      other = Counted();
      CHECK(gauge.get() == 0);
    }
  }
  CHECK(gauge.get() == 0);
}

TEST_CASE("two gauges do not mix", "[proxy][places]") {
  Counter here;
  Counter there;
  Counted place(here);
  place = Counted(there);
  CHECK(here.get() == 0);
  CHECK(there.get() == 1);
}

}  // namespace bellwether::proxy
