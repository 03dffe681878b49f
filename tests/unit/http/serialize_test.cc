#include "bellwether/http/serialize.h"

#include "bellwether/http/head.h"
#include "catch.hpp"

using namespace bellwether::http;

TEST_CASE("A response that we write is one that we read", "[http]") {
  const Response response{.status = 307, .headers = {{"Location", "https://vault2:8200/v1/a%2Fb"}}, .body = "moved"};
  const std::string text = serialize(response, true);
  ResponseHead head;
  REQUIRE(parse_response_head(text, "GET", {}, head).status == ParseStatus::kDone);
  CHECK(head.status == 307);
  CHECK(head.reason == "Temporary Redirect");
  CHECK(head.header("location") == "https://vault2:8200/v1/a%2Fb");
  CHECK(head.body.length == 5);
  CHECK(head.keep_alive);
  CHECK(text.substr(head.bytes) == "moved");
}

TEST_CASE("A response without body says so, and the last one of a connection too", "[http]") {
  const std::string text = serialize(Response{.status = 200, .headers = {}, .body = {}}, false);
  CHECK(text == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST_CASE("The answer to HEAD has the length but not the body", "[http]") {
  CHECK(serialize(Response{.status = 429, .headers = {}, .body = "{}"}, true, true) ==
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n");
}

TEST_CASE("204 has neither length nor body", "[http]") {
  CHECK(serialize(Response{.status = 204, .headers = {}, .body = "x"}, true) == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("A request that we write is one that we read", "[http]") {
  const std::string text = serialize(
      Request{.method = "LIST", .target = "/v1/a?b", .host = "[::1]:8200", .headers = {{"X-A", "b c"}}, .body = {}});
  RequestHead head;
  REQUIRE(parse_request_head(text, {}, head).status == ParseStatus::kDone);
  CHECK(head.method == "LIST");
  CHECK(head.target == "/v1/a?b");
  CHECK(head.host == "[::1]:8200");
  CHECK(head.headers.front().name == "Host");
  CHECK(head.header("x-a") == "b c");
  CHECK(head.body.kind == BodyKind::kNone);
  CHECK(head.bytes == text.size());
}

TEST_CASE("POST, PUT and PATCH always state their length, the others only with a body", "[http]") {
  for (const std::string method : {"POST", "PUT", "PATCH"}) {
    CHECK_THAT(serialize(Request{.method = method, .target = "/", .host = "a", .headers = {}, .body = {}}),
               CATCH_CONTAINS("Content-Length: 0\r\n"));
  }
  CHECK_THAT(serialize(Request{.method = "LIST", .target = "/", .host = "a", .headers = {}, .body = "xyz"}),
             CATCH_CONTAINS("Content-Length: 3\r\n"));
}

TEST_CASE("Our errors have the shape of Vault's, and their text stays one JSON string", "[http]") {
  const Response response = vault_error(503, "no \"leader\"\n\\");
  CHECK(response.status == 503);
  CHECK(response.body == "{\"errors\":[\"no \\\"leader\\\"\\u000a\\\\\"]}\n");
}
