#include "bellwether/http/forward.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "bellwether/base/prng.h"
#include "bellwether/base/text.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::http;

namespace {

RequestHead parse_request(const std::string& text) {
  RequestHead head;
  CAPTURE(text);
  REQUIRE(parse_request_head(text, {}, head).status == ParseStatus::kDone);
  return head;
}

std::string forwarded(const std::string& text, const RequestEdits& edits = {}) {
  std::string out;
  append_request_head(out, parse_request(text), edits);
  return out;
}

std::string with_headers(const std::string& headers) { return "PUT /v1/x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }

std::string answered(const std::string& text, const ResponseRoute& route = {}, std::string_view method = "GET") {
  ResponseHead head;
  REQUIRE(parse_response_head(text, method, {}, head).status == ParseStatus::kDone);
  std::string out;
  const ResponseFraming framing = append_response_head(out, head, route);
  const ResponseFraming promised = framing_for(head, route);
  CHECK(framing.body == promised.body);
  CHECK(framing.keep_alive == promised.keep_alive);
  return out;
}

constexpr ResponseRoute kClosing{Version::kHttp11, false};
constexpr ResponseRoute kOldClient{Version::kHttp10, true};

}  // namespace

TEST_CASE("A request goes on line by line, its target untouched", "[http]") {
  CHECK(forwarded("LIST /v1/a%2Fb//c/?x=%20 HTTP/1.1\r\nX-Vault-Token:s.1\r\nhOST:  vault:8200 \r\n"
                  "X-Vault-Index: 1\r\nX-Vault-Index: 2\r\nEmpty:\r\n\r\nbody") ==
        "LIST /v1/a%2Fb//c/?x=%20 HTTP/1.1\r\nHost: vault:8200\r\nX-Vault-Token: s.1\r\nX-Vault-Index: 1\r\n"
        "X-Vault-Index: 2\r\nEmpty: \r\n\r\n");
}

TEST_CASE("A head is appended to what the buffer holds", "[http]") {
  std::string out = "before";
  append_request_head(out, parse_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), {});
  CHECK(out == "beforeGET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("Hop-by-hop headers of a request end here, in any case", "[http]") {
  CHECK(forwarded(with_headers("Connection: keep-alive\r\nKEEP-ALIVE: 5\r\nProxy-Connection: x\r\nTe: trailers\r\n"
                               "Trailer: X\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nProxy-Authorization: x\r\n")) ==
        with_headers(""));
}

TEST_CASE("Headers that Connection names end here", "[http]") {
  CHECK(forwarded(with_headers("X-A: 1\r\nConnection: close, x-a ,,\tX-B\r\nX-B: 2\r\nX-C: 3\r\nx-a: 4\r\n")) ==
        with_headers("X-C: 3\r\n"));
  CHECK(forwarded(with_headers("X-A: 1\r\nX-AB: 2\r\nConnection: close\r\nConnection: X-A\r\n")) ==
        with_headers("X-AB: 2\r\n"));
}

TEST_CASE("Thousands of Connection options drop exactly the headers that they name", "[http]") {
  Prng prng(7);
  for (int round = 0; round < 20; ++round) {
    std::string options;
    std::vector<std::string> named;
    for (int i = 0; i < 2000; ++i) {
      named.push_back((prng.chance(0.5) ? "x-" : "X-") + std::to_string(prng.below(3000)));
      options += named.back() + (i % 3 == 0 ? " ,\t" : ",");
    }
    std::string headers = "Connection: " + options + "\r\n";
    std::string kept;
    for (int i = 0; i < 90; ++i) {
      const std::string name = (i % 2 == 0 ? "X-" : "x-") + std::to_string(prng.below(3000));
      headers += name + ": 1\r\n";
      const bool is_named = std::any_of(named.begin(), named.end(),
                                        [&](const std::string& each) { return equals_ignoring_case(each, name); });
      if (!is_named) kept += name + ": 1\r\n";
    }
    CHECK(forwarded(with_headers(headers)) == with_headers(kept));
  }
}

TEST_CASE("Connection cannot name away what frames and addresses a request", "[http]") {
  CHECK(forwarded(with_headers("Connection: host, content-length, expect, x-forwarded-for\r\nContent-Length: 3\r\n"
                               "Expect: 100-continue\r\n"),
                  {.forwarded_for = "10.1.2.3"}) ==
        with_headers("X-Forwarded-For: 10.1.2.3\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"));
  CHECK(forwarded(with_headers("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n")) ==
        with_headers("Transfer-Encoding: chunked\r\n"));
}

TEST_CASE("Framing is stated once, as it was understood", "[http]") {
  CHECK(forwarded(with_headers("transfer-encoding: Chunked\r\nX: y\r\n")) ==
        with_headers("X: y\r\nTransfer-Encoding: chunked\r\n"));
  CHECK(forwarded(with_headers("content-length: 007\r\n")) == with_headers("Content-Length: 7\r\n"));
  CHECK(forwarded(with_headers("Content-Length: 0\r\n")) == with_headers("Content-Length: 0\r\n"));
  CHECK(forwarded(with_headers("")) == with_headers(""));
}

TEST_CASE("What is set replaces what the client sent under that name", "[http]") {
  const std::vector<HeaderField> set = {{"X-Vault-No-Request-Forwarding", "1"}};
  CHECK(forwarded(with_headers("x-vault-no-request-forwarding:\r\nX: y\r\n"), {.set = set}) ==
        with_headers("X: y\r\nX-Vault-No-Request-Forwarding: 1\r\n"));
  CHECK(forwarded(with_headers("Connection: X-Vault-No-Request-Forwarding\r\n"), {.set = set}) ==
        with_headers("X-Vault-No-Request-Forwarding: 1\r\n"));
}

TEST_CASE("Headers that may carry a client's certificate are dropped", "[http]") {
  const DroppedHeaders dropped({"X-Own"});
  CHECK(forwarded(with_headers("client-cert: a\r\nX-FORWARDED-CLIENT-CERT: b\r\nX: y\r\nx_own: c\r\nX-Ownx: d\r\n"),
                  {.dropped = &dropped}) == with_headers("X: y\r\nX-Ownx: d\r\n"));
}

TEST_CASE("A trusted sender may state a certificate in one header, once", "[http]") {
  const DroppedHeaders dropped({"Client-Cert"});
  const RequestEdits edits{.dropped = &dropped, .passed_on = "Client-Cert"};
  CHECK(forwarded(with_headers("client-cert: a\r\nX-Client-Cert: b\r\n"), edits) == with_headers("client-cert: a\r\n"));
  CHECK(forwarded(with_headers("Client-Cert: a\r\nclient-cert: b\r\n"), edits) == with_headers(""));
  CHECK(forwarded(with_headers("Client-Cert: a\r\nClient_Cert: b\r\n"), edits) == with_headers(""));
  CHECK(forwarded(with_headers("Client-Cert: a\r\nConnection: client-cert\r\n"), edits) == with_headers(""));
}

TEST_CASE("What is set replaces every spelling of its name", "[http]") {
  const std::vector<HeaderField> set = {{"Client-Cert", "ours"}};
  CHECK(forwarded(with_headers("client_cert: a\r\nCLIENT-CERT: b\r\n"), {.set = set}) ==
        with_headers("Client-Cert: ours\r\n"));
}

TEST_CASE("Forwarded of a client is dropped unless it is trusted, and then continued", "[http]") {
  const std::string text = with_headers("Forwarded: for=1.1.1.1;proto=https\r\nX: y\r\nforwarded: for=2.2.2.2\r\n");
  CHECK(forwarded(text) == with_headers("X: y\r\n"));
  CHECK(forwarded(text, {.forwarded_for = "4.4.4.4", .keeps_forwarded_for = true}) ==
        with_headers(
            "X: y\r\nX-Forwarded-For: 4.4.4.4\r\nForwarded: for=1.1.1.1;proto=https, for=2.2.2.2, for=4.4.4.4\r\n"));
  CHECK(forwarded(with_headers("Forwarded: for=1.1.1.1\r\n"),
                  {.forwarded_for = "fd00::5", .keeps_forwarded_for = true}) ==
        with_headers("X-Forwarded-For: fd00::5\r\nForwarded: for=1.1.1.1, for=\"[fd00::5]\"\r\n"));
  CHECK(forwarded(text, {.keeps_forwarded_for = true}) ==
        with_headers("X: y\r\nForwarded: for=1.1.1.1;proto=https, for=2.2.2.2\r\n"));
}

TEST_CASE("X-Forwarded-For of a client is dropped unless it is trusted", "[http]") {
  const std::string text = with_headers("X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX: y\r\nx-forwarded-for: 3.3.3.3\r\n");
  CHECK(forwarded(text) == with_headers("X: y\r\n"));
  CHECK(forwarded(text, {.forwarded_for = "::1"}) == with_headers("X: y\r\nX-Forwarded-For: ::1\r\n"));
  CHECK(forwarded(text, {.forwarded_for = "4.4.4.4", .keeps_forwarded_for = true}) ==
        with_headers("X: y\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 4.4.4.4\r\n"));
  CHECK(forwarded(text, {.keeps_forwarded_for = true}) ==
        with_headers("X: y\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3\r\n"));
  CHECK(forwarded(with_headers("X-Forwarded-For: \r\n"), {.forwarded_for = "::1", .keeps_forwarded_for = true}) ==
        with_headers("X-Forwarded-For: ::1\r\n"));
}

TEST_CASE("Host is kept, or supplied for HTTP/1.0", "[http]") {
  const std::string old = "GET /v1/x HTTP/1.0\r\n\r\n";
  CHECK(forwarded(old, {.host = "v:8200"}) == "GET /v1/x HTTP/1.1\r\nHost: v:8200\r\n\r\n");
  CHECK(forwarded("GET /v1/x HTTP/1.0\r\nHost: b\r\n\r\n", {.host = "v:8200"}) ==
        "GET /v1/x HTTP/1.1\r\nHost: b\r\n\r\n");
}

TEST_CASE("An absolute target keeps its bytes", "[http]") {
  const std::string text = "GET http://a/v1//x%2F?y HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(forwarded(text) == text);
  CHECK(forwarded("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n") == "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n");
}

TEST_CASE("An expectation passes, but neither from HTTP/1.0 nor when the body is at hand", "[http]") {
  const std::string text = with_headers("Expect: 100-Continue\r\nContent-Length: 3\r\n");
  CHECK(forwarded(text) == with_headers("Content-Length: 3\r\nExpect: 100-continue\r\n"));
  CHECK(forwarded(text, {.omits_expect = true}) == with_headers("Content-Length: 3\r\n"));
  CHECK(forwarded("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n") == "PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("An upgrade is asked for only if a tunnel is wanted", "[http]") {
  const std::string text = with_headers("Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n");
  CHECK(forwarded(text) == with_headers("Sec-WebSocket-Key: k\r\n"));
  CHECK(forwarded(text, {.upgrade = "websocket"}) ==
        with_headers("Sec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
}

TEST_CASE("Only a wish for a WebSocket alone is one for a tunnel", "[http]") {
  const auto asks = [](const std::string& headers) { return asks_for_websocket(parse_request(with_headers(headers))); };
  CHECK(asks("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"));
  CHECK_FALSE(asks("Upgrade: websocket\r\n"));
  CHECK_FALSE(asks("Connection: Upgrade\r\nUpgrade: h2c\r\n"));
  CHECK_FALSE(asks("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"));
  CHECK_FALSE(asks("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n"));
  CHECK_FALSE(asks("Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n"));
  CHECK_FALSE(asks_for_websocket(
      parse_request("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")));
}

TEST_CASE("An answer goes on line by line, nothing of ours added", "[http]") {
  CHECK(answered("HTTP/1.1 200 Fine, thanks\r\nServer: x\r\nVia: y\r\nSet-Cookie: a\r\nSet-Cookie:b\r\n"
                 "Location: /v1/%2F\r\nContent-Length: 05\r\n\r\nhello") ==
        "HTTP/1.1 200 Fine, thanks\r\nServer: x\r\nVia: y\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nLocation: /v1/%2F\r\n"
        "Content-Length: 5\r\n\r\n");
}

TEST_CASE("Hop-by-hop headers of an answer and those that its Connection names end here", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\nConnection: close, X-A\r\nX-A: 1\r\nKeep-Alive: x\r\nProxy-Connection: x\r\n"
                 "Trailer: X\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\nContent-Length: 0\r\nX-B: 2\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("The client's connection is closed or kept as decided here, not as the node says", "[http]") {
  const std::string text = "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n";
  CHECK(answered(text) == "HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(answered(text, kClosing) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  CHECK(answered(text, kOldClient) == "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("An answer of unknown length is chunked, so that a cut is seen", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\n") == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(answered("HTTP/1.0 200 OK\r\n\r\n") == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", kClosing) ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST_CASE("For an HTTP/1.0 client an answer of unknown length lasts until the close", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", kOldClient) ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\n", kOldClient) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", kOldClient) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("Answers without a body keep a length that speaks of one, but 204 never has one", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", {}, "HEAD") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  CHECK(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {}, "HEAD") == "HTTP/1.1 200 OK\r\n\r\n");
  CHECK(answered("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n") ==
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n");
  CHECK(answered("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n") == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("Interim answers have neither framing nor Connection", "[http]") {
  CHECK(answered("HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n", kClosing) == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(answered("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") == "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
}

TEST_CASE("A 101 keeps its upgrade", "[http]") {
  CHECK(answered("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n"
                 "Connection: Upgrade\r\n\r\n",
                 kClosing) ==
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\n\r\n");
}

TEST_CASE("An upgrade is granted only by a 101 to what was asked for", "[http]") {
  const auto grants = [](const std::string& text, std::string_view protocol) {
    ResponseHead head;
    REQUIRE(parse_response_head(text, "GET", {}, head).status == ParseStatus::kDone);
    return grants_upgrade(head, protocol);
  };
  CHECK(grants("HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\n\r\n", "websocket"));
  CHECK_FALSE(grants("HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n", "websocket"));
  CHECK_FALSE(grants("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", ""));
  CHECK_FALSE(grants("HTTP/1.1 101 x\r\n\r\n", "websocket"));
  CHECK_FALSE(grants("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n", "websocket"));
}
