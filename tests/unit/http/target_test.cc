#include "bellwether/http/target.h"

#include "catch.hpp"

using namespace bellwether::http;

TEST_CASE("The origin form of a target keeps every byte of path and query", "[http]") {
  CHECK(origin_form("/v1/a%2Fb//c/?x=%20&y") == "/v1/a%2Fb//c/?x=%20&y");
  CHECK(origin_form("https://a:8200/v1//x?y") == "/v1//x?y");
  CHECK(origin_form("http://a?x") == "?x");
  CHECK(origin_form("http://a").empty());
  CHECK(origin_form("*") == "*");
}

TEST_CASE("A path ends before the query", "[http]") {
  CHECK(path_of("/v1/a%3Fb?x?y") == "/v1/a%3Fb");
  CHECK(path_of("http://a/v1?x") == "/v1");
  CHECK(path_of("http://a?x") == "/");
  CHECK(path_of("http://a") == "/");
  CHECK(path_of("*") == "*");
}
