#include "bellwether/http/chunk_writer.h"

#include "bellwether/base/prng.h"
#include "bellwether/http/body.h"
#include "catch.hpp"

using namespace bellwether::http;

TEST_CASE("A chunk is its size in hexadecimal, its content, and line ends", "[http]") {
  std::string out;
  append_chunk(out, "hello world, 26 bytes long");
  CHECK(out == "1a\r\nhello world, 26 bytes long\r\n");
}

TEST_CASE("No content makes no chunk, for that would end the body", "[http]") {
  std::string out;
  append_chunk(out, "");
  CHECK(out.empty());
}

TEST_CASE("The largest chunk head has the size that is reserved for it", "[http]") {
  std::string out;
  append_chunk_head(out, ~std::uint64_t{0});
  CHECK(out == "ffffffffffffffff\r\n");
  CHECK(out.size() + kChunkEnd.size() == kMaxChunkOverhead);
}

TEST_CASE("What is written in chunks is read back, whatever the cuts", "[http]") {
  bellwether::Prng prng(7);
  for (int round = 0; round < 200; ++round) {
    std::string content;
    std::string wire;
    for (std::uint64_t chunks = prng.below(6); chunks > 0; --chunks) {
      const std::string piece(prng.below(40), static_cast<char>(prng.below(256)));
      append_chunk(wire, piece);
      content += piece;
    }
    wire += kLastChunk;
    const std::string with_next = wire + "GET";
    BodyReader reader({BodyKind::kChunked, 0});
    std::string read;
    std::string_view rest = with_next;
    while (!reader.done()) {
      const BodyReader::Bite bite = reader.feed(rest.substr(0, 1 + prng.below(9)));
      REQUIRE(bite.status != ParseStatus::kRejected);
      read += bite.content;
      rest.remove_prefix(bite.consumed);
    }
    CHECK(read == content);
    CHECK(rest == "GET");
  }
}
