// Whatever head we accept, the one that we send on is accepted too, means the same, and ends its hop here.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/base/text.h"
#include "bellwether/http/forward.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::http;

namespace {

constexpr std::array<std::string_view, 11> kEndHere = {
    "keep-alive", "proxy-connection", "te",      "trailer",         "proxy-authenticate", "proxy-authorization",
    "upgrade",    "connection",       "x-named", "x-forwarded-for", "http2-settings"};

const std::vector<std::string>& request_lines() {
  static const std::vector<std::string> all = {
      "LIST /v1/a%2Fb//c/?x HTTP/1.1\r\nHost: a\r\n", "PUT /v1/x HTTP/1.1\r\nhost:[::1]:8200\r\n",
      "SCAN / HTTP/1.0\r\n", "GET http://A:1/x HTTP/1.1\r\nHost: a:1\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n"};
  return all;
}

// Headers as they are, misspelt so that a lenient reader takes them for others, and broken.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"Content-Length: 5\r\n",
                                               "Content-Length: 0\r\n",
                                               "content-length:\t05 \r\n",
                                               "Content-Length: 5, 5\r\n",
                                               "Content_Length: 7\r\n",
                                               "Content-Length-: 7\r\n",
                                               "Transfer-Encoding: chunked\r\n",
                                               "Transfer-Encoding: \tchUnked\r\n",
                                               "Transfer_Encoding: chunked\r\n",
                                               "Transfer-Encoding\t: chunked\r\n",
                                               "Transfer-Encodin: g\r\n",
                                               "Connection: close\r\n",
                                               "CONNECTION: keep-alive, Upgrade\r\n",
                                               "Connection: X-Named\r\n",
                                               "connection: ,,x-NAMED,\thost ,content-length,transfer-encoding\r\n",
                                               "X-Named: 1\r\n",
                                               "x-named:2\r\n",
                                               "X-Named-Not: 3\r\n",
                                               "Keep-Alive: timeout=5\r\n",
                                               "Proxy-Connection: keep-alive\r\n",
                                               "TE: trailers\r\n",
                                               "Trailer: X-T\r\n",
                                               "Upgrade: websocket\r\n",
                                               "HTTP2-Settings: AAA\r\n",
                                               "Proxy-Authorization: Basic x\r\n",
                                               "Expect: 100-continue\r\n",
                                               "X-Forwarded-For: 6.6.6.6\r\n",
                                               "X-Vault-Token: s.1\r\n",
                                               "X-Vault-Index: a\r\n",
                                               "X-Vault-Index: b\r\n",
                                               "X: \r\n",
                                               "X: a: b\r\n",
                                               "X: a\r\n b\r\n",
                                               "X: \rY: z\r\n",
                                               "Y: \x80\xff\r\n",
                                               "!#$%&'*+-.^_`|~: t\r\n",
                                               ": empty\r\n"};
  return all;
}

std::string random_headers(Prng& prng, const std::string& start) {
  std::string text = start;
  for (std::uint64_t count = prng.below(9); count > 0; --count) text += pieces()[prng.below(pieces().size())];
  text += "\r\n";
  if (prng.chance(0.3)) text[prng.below(text.size())] = static_cast<char>(prng.below(256));
  return text;
}

bool names(const std::vector<Header>& headers, std::string_view wanted) {
  for (const Header& header : headers) {
    if (!equals_ignoring_case(header.name, "connection")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (equals_ignoring_case(trim(rest.substr(0, comma)), wanted)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOurs = {"host", "content-length", "transfer-encoding", "expect"};
  return std::any_of(kOurs.begin(), kOurs.end(), [&](auto ours) { return equals_ignoring_case(name, ours); });
}

bool ends_here(const std::vector<Header>& headers, std::string_view name) {
  const auto is_it = [&](std::string_view other) { return other != "x-named" && equals_ignoring_case(name, other); };
  return names(headers, name) || std::any_of(kEndHere.begin(), kEndHere.end(), is_it);
}

// The end-to-end lines, in order.
std::vector<std::string> lasting(const std::vector<Header>& headers) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : headers) {
    if (!is_ours(name) && !ends_here(headers, name)) lines.push_back(std::string(name) + ": " + std::string(value));
  }
  return lines;
}

std::vector<std::string> all_but_ours(const std::vector<Header>& headers) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : headers) {
    if (!is_ours(name)) lines.push_back(std::string(name) + ": " + std::string(value));
  }
  return lines;
}

}  // namespace

TEST_CASE("A request that is sent on means what came in, and nothing hop-by-hop is left", "[http]") {
  Prng prng(20261122);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_headers(prng, request_lines()[prng.below(request_lines().size())]);
    RequestHead came;
    if (parse_request_head(text, {}, came).status != ParseStatus::kDone) continue;
    ++accepted;
    std::string out;
    append_request_head(out, came, {.host = "fallback:1"});
    CAPTURE(text, out);
    RequestHead went;
    REQUIRE(parse_request_head(out, {}, went).status == ParseStatus::kDone);
    CHECK(went.bytes == out.size());
    CHECK(went.method == came.method);
    CHECK(went.target == came.target);
    CHECK(went.version == Version::kHttp11);
    CHECK(went.host == (came.host.empty() ? std::string_view("fallback:1") : came.host));
    CHECK(went.body.kind == came.body.kind);
    CHECK(went.body.length == came.body.length);
    CHECK(went.expects_continue == came.expects_continue);
    CHECK(went.keep_alive);
    CHECK(went.upgrade.empty());
    CHECK(all_but_ours(went.headers) == lasting(came.headers));
  }
  CHECK(accepted > 1'000);
}

TEST_CASE("An answer that is sent on means what came in, and nothing hop-by-hop is left", "[http]") {
  Prng prng(20261123);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    constexpr std::array<std::string_view, 6> kStarts = {"HTTP/1.1 200 OK\r\n",         "HTTP/1.0 404 \r\n",
                                                         "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304 Not Mod\r\n",
                                                         "HTTP/1.1 100 Continue\r\n",   "HTTP/1.1 503 a\tb\xff\r\n"};
    const std::string text = random_headers(prng, std::string(kStarts[prng.below(kStarts.size())]));
    const std::string_view method = prng.chance(0.2) ? "HEAD" : "LIST";
    ResponseHead came;
    if (parse_response_head(text, method, {}, came).status != ParseStatus::kDone || came.status == 101) continue;
    ++accepted;
    const ResponseRoute route{prng.chance(0.3) ? Version::kHttp10 : Version::kHttp11, prng.chance(0.7)};
    std::string out;
    const ResponseFraming framing = append_response_head(out, came, route);
    CAPTURE(text, out, method);
    ResponseHead went;
    REQUIRE(parse_response_head(out, method, {}, went).status == ParseStatus::kDone);
    CHECK(went.bytes == out.size());
    CHECK(went.status == came.status);
    CHECK(went.reason == came.reason);
    CHECK(went.body.kind == framing.body);
    CHECK((went.body.kind == BodyKind::kNone) == (came.body.kind == BodyKind::kNone));
    if (came.body.kind == BodyKind::kLength) CHECK(went.body.length == came.body.length);
    if (came.status >= 200) CHECK(went.keep_alive == framing.keep_alive);
    std::vector<std::string> left = all_but_ours(went.headers);
    std::erase_if(left, [](const std::string& line) { return line.starts_with("Connection: "); });
    std::vector<std::string> wanted = lasting(came.headers);
    std::erase_if(left, [](const std::string& line) { return lower_ascii(line).starts_with("x-forwarded-for: "); });
    CHECK(left == wanted);
  }
  CHECK(accepted > 1'000);
}

TEST_CASE("What the table of smuggled requests holds never becomes a head to send on", "[http]") {
  const std::string start = "PUT /v1/x HTTP/1.1\r\nHost: a\r\n";
  const std::vector<std::string> rows = {
      "PUT /v1/x HTTP/1.1\nHost: a\n\n",
      start + "X: \rTransfer-Encoding: chunked\r\n\r\n",
      start + "X: a\r\n b\r\n\r\n",
      start + "Content-Length : 3\r\n\r\n",
      start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
      start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
      start + "Content-Length: +3\r\n\r\n",
      start + "Transfer-Encoding: chunked, identity\r\n\r\n",
      start + "Transfer-Encoding: xchunked\r\n\r\n",
      "PUT /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      start + std::string("X: a\0b\r\n\r\n", 10),
      start + ": a\r\n\r\n",
      "PUT /v1/x HTTP/1.1\r\n\r\n",
      start + "Host: b\r\n\r\n",
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    RequestHead head;
    CHECK(parse_request_head(row, {}, head).status == ParseStatus::kRejected);
  }
}
