#include "proxy/core/dials.h"

#include <vector>

#include "catch.hpp"

namespace bellwether::proxy {
namespace {

// As many dials as there is room for.
std::vector<Counted> all_that_fit(Dials& dials) {
  std::vector<Counted> places;
  while (dials.has_room()) places.push_back(dials.place());
  return places;
}

}  // namespace

TEST_CASE("few dials go first, each that is answered makes room for one more, and not without end", "[proxy][dials]") {
  Dials dials;
  CHECK(all_that_fit(dials).size() == Dials::kFirst);
  dials.make_room();
  CHECK(all_that_fit(dials).size() == Dials::kFirst + 1);
  for (std::uint64_t i = 0; i < 2 * Dials::kMost; ++i) dials.make_room();
  CHECK(all_that_fit(dials).size() == Dials::kMost);
}

TEST_CASE("the dials of two that were answered are followed by four", "[proxy][dials]") {
  Dials dials;
  std::vector<Counted> places = all_that_fit(dials);
  CHECK_FALSE(dials.has_room());
  for (Counted& place : places) {
    place.reset();
    dials.make_room();
  }
  CHECK(all_that_fit(dials).size() == 2 * Dials::kFirst);
}

TEST_CASE("the leader after the next is met with a few again", "[proxy][dials]") {
  Dials dials;
  for (int i = 0; i < 10; ++i) dials.make_room();
  dials.start_anew();
  CHECK(all_that_fit(dials).size() == Dials::kFirst);
}

}  // namespace bellwether::proxy
