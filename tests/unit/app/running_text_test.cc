#include "app/cli/running_text.h"

#include "catch.hpp"

using bellwether::app::is_different;
using bellwether::app::Json;
using bellwether::app::running_text;

namespace {

Json report(const char* changes, const char* needs_restart, const char* hints = "[]") {
  return {{"problems", Json::array()},
          {"changes", Json::parse(changes)},
          {"needs_restart", Json::parse(needs_restart)},
          {"hints", Json::parse(hints)}};
}

}  // namespace

TEST_CASE("what a reload would change is told in the words of a reload", "[app]") {
  const Json both =
      report(R"x(["+node v4 (https://v4:8200)", "inter \"1s\" -> \"2s\""])x", R"(["maxconn 2000 -> 77"])");
  CHECK(is_different(both));
  CHECK(running_text(both, "new.json") ==
        "new.json: a reload would change:\n  +node v4 (https://v4:8200)\n  inter \"1s\" -> \"2s\"\n"
        "  needs a restart: maxconn 2000 -> 77\n");
}

TEST_CASE("a difference that only a restart uses is one, and a hint is none", "[app]") {
  const Json restart = report("[]", R"(["maxconn 2000 -> 77"])");
  CHECK(is_different(restart));
  CHECK(running_text(restart, "new.json") ==
        "new.json: a reload would change nothing, a restart would:\n  needs a restart: maxconn 2000 -> 77\n");
  const Json hint = report("[]", "[]", R"(["nodes: one more is better"])");
  CHECK_FALSE(is_different(hint));
  CHECK(running_text(hint, "new.json") == "new.json: nothing differs\n  hint: nodes: one more is better\n");
}
