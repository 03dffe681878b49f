#include <string>

#include "bellwether/http/head.h"
#include "catch.hpp"

using namespace bellwether::http;

namespace {

ParseOutcome parse(const std::string& text, ResponseHead& head, std::string_view method = "GET") {
  return parse_response_head(text, method, {}, head);
}

void check_rejected(const std::string& text, Reject reason) {
  CAPTURE(text);
  ResponseHead head;
  const ParseOutcome outcome = parse(text, head);
  REQUIRE(outcome.status == ParseStatus::kRejected);
  CHECK(to_text(outcome.reason) == to_text(reason));
}

BodyKind body_kind(const std::string& text, std::string_view method = "GET") {
  ResponseHead head;
  REQUIRE(parse(text, head, method).status == ParseStatus::kDone);
  return head.body.kind;
}

}  // namespace

TEST_CASE("A response head is taken apart", "[http]") {
  const std::string text =
      "HTTP/1.1 473 status code 473\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
  ResponseHead head;
  REQUIRE(parse(text, head).status == ParseStatus::kDone);
  CHECK(head.status == 473);
  CHECK(head.reason == "status code 473");
  CHECK(head.header("content-type") == "application/json");
  CHECK(head.body.kind == BodyKind::kLength);
  CHECK(head.body.length == 7);
  CHECK(head.keep_alive);
  CHECK(head.bytes == text.size() - 7);
}

TEST_CASE("A status line is version, three digits and a reason that may be empty", "[http]") {
  CHECK(body_kind("HTTP/1.1 204 \r\n\r\n") == BodyKind::kNone);
  check_rejected("HTTP/1.1 204\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/1.1 20 OK\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/1.1 2000 OK\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/1.1 099 OK\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/1.1  200 OK\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/1.1 +20 OK\r\n\r\n", Reject::kStatusLine);
  check_rejected("HTTP/2.0 200 OK\r\n\r\n", Reject::kVersion);
  check_rejected("HTTP/1.1 200 O\x01K\r\n\r\n", Reject::kControlCharacter);
  check_rejected("HTTP/1.1\r\n\r\n", Reject::kStatusLine);
}

TEST_CASE("A peer that does not speak HTTP is told by its first bytes", "[http]") {
  check_rejected("\x15\x03\x03", Reject::kControlCharacter);
  check_rejected("SSH-2.0", Reject::kStatusLine);
  ResponseHead head;
  CHECK(parse("HTT", head).status == ParseStatus::kNeedMore);
  CHECK(parse("", head).status == ParseStatus::kNeedMore);
}

TEST_CASE("Responses to HEAD and 1xx, 204, 304 have no body whatever they state", "[http]") {
  CHECK(body_kind("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 200 OK\r\n\r\n", "HEAD") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 100 Continue\r\n\r\n") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 101 Switching Protocols\r\n\r\n") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 204 No Content\r\n\r\n") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") == BodyKind::kNone);
}

TEST_CASE("A response without a stated length lasts until the connection ends, and ends it", "[http]") {
  ResponseHead head;
  REQUIRE(parse("HTTP/1.1 200 OK\r\n\r\n", head).status == ParseStatus::kDone);
  CHECK(head.body.kind == BodyKind::kUntilClose);
  CHECK_FALSE(head.keep_alive);
  CHECK(body_kind("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == BodyKind::kNone);
  CHECK(body_kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == BodyKind::kChunked);
}

TEST_CASE("Ambiguous framing of a response is refused", "[http]") {
  check_rejected("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", Reject::kLengthConflict);
  check_rejected("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Reject::kTransferEncoding);
  check_rejected("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Reject::kTransferEncoding);
  check_rejected("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", Reject::kContentLength);
  check_rejected("HTTP/1.1 200 OK\r\nX : a\r\n\r\n", Reject::kHeaderName);
  check_rejected("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", Reject::kFolding);
  check_rejected("HTTP/1.1 200 OK\nX: a\n\n", Reject::kBareLineEnd);
}

TEST_CASE("Every reason for a refusal has a text of its own", "[http]") {
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < kRejectCount; ++i) {
    const std::string_view text = to_text(static_cast<Reject>(i));
    CHECK(text != "unknown");
    CHECK(std::count(texts.begin(), texts.end(), text) == 0);
    texts.push_back(text);
  }
}
