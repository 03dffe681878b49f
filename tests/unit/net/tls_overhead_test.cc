#include "net/tls/tls_overhead.h"

#include "catch.hpp"

namespace bellwether::net {

namespace {

const TimePoint kStart{1h};

}  // namespace

TEST_CASE("a peer may send a burst of records without data, and no more at once", "[net]") {
  TlsOverhead overhead;
  for (int i = 0; i < TlsOverhead::kBurst; ++i) CHECK(overhead.take(1, kStart));
  CHECK_FALSE(overhead.take(1, kStart));
}

TEST_CASE("data and time earn more of them, a byte of data does not", "[net]") {
  TlsOverhead overhead;
  CHECK(overhead.take(TlsOverhead::kBurst, kStart));
  overhead.on_data(1);
  SECTION("a byte") { CHECK_FALSE(overhead.take(1, kStart)); }
  SECTION("many small pieces") {
    for (std::size_t i = 1; i < TlsOverhead::kDataPerRecord; ++i) overhead.on_data(1);
    CHECK(overhead.take(1, kStart));
    CHECK_FALSE(overhead.take(1, kStart));
  }
  SECTION("a second, counted once") {
    CHECK(overhead.take(1, kStart + 1s));
    CHECK_FALSE(overhead.take(1, kStart + 1500ms));
  }
}

TEST_CASE("what was earned is kept up to a burst", "[net]") {
  TlsOverhead overhead;
  CHECK(overhead.take(0, kStart));
  overhead.on_data(std::size_t{1} << 40U);
  CHECK(overhead.take(TlsOverhead::kBurst, kStart + 24h));
  CHECK_FALSE(overhead.take(1, kStart + 24h));
}

}  // namespace bellwether::net
