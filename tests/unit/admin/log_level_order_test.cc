#include "admin/api.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::admin;

namespace {

Result<std::optional<LogLevelOrder>> parsed(std::string_view query) { return parse_log_level({"/log-level", query}); }

}  // namespace

TEST_CASE("an order for the level of the log names a level, and how long it lasts if it has an end", "[admin]") {
  const auto none = parsed("");
  REQUIRE(none);
  CHECK_FALSE(none->has_value());
  const auto endless = parsed("level=debug");
  REQUIRE(endless);
  CHECK((*endless)->level == "debug");
  CHECK_FALSE((*endless)->lasts.has_value());
  const auto lasting = parsed("level=warn&for=10m");
  REQUIRE(lasting);
  CHECK((*lasting)->level == "warn");
  CHECK((*lasting)->lasts == Duration(10min));
  CHECK((*parsed("level=warn&for=1d"))->lasts == kLongestLogLevel);
}

TEST_CASE("a duration that a level of the log cannot have is refused with the range", "[admin]") {
  for (const std::string& text :
       {std::string("0"), std::string("0s"), std::string("-5m"), std::string("25h"), std::string("999999999999999999d"),
        std::string("1e300s"), std::string("soon"), std::string(), std::string("10m&for=20m"), std::string(20'000, '9'),
        std::string(100, '0') + "1s"}) {
    const auto refused = parsed("level=debug&for=" + text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::kInvalid);
    CHECK_THAT(refused.error().message, CATCH_CONTAINS("more than 0 and at most 1d"));
    CHECK(refused.error().message.size() < 300);
  }
}

TEST_CASE("a query that is no order for the level of the log is told what is known", "[admin]") {
  for (const std::string& query : {std::string("debug"), std::string("for=10m"), std::string("for=10m&level=debug"),
                                   std::string("level=debug&until=10m"), std::string(20'000, 'x')}) {
    const auto refused = parsed(query);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, CATCH_CONTAINS("only level=LEVEL[&for=DURATION] is known"));
    CHECK(refused.error().message.size() < 300);
  }
}
