#include <string>

#include "bellwether/http/head.h"
#include "catch.hpp"

using namespace bellwether::http;

namespace {

// Feeds the text in pieces of that size; at each, the search must say what the parser would.
void check_agrees(const std::string& text, std::size_t piece, const HeadLimits& limits = {}) {
  CAPTURE(text, piece);
  HeadSearch search;
  RequestHead head;
  for (std::size_t size = std::min(piece, text.size());; size = std::min(size + piece, text.size())) {
    const std::string_view buffer = std::string_view(text).substr(0, size);
    const bool is_undecided = parse_request_head(buffer, limits, head).status == ParseStatus::kNeedMore;
    CHECK(search.is_worth_parsing(buffer, limits) != (is_undecided && size > piece));
    if (!is_undecided || size == text.size()) return;
    search.need_more(buffer);
  }
}

}  // namespace

TEST_CASE("A head that comes in pieces is parsed again when it is whole or hopeless, and not before", "[http]") {
  for (std::size_t piece = 1; piece <= 60; ++piece) {
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", piece);
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\nbody that follows", piece);
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", piece);
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: a\r\n\n", piece);
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: " + std::string(200, 'a'), piece, {64, 100});
    check_agrees("GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\r\r\n\r\n", piece);
  }
}

TEST_CASE("What follows a head is another one", "[http]") {
  HeadSearch search;
  search.need_more("GET / HT");
  CHECK_FALSE(search.is_worth_parsing("GET / HTT", {}));
  search.restart();
  CHECK(search.is_worth_parsing("G", {}));
}
