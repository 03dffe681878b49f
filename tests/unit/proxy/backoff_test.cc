#include "proxy/core/backoff.h"

#include <set>

#include "catch.hpp"

namespace bellwether::proxy {

TEST_CASE("a pause doubles from 20 ms to 1 s, and is at most a quarter shorter", "[proxy][backoff]") {
  Prng prng(GENERATE(1, 2, 3, 4, 5));
  const Duration longest[] = {20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1s, 1s, 1s};
  for (int sends = 1; sends <= 9; ++sends) {
    CAPTURE(sends);
    for (int i = 0; i < 1000; ++i) {
      const Duration pause = backoff(sends, prng);
      REQUIRE(pause <= longest[sends - 1]);
      REQUIRE(pause > longest[sends - 1] * 3 / 4);
    }
  }
  CHECK(backoff(64, prng) > 750ms);
}

TEST_CASE("those who were refused together come back apart", "[proxy][backoff]") {
  Prng prng(7);
  std::set<std::int64_t> quarters_of_a_millisecond;
  for (int i = 0; i < 1000; ++i) quarters_of_a_millisecond.insert(backoff(1, prng) / 250us);
  CHECK(quarters_of_a_millisecond.size() >= 20);
}

}  // namespace bellwether::proxy
