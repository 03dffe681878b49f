#include "app/service/burst_watch.h"

#include "catch.hpp"

namespace bellwether::app {
namespace {

constexpr std::size_t kMany = 40 * 1024 * 1024;
constexpr std::size_t kFew = 1024 * 1024;

}  // namespace

TEST_CASE("a burst is over when most of it has not been in use for a while, and once", "[app]") {
  BurstWatch watch;
  CHECK_FALSE(watch.is_over(kFew));
  CHECK_FALSE(watch.is_due_again());
  CHECK_FALSE(watch.is_over(kMany));
  CHECK(watch.is_due_again());
  CHECK_FALSE(watch.is_over(kFew));
  CHECK(watch.is_over(kFew));
  CHECK_FALSE(watch.is_over(kFew));
  CHECK_FALSE(watch.is_over(kFew));
  CHECK_FALSE(watch.is_due_again());
}

TEST_CASE("a dip is not the end", "[app]") {
  BurstWatch watch;
  CHECK_FALSE(watch.is_over(kMany));
  CHECK_FALSE(watch.is_over(kFew));
  CHECK_FALSE(watch.is_over(kMany));
  CHECK_FALSE(watch.is_over(kFew));
  CHECK(watch.is_over(kFew));
}

TEST_CASE("what was in use between two verdicts counts", "[app]") {
  BurstWatch watch;
  CHECK_FALSE(watch.is_over(kFew));
  watch.note(kMany);
  watch.note(kFew);
  CHECK(watch.is_due_again());
  CHECK_FALSE(watch.is_over(kFew));
  CHECK(watch.is_over(kFew));
}

TEST_CASE("what little was taken is not worth it", "[app]") {
  BurstWatch watch;
  CHECK_FALSE(watch.is_over(BurstWatch::kWorthIt - 1));
  CHECK_FALSE(watch.is_over(0));
  CHECK_FALSE(watch.is_over(0));
}

}  // namespace bellwether::app
