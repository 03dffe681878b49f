#include "app/cli/failovers_text.h"

#include "catch.hpp"

using bellwether::app::failovers_text;

TEST_CASE("failovers in a terminal name cause, moments and what became of clients", "[app]") {
  const auto text = failovers_text(R"({"failovers": [{"time": "2026-11-21T03:42:00.123Z", "cause": "seal", "open": true,
    "from": "n1", "to": "n2", "sign": "n1's probe is late", "held": 12, "retried": 3, "failed": 1, "cut": 2,
    "moved": {"idle": 4, "at_request": 1, "after_answer": 2, "at_deadline": 0},
    "ms_from_sign": {"last_good": -500, "demoted": 612, "elected": 640, "first_success": null}}]})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("seal?"));
  CHECK_THAT(*text, CATCH_CONTAINS("612ms    640ms    -       12    3        1       2    7      n1's probe is late"));
}

TEST_CASE("no failover is said to be none", "[app]") {
  const auto text = failovers_text(R"({"failovers": []})");
  REQUIRE(text);
  CHECK(*text == "no failover yet\n");
}

TEST_CASE("what is not a list of failovers is refused, whatever its types", "[app]") {
  CHECK_FALSE(failovers_text("<html>"));
  CHECK_FALSE(failovers_text(R"({"failovers": 7})"));
  CHECK(failovers_text(R"({"failovers": [7, null, {"ms_from_sign": [], "from": 3}]})"));
}

TEST_CASE("failovers of several clusters stand under the names of these", "[app][clusters]") {
  const auto text = failovers_text(R"({"clusters": [
      {"cluster": "east", "failovers": []},
      {"cluster": "west", "failovers": [{"cause": "seal", "from": "n1", "to": "n2"}]}]})");
  REQUIRE(text);
  CHECK_THAT(*text, CATCH_CONTAINS("cluster east\nno failover yet\n\ncluster west\nFIRST SIGN"));
  CHECK_THAT(*text, CATCH_CONTAINS("seal"));
}
