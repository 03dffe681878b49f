#include "wire/answer_reader.h"

#include <string>

#include "catch.hpp"

namespace bellwether::wire {
namespace {

constexpr std::size_t kMaxHead = 256;
constexpr std::size_t kMaxBody = 64;

AnswerReader read(const std::string& bytes, std::string_view method = "GET") {
  AnswerReader reader(method, kMaxHead, kMaxBody);
  reader.feed(bytes);
  return reader;
}

std::string counted(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
}

const std::string kInterim = "HTTP/1.1 103 Early Hints\r\n\r\n";

}  // namespace

TEST_CASE("an answer is put together wherever it is cut", "[wire][answer_reader]") {
  const std::string text =
      kInterim + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n2\r\nab\r\n3;z\r\ncde\r\n0\r\n\r\n";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    CAPTURE(at);
    AnswerReader reader("GET", kMaxHead, kMaxBody);
    reader.feed(std::string_view(text).substr(0, at));
    CHECK(reader.has_started() == (at > 0));
    CHECK(reader.is_complete() == (at == text.size()));
    reader.feed(std::string_view(text).substr(at));
    REQUIRE(reader.is_complete());
    CHECK(reader.allows_reuse());
    const Reply reply = reader.take();
    CHECK(reply.status == 200);
    CHECK(reply.body == "abcde");
    CHECK(reply.headers.size() == 2);
  }
}

TEST_CASE("bytes behind an answer end its connection, whenever they come", "[wire][answer_reader]") {
  AnswerReader together = read(counted(3) + "y");
  CHECK(together.is_complete());
  CHECK(together.has_surplus());
  CHECK_FALSE(together.allows_reuse());
  AnswerReader later = read(counted(3));
  CHECK(later.allows_reuse());
  later.feed("y");
  CHECK(later.has_surplus());
  CHECK_FALSE(later.allows_reuse());
  CHECK(later.take().body == "xxx");
}

TEST_CASE("the end of the connection completes only what lasts until then", "[wire][answer_reader]") {
  AnswerReader until_close = read("HTTP/1.1 200 OK\r\n\r\nabc");
  CHECK_FALSE(until_close.is_complete());
  until_close.end();
  REQUIRE(until_close.is_complete());
  CHECK_FALSE(until_close.allows_reuse());
  CHECK(until_close.take().body == "abc");
  for (const std::string& text :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), std::string("HTTP/1.1 200 OK\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"), kInterim, std::string()}) {
    CAPTURE(text);
    AnswerReader reader = read(text);
    reader.end();
    CHECK_FALSE(reader.is_complete());
  }
}

TEST_CASE("an answer to HEAD, a 204 and one that ends its connection", "[wire][answer_reader]") {
  CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").is_complete());
  CHECK(read("HTTP/1.1 204 No Content\r\n\r\n").is_complete());
  const AnswerReader last = read("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(last.is_complete());
  CHECK_FALSE(last.allows_reuse());
}

TEST_CASE("what an answer may take is bounded: its head, its body, interim answers and what frames it",
          "[wire][answer_reader]") {
  CHECK(read(counted(kMaxBody)).is_complete());
  CHECK_THAT(read(counted(kMaxBody + 1)).problem(), CATCH_CONTAINS("over 64 bytes"));
  AnswerReader in_parts = read(counted(kMaxBody + 1).substr(0, 60));
  in_parts.feed(std::string(kMaxBody, 'x'));
  CHECK(in_parts.has_failed());
  CHECK(read("HTTP/1.1 200 OK\r\nX: " + std::string(kMaxHead, 'x')).has_failed());

  std::string interim;
  for (int i = 0; i < http::kMaxInterim; ++i) interim += kInterim;
  CHECK(read(interim + counted(1)).is_complete());
  CHECK_THAT(read(interim + kInterim + counted(1)).problem(), CATCH_CONTAINS("interim"));

  AnswerReader framed("GET", kMaxHead, 1024);
  framed.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "0001;" + std::string(1000, 'z') + "\r\nx\r\n";
  for (int i = 0; i < 80 && !framed.has_failed(); ++i) framed.feed(chunk);
  CHECK_THAT(framed.problem(), CATCH_CONTAINS("chunk sizes and extensions"));
}

TEST_CASE("what is no answer fails, and nothing that follows changes that", "[wire][answer_reader]") {
  for (const std::string& text : {std::string("nonsense\r\n\r\n"), std::string("HTTP/1.1 101 Switching\r\n\r\n"),
                                  std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n")}) {
    CAPTURE(text);
    AnswerReader reader = read(text);
    REQUIRE(reader.has_failed());
    const std::string problem = reader.problem();
    CHECK_FALSE(problem.empty());
    reader.feed(counted(1));
    CHECK(reader.has_failed());
    CHECK(reader.problem() == problem);
    CHECK_FALSE(reader.is_complete());
  }
}

}  // namespace bellwether::wire
