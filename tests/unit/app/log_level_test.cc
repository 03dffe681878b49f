#include "app/process/log_level.h"

#include "catch.hpp"

using namespace bellwether;
using bellwether::app::LogLevel;

namespace {

const TimePoint kNow = TimePoint{} + 1h;

}  // namespace

TEST_CASE("an ordered level lasts as long as it was ordered, and the configured one is back", "[app][log_level]") {
  LogLevel level("info");
  REQUIRE(level.order("debug", 10min, kNow));
  CHECK(level.present() == "debug");
  CHECK(level.configured() == "info");
  CHECK(level.until() == kNow + 10min);
  level.tick(kNow + 10min - 1ns);
  CHECK(level.present() == "debug");
  level.tick(kNow + 10min);
  CHECK(level.present() == "info");
  CHECK_FALSE(level.until().has_value());
}

TEST_CASE("without a time an ordered level stays, and a later order replaces an earlier one", "[app][log_level]") {
  LogLevel level("info");
  REQUIRE(level.order("debug", 1s, kNow));
  REQUIRE(level.order("warn", std::nullopt, kNow));
  level.tick(kNow + 24h);
  CHECK(level.present() == "warn");
  CHECK_FALSE(level.until().has_value());
  REQUIRE(level.order("error", 2s, kNow + 24h));
  CHECK(level.until() == kNow + 24h + 2s);
  level.tick(kNow + 25h);
  CHECK(level.present() == "info");
}

TEST_CASE("an order for the configured level ends the one before", "[app][log_level]") {
  LogLevel level("info");
  REQUIRE(level.order("debug", 10min, kNow));
  REQUIRE(level.order("info", 10min, kNow));
  CHECK(level.present() == "info");
  CHECK_FALSE(level.until().has_value());
  level.configure("warn");
  CHECK(level.present() == "warn");
}

TEST_CASE("an order outlives a reload, and ends at the level that is configured then", "[app][log_level]") {
  LogLevel level("info");
  REQUIRE(level.order("debug", 10min, kNow));
  level.configure("warn");
  CHECK(level.present() == "debug");
  level.tick(kNow + 10min);
  CHECK(level.present() == "warn");
  REQUIRE(level.order("error", std::nullopt, kNow));
  level.configure("error");
  level.configure("info");
  CHECK(level.present() == "info");
}

TEST_CASE("what is no level is refused by the names of those there are, and changes nothing", "[app][log_level]") {
  LogLevel level("info");
  REQUIRE(level.order("debug", 10min, kNow));
  for (const std::string& text : {std::string(), std::string("loud"), std::string("DEBUG"), std::string(9999, 'x')}) {
    const auto refused = level.order(text, std::nullopt, kNow);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, CATCH_CONTAINS("the levels are debug, info, warn, error"));
    CHECK(refused.error().message.size() < 200);
  }
  CHECK(level.present() == "debug");
  CHECK(level.until() == kNow + 10min);
}
