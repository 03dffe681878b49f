#include "app/process/log_line.h"

#include <limits>

#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::app::log;

namespace {

const WallTime kTime{1795232520123ms};  // 2026-11-21T03:42:00.123Z

}  // namespace

TEST_CASE("a text line has time, level, event and fields", "[log]") {
  CHECK(text_line(kTime, Level::kInfo, "leader_changed",
                  {{"node", std::string("n2")}, {"epoch", std::int64_t{4}}, {"planned", true}, {"seconds", 0.5}}) ==
        "2026-11-21T03:42:00.123Z INFO  leader_changed node=n2 epoch=4 planned=true seconds=0.5");
}

TEST_CASE("a JSON line is one object", "[log]") {
  CHECK(
      json_line(
          kTime, Level::kWarn, "conflict",
          {{"why", std::string("a \"b\"")}, {"n", std::int64_t{-1}}, {"x", std::numeric_limits<double>::infinity()}}) ==
      R"({"time":"2026-11-21T03:42:00.123Z","level":"warn","event":"conflict","why":"a \"b\"","n":-1,"x":null})");
}

TEST_CASE("a value with blanks, quotes or nothing in it is quoted in text", "[log]") {
  CHECK(text_line(kTime, Level::kError, "e",
                  {{"a", std::string("b c")}, {"d", std::string()}, {"f", std::string("x=1")}}) ==
        "2026-11-21T03:42:00.123Z ERROR e a=\"b c\" d=\"\" f=\"x=1\"");
}

TEST_CASE("no value can forge a line or move the cursor of a terminal", "[log]") {
  const std::string evil = "x\n2026 INFO  ok\r\x1b[2J\x7f\xc2\x9b\xff";
  const std::string escaped = R"("x\n2026 INFO  ok\r\u001b[2J\u007f\u009b\ufffd")";
  CHECK(text_line(kTime, Level::kDebug, "e", {{"v", evil}}) == "2026-11-21T03:42:00.123Z DEBUG e v=" + escaped);
  CHECK_THAT(json_line(kTime, Level::kDebug, "e", {{"v", evil}}), CATCH_CONTAINS("\"v\":" + escaped));
}
