#include <string>

#include "bellwether/http/head.h"
#include "catch.hpp"

using namespace bellwether::http;

namespace {

struct Parsed {
  std::string text;
  ParseOutcome outcome;
  RequestHead head;
};

Parsed parse(std::string text, HeadLimits limits = {}) {
  Parsed result{std::move(text), {}, {}};
  // A copy of exact size, so that the sanitizer sees every read beyond it.
  const std::vector<char> exact(result.text.begin(), result.text.end());
  RequestHead scratch;
  const ParseOutcome in_exact = parse_request_head({exact.data(), exact.size()}, limits, scratch);
  result.outcome = parse_request_head(result.text, limits, result.head);
  CHECK(in_exact.status == result.outcome.status);
  return result;
}

std::string with_headers(const std::string& headers) { return "PUT /v1/x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }

void check_rejected(const std::string& text, Reject reason) {
  CAPTURE(text);
  const Parsed result = parse(text);
  REQUIRE(result.outcome.status == ParseStatus::kRejected);
  CHECK(to_text(result.outcome.reason) == to_text(reason));
}

void check_accepted(const std::string& text) {
  CAPTURE(text);
  const Parsed result = parse(text);
  REQUIRE(result.outcome.status == ParseStatus::kDone);
}

}  // namespace

TEST_CASE("A request head is taken apart without a copy", "[http]") {
  const Parsed result = parse(
      "GET /v1/secret/data/a%2Fb//c?x=1 HTTP/1.1\r\nHost: vault.example:8200\r\nX-Vault-Token:  s.1 \r\n\r\nrest");
  REQUIRE(result.outcome.status == ParseStatus::kDone);
  CHECK(result.head.method == "GET");
  CHECK(result.head.target == "/v1/secret/data/a%2Fb//c?x=1");
  CHECK(result.head.host == "vault.example:8200");
  CHECK(result.head.header("x-vault-TOKEN") == "s.1");
  CHECK_FALSE(result.head.header("absent"));
  CHECK(result.head.body.kind == BodyKind::kNone);
  CHECK(result.head.keep_alive);
  CHECK(result.head.bytes == result.text.size() - 4);
}

TEST_CASE("LIST, SCAN and every other token of up to 32 bytes is a method", "[http]") {
  for (const std::string& method :
       {std::string("LIST"), std::string("SCAN"), std::string("x!#$%&'*+-.^_`|~9"), std::string(32, 'M')}) {
    check_accepted(method + " /v1/secret HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const std::string method(33, 'M');
  check_rejected(method + " / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kMethod);
  check_rejected("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kMethod);
}

TEST_CASE("A head is asked for more until its empty line has come", "[http]") {
  const std::string whole = "LIST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  RequestHead head;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK(parse_request_head(whole.substr(0, length), {}, head).status == ParseStatus::kNeedMore);
  }
  CHECK(parse_request_head(whole, {}, head).status == ParseStatus::kDone);
}

TEST_CASE("Bytes that cannot become a request are refused at once", "[http]") {
  check_rejected("\x16\x03\x01", Reject::kControlCharacter);
  check_rejected("\r\nGET", Reject::kBareLineEnd);
  check_rejected("GET / HTTP/1.1\nHost:", Reject::kBareLineEnd);
}

TEST_CASE("One empty line before a request is skipped, wherever the input is cut", "[http]") {
  const std::string text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t at = 0; at <= 3; ++at) {
    CAPTURE(at);
    LeadingLine line;
    RequestHead head;
    std::string buffer = text.substr(0, at);
    buffer.erase(0, line.skip(buffer));
    CHECK(parse_request_head(buffer, {}, head).status == ParseStatus::kNeedMore);
    buffer += text.substr(at);
    buffer.erase(0, line.skip(buffer));
    CHECK(parse_request_head(buffer, {}, head).status == ParseStatus::kDone);
  }
}

TEST_CASE("A second empty line before a request is refused, one before the next request is not", "[http]") {
  LeadingLine line;
  CHECK(line.skip("") == 0);
  CHECK(line.skip("\r") == 0);
  CHECK(line.skip("\n") == 0);
  CHECK(line.skip("GET") == 0);
  CHECK(line.skip("\r\n\r\n") == 2);
  CHECK(line.skip("\r\n") == 0);
  line.restart();
  CHECK(line.skip("\r\nGET") == 2);
}

TEST_CASE("A carriage return alone may become an empty line, and nothing else", "[http]") {
  HeadSearch search;
  RequestHead head;
  CHECK(parse_request_head("\r", {}, head).status == ParseStatus::kNeedMore);
  search.need_more("\r");
  CHECK(search.is_worth_parsing("\rG", {}));
  check_rejected("\rG", Reject::kBareLineEnd);
}

TEST_CASE("Line ends other than CRLF are refused", "[http]") {
  check_rejected("GET / HTTP/1.1\nHost: a\n\n", Reject::kBareLineEnd);
  check_rejected("GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", Reject::kBareLineEnd);
  check_rejected("GET / HTTP/1.1\rHost: a\r\n\r\n", Reject::kBareLineEnd);
  check_rejected(with_headers("X: \rTransfer-Encoding: chunked\r\n"), Reject::kBareLineEnd);
  check_rejected(with_headers("X: a\r\r\n"), Reject::kBareLineEnd);
  check_rejected("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kBareLineEnd);
}

TEST_CASE("The request line has exactly three parts and two single spaces", "[http]") {
  check_rejected("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kRequestLine);
  check_rejected("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kVersion);
  check_rejected("GET /\r\nHost: a\r\n\r\n", Reject::kRequestLine);
  check_rejected("GET\r\nHost: a\r\n\r\n", Reject::kBareLineEnd);
  check_rejected("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Reject::kRequestLine);
  check_rejected("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kMethod);
  check_rejected(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kMethod);
}

TEST_CASE("Versions other than 1.0 and 1.1 are refused", "[http]") {
  for (const std::string version :
       {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.10", "HTTP/1", "HTTP/01.1"}) {
    CAPTURE(version);
    CHECK(parse("GET / " + version + "\r\nHost: a\r\n\r\n").outcome.status == ParseStatus::kRejected);
  }
  check_rejected("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reject::kVersion);
}

TEST_CASE("Control characters are refused wherever they stand", "[http]") {
  check_rejected(with_headers(std::string("X: a\0b\r\n", 8)), Reject::kControlCharacter);
  check_rejected(with_headers("X: a\x01\r\n"), Reject::kControlCharacter);
  check_rejected(with_headers("X: 12345678901234567890\x7f\r\n"), Reject::kControlCharacter);
  check_rejected("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kControlCharacter);
  check_rejected(std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), Reject::kControlCharacter);
  check_accepted(with_headers("X: a\tb\xc3\xa9 and more than eight bytes of it\r\n"));
}

TEST_CASE("Header names are tokens directly followed by a colon", "[http]") {
  check_rejected(with_headers("Transfer-Encoding : chunked\r\n"), Reject::kHeaderName);
  check_rejected(with_headers("X\t: a\r\n"), Reject::kHeaderName);
  check_rejected(with_headers(": a\r\n"), Reject::kHeaderName);
  check_rejected(with_headers("X(: a\r\n"), Reject::kHeaderName);
  check_rejected(with_headers("X\xc3: a\r\n"), Reject::kHeaderName);
  check_rejected(with_headers("no colon\r\n"), Reject::kHeaderName);
  check_rejected(with_headers("nocolon\r\n"), Reject::kBareLineEnd);
  check_accepted(with_headers("X:\r\n"));
}

TEST_CASE("Folded header lines are refused", "[http]") {
  check_rejected(with_headers("X: a\r\n b\r\n"), Reject::kFolding);
  check_rejected(with_headers("X: a\r\n\tTransfer-Encoding: chunked\r\n"), Reject::kFolding);
  check_rejected("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Reject::kFolding);
}

TEST_CASE("A Content-Length is one number of digits below 2^63", "[http]") {
  for (const std::string value :
       {"+3", "-1", "3 3", "3,3", "0x3", "", "3a", "9223372036854775808", "99999999999999999999"}) {
    check_rejected(with_headers("Content-Length: " + value + "\r\n"), Reject::kContentLength);
  }
  check_rejected(with_headers("Content-Length: 3\r\nContent-Length: 4\r\n"), Reject::kContentLength);
  check_rejected(with_headers("Content-Length: 3\r\ncontent-length: 3\r\n"), Reject::kContentLength);

  const Parsed result = parse(with_headers("content-LENGTH: 9223372036854775807\r\n"));
  REQUIRE(result.outcome.status == ParseStatus::kDone);
  CHECK(result.head.body.kind == BodyKind::kLength);
  CHECK(result.head.body.length == 9223372036854775807U);
  CHECK(parse(with_headers("Content-Length: 0\r\n")).head.body.kind == BodyKind::kNone);
}

TEST_CASE("A Transfer-Encoding is exactly one chunked, on HTTP/1.1, without a length", "[http]") {
  for (const std::string value :
       {"xchunked", "chunked, identity", "identity", "gzip, chunked", "chunked,", "chunked;a=b", ""}) {
    check_rejected(with_headers("Transfer-Encoding: " + value + "\r\n"), Reject::kTransferEncoding);
  }
  check_rejected(with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                 Reject::kTransferEncoding);
  check_rejected(with_headers("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), Reject::kLengthConflict);
  check_rejected(with_headers("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), Reject::kLengthConflict);
  check_rejected("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Reject::kTransferEncoding);
  CHECK(parse(with_headers("transfer-encoding: Chunked\r\n")).head.body.kind == BodyKind::kChunked);
}

TEST_CASE("HTTP/1.1 carries exactly one well-formed Host", "[http]") {
  check_rejected("GET / HTTP/1.1\r\n\r\n", Reject::kHost);
  check_rejected("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Reject::kHost);
  check_rejected("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", Reject::kHost);
  for (const std::string host :
       {"", "a b", "a@b", "a/b", "a:b", "a:1:2", "[::1", "[]", "a,b?", ":80", "a:123456", "a%00"}) {
    check_rejected("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", Reject::kHost);
  }
  for (const std::string host : {"a", "a.b-c_d:8200", "127.0.0.1", "[::1]", "[fe80::1]:8200", "a:"}) {
    check_accepted("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  CHECK(parse("GET / HTTP/1.0\r\n\r\n").head.host.empty());
}

TEST_CASE("An absolute target names the same authority as Host", "[http]") {
  const Parsed result = parse("GET HTTP://Vault:8200/v1/x HTTP/1.1\r\nHost: vault:8200\r\n\r\n");
  REQUIRE(result.outcome.status == ParseStatus::kDone);
  CHECK(result.head.host == "Vault:8200");
  CHECK(result.head.target == "HTTP://Vault:8200/v1/x");
  check_accepted("GET https://a?x HTTP/1.1\r\nHost: a\r\n\r\n");
  check_rejected("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kHost);
  check_rejected("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kHost);
  check_rejected("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  check_rejected("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  CHECK(parse("GET http://b/ HTTP/1.0\r\n\r\n").head.host == "b");
}

TEST_CASE("Other targets than a path are refused, but for OPTIONS *", "[http]") {
  check_accepted("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  check_rejected("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  check_rejected("GET v1/x HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  check_rejected("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Reject::kTarget);
  check_rejected("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  check_rejected("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
  check_rejected("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", Reject::kTarget);
}

TEST_CASE("Keep-alive follows version and Connection", "[http]") {
  CHECK(parse(with_headers("")).head.keep_alive);
  CHECK_FALSE(parse(with_headers("Connection: close\r\n")).head.keep_alive);
  CHECK_FALSE(parse(with_headers("Connection: keep-alive, Close\r\n")).head.keep_alive);
  CHECK_FALSE(parse(with_headers("Connection: x\r\nConnection: close\r\n")).head.keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  CHECK(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head.keep_alive);
}

TEST_CASE("An upgrade counts only if Connection names it", "[http]") {
  CHECK(parse(with_headers("Connection: Upgrade\r\nUpgrade: websocket\r\n")).head.upgrade == "websocket");
  CHECK(parse(with_headers("Upgrade: websocket\r\n")).head.upgrade.empty());
}

TEST_CASE("The only expectation is 100-continue", "[http]") {
  CHECK(parse(with_headers("Expect: 100-Continue\r\n")).head.expects_continue);
  CHECK_FALSE(parse(with_headers("")).head.expects_continue);
  CHECK_FALSE(parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expects_continue);
  check_rejected(with_headers("Expect: 200-ok\r\n"), Reject::kExpect);
  check_rejected(with_headers("Expect: 100-continue\r\nExpect: 100-continue\r\n"), Reject::kExpect);
}

TEST_CASE("A head beyond its limits is refused before it is complete", "[http]") {
  const HeadLimits limits{.max_head_bytes = 64, .max_headers = 2};
  const std::string fits = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(32, 'x') + "\r\n\r\n";
  REQUIRE(fits.size() == 64);
  CHECK(parse(fits + "body", limits).outcome.status == ParseStatus::kDone);
  const std::string over = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(33, 'x') + "\r\n\r\n";
  CHECK(parse(over, limits).outcome.reason == Reject::kTooLarge);
  CHECK(parse(over.substr(0, 63), limits).outcome.status == ParseStatus::kNeedMore);
  CHECK(parse(over.substr(0, 64), limits).outcome.status == ParseStatus::kRejected);
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\n\r\n", limits).outcome.reason == Reject::kTooManyHeaders);
}

TEST_CASE("A reused head keeps nothing of the request before", "[http]") {
  RequestHead head;
  REQUIRE(parse_request_head(
              with_headers("Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close, upgrade\r\nUpgrade: x\r\n"),
              {}, head)
              .status == ParseStatus::kDone);
  const std::string next = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
  REQUIRE(parse_request_head(next, {}, head).status == ParseStatus::kDone);
  CHECK(head.headers.size() == 1);
  CHECK(head.body.kind == BodyKind::kNone);
  CHECK(head.body.length == 0);
  CHECK(head.keep_alive);
  CHECK(head.upgrade.empty());
  CHECK_FALSE(head.expects_continue);
}
