#include "bellwether/http/body.h"

#include <string>

#include "catch.hpp"

using namespace bellwether::http;

namespace {

struct Read {
  ParseStatus status = ParseStatus::kNeedMore;
  Reject reason{};
  std::string content;
  std::size_t consumed = 0;
  bool complete_at_end = false;
};

// Feeds `parts` one after the other, each until nothing more is taken.
Read read_parts(BodyReader reader, const std::vector<std::string>& parts) {
  Read result;
  for (const std::string& part : parts) {
    std::string_view rest = part;
    while (true) {
      const BodyReader::Bite bite = reader.feed(rest);
      result.status = bite.status;
      result.reason = bite.reason;
      result.content += bite.content;
      result.consumed += bite.consumed;
      rest.remove_prefix(bite.consumed);
      if (bite.status != ParseStatus::kNeedMore || bite.consumed == 0) break;
    }
    if (result.status != ParseStatus::kNeedMore) break;
  }
  result.complete_at_end = reader.complete_at_end();
  return result;
}

Read read_chunked(const std::string& text, ChunkLimits limits = {}) {
  return read_parts(BodyReader({BodyKind::kChunked, 0}, limits), {text});
}

// The same outcome for the whole input, for every split in two, and byte by byte.
void check_all_splits(BodyFraming framing, const std::string& text, ParseStatus status, const std::string& content,
                      std::size_t consumed) {
  CAPTURE(text);
  const auto check = [&](const std::vector<std::string>& parts) {
    const Read result = read_parts(BodyReader(framing), parts);
    CHECK(result.status == status);
    CHECK(result.content == content);
    CHECK(result.consumed == consumed);
  };
  std::vector<std::string> bytes;
  for (char c : text) bytes.emplace_back(1, c);
  check({text});
  check(bytes);
  for (std::size_t at = 0; at <= text.size(); ++at) check({text.substr(0, at), text.substr(at)});
}

void check_rejected(const std::string& text, Reject reason) {
  CAPTURE(text);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const Read result = read_parts(BodyReader({BodyKind::kChunked, 0}), {text.substr(0, at), text.substr(at)});
    CHECK(result.status == ParseStatus::kRejected);
    CHECK(to_text(result.reason) == to_text(reason));
  }
}

}  // namespace

TEST_CASE("A body of known length ends after its last byte, wherever the input is cut", "[http]") {
  check_all_splits({BodyKind::kLength, 5}, "helloGET /", ParseStatus::kDone, "hello", 5);
  check_all_splits({BodyKind::kLength, 9}, "hello", ParseStatus::kNeedMore, "hello", 5);
}

TEST_CASE("A message without body is done before its first byte", "[http]") {
  CHECK(BodyReader({BodyKind::kNone, 0}).done());
  CHECK(BodyReader({BodyKind::kLength, 0}).done());
  CHECK(read_parts(BodyReader({BodyKind::kNone, 0}), {"GET"}).consumed == 0);
}

TEST_CASE("Chunks are joined and their framing dropped, wherever the input is cut", "[http]") {
  const std::string simple = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  check_all_splits({BodyKind::kChunked, 0}, simple + "GET", ParseStatus::kDone, "hello world", simple.size());
  const std::string rich =
      "a;name=\"v;\"\r\n0123456789\r\n000F\r\n012345678901234\r\n0;x\r\nExpires: never\r\nX:\r\n\r\n";
  check_all_splits({BodyKind::kChunked, 0}, rich + "\r\n", ParseStatus::kDone, "0123456789012345678901234",
                   rich.size());
  check_all_splits({BodyKind::kChunked, 0}, "0\r\n\r\n", ParseStatus::kDone, "", 5);
  check_all_splits({BodyKind::kChunked, 0}, "5\r\nhel", ParseStatus::kNeedMore, "hel", 6);
}

TEST_CASE("A chunk size is nothing but up to 16 hexadecimal digits", "[http]") {
  for (const std::string size : {"0x1", "+1", "-1", " 1", "1 ", "", "g", ";x", "1\t", "00000000000000001",
                                 "8000000000000000", "ffffffffffffffff"}) {
    check_rejected(size + "\r\na\r\n0\r\n\r\n", Reject::kChunk);
  }
  CHECK(read_chunked("7fffffffffffffff\r\n").status == ParseStatus::kNeedMore);
  CHECK(read_chunked("0000000000000001\r\na\r\n0\r\n\r\n").content == "a");
}

TEST_CASE("Each chunk has a size of its own, with up to 16 digits of its own", "[http]") {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "01\r\na\r\n";
  CHECK(read_chunked(text + "0\r\n\r\n").content == std::string(20, 'a'));
  check_rejected("1\r\na\r\n\r\n", Reject::kChunk);
  check_rejected("1\r\na\r\n;x\r\n\r\n", Reject::kChunk);
}

TEST_CASE("White space may stand on both sides of an extension's semicolon", "[http]") {
  for (const std::string line : {"5 ;a", "5\t; a", "5 \t ;a = b", "5;\ta ; c", "5 ;"}) {
    const std::string text = line + "\r\nhello\r\n0 ; x\r\n\r\n";
    check_all_splits({BodyKind::kChunked, 0}, text, ParseStatus::kDone, "hello", text.size());
  }
  for (const std::string line : {"5 ", "5\t", "5 5", "5 a", "5 =", " 5;a"}) {
    check_rejected(line + "\r\nhello\r\n0\r\n\r\n", Reject::kChunk);
  }
  check_rejected("5 \n;a\r\n", Reject::kChunk);
  CHECK(read_chunked("1" + std::string(2000, ' ') + ";a\r\n").reason == Reject::kChunk);
  CHECK(read_chunked("1  ;ab\r\na\r\n1  ;ab\r\nb\r\n0\r\n\r\n", {.max_extension_bytes = 4}).content == "ab");
}

TEST_CASE("Chunk lines end with CRLF and nothing else", "[http]") {
  check_rejected("1\na\r\n0\r\n\r\n", Reject::kChunk);
  check_rejected("1\r\r\n", Reject::kChunk);
  check_rejected("1\r\nab\r\n", Reject::kChunk);
  check_rejected("1\r\na\n0\r\n\r\n", Reject::kChunk);
  check_rejected("1\r\na\rb", Reject::kChunk);
  check_rejected("1\r\na0\r\n\r\n", Reject::kChunk);
  check_rejected("1;a\nb\r\na\r\n0\r\n\r\n", Reject::kChunk);
  check_rejected(std::string("1;\0\r\n", 5), Reject::kChunk);
}

TEST_CASE("Trailers are checked before they are dropped", "[http]") {
  check_rejected("0\r\n: a\r\n\r\n", Reject::kTrailer);
  check_rejected("0\r\nX : a\r\n\r\n", Reject::kTrailer);
  check_rejected("0\r\nX: a\r\n b\r\n\r\n", Reject::kTrailer);
  check_rejected("0\r\nX\r\n\r\n", Reject::kTrailer);
  check_rejected("0\r\nX: a\n\r\n", Reject::kTrailer);
  check_rejected("0\r\n\n", Reject::kTrailer);
  check_rejected("0\r\n\rX", Reject::kTrailer);
  check_rejected("0\r\nX: \x01\r\n\r\n", Reject::kTrailer);
}

TEST_CASE("Extensions and trailers have limits", "[http]") {
  const ChunkLimits limits{.max_extension_bytes = 4, .max_trailer_bytes = 8};
  CHECK(read_chunked("1;abcd\r\na\r\n1;abcd\r\nb\r\n0\r\n\r\n", limits).content == "ab");
  CHECK(read_chunked("1;abcde\r\n", limits).reason == Reject::kChunk);
  CHECK(read_chunked("0\r\nX: abc\r\n\r\n", limits).status == ParseStatus::kDone);
  CHECK(read_chunked("0\r\nX: abcdefg\r\n\r\n", limits).reason == Reject::kTrailer);
}

TEST_CASE("A broken body stays broken", "[http]") {
  BodyReader reader({BodyKind::kChunked, 0});
  CHECK(reader.feed("x").status == ParseStatus::kRejected);
  CHECK(reader.feed("0\r\n\r\n").status == ParseStatus::kRejected);
  CHECK_FALSE(reader.complete_at_end());
}

TEST_CASE("Only a body that lasts until the end is whole when the stream ends", "[http]") {
  CHECK(read_parts(BodyReader({BodyKind::kUntilClose, 0}), {"any", "thing"}).content == "anything");
  CHECK(read_parts(BodyReader({BodyKind::kUntilClose, 0}), {"any"}).complete_at_end);
  CHECK_FALSE(read_parts(BodyReader({BodyKind::kLength, 3}), {"an"}).complete_at_end);
  CHECK(read_parts(BodyReader({BodyKind::kLength, 3}), {"any"}).complete_at_end);
  CHECK_FALSE(read_chunked("3\r\nany\r\n").complete_at_end);
  CHECK_FALSE(read_chunked("3\r\nany\r\n0\r\n").complete_at_end);
  CHECK(read_chunked("3\r\nany\r\n0\r\n\r\n").complete_at_end);
}
