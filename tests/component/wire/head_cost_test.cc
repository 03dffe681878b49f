#include <algorithm>
#include <chrono>
#include <string>

#include "bellwether/http/forward.h"
#include "catch.hpp"

using namespace bellwether;
using Clock = std::chrono::steady_clock;

namespace {

std::string head_of(const std::string& headers) { return "GET /v1/secret HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }

// Some 30 KiB of Connection options, and headers to look for among them.
std::string costly_head(int headers_to_find) {
  std::string headers = "Connection: ";
  for (int i = 0; i < 3400; ++i) headers += "x-" + std::to_string(10000 + i) + ",";
  headers += "x\r\n";
  for (int i = 0; i < headers_to_find; ++i) headers += "x-" + std::to_string(20000 + i) + ": 1\r\n";
  return head_of(headers);
}

// The best of many: what another process takes from this one does not count.
Clock::duration cost_of(const std::string& text) {
  http::RequestHead head;
  std::string out;
  auto best = Clock::duration::max();
  for (int i = 0; i < 30; ++i) {
    const auto began = Clock::now();
    out.clear();
    REQUIRE(http::parse_request_head(text, {}, head).status == http::ParseStatus::kDone);
    http::append_request_head(out, head, {});
    best = std::min(best, Clock::now() - began);
  }
  return best;
}

}  // namespace

// A ratio of two costs of the same kind, so that neither the machine nor a sanitizer matters: where each option is
// compared with each header, the ratio is that of the numbers of headers, 24.
TEST_CASE("what thousands of Connection options cost does not grow with the number of headers", "[head_cost]") {
  const std::string costly = costly_head(96);
  REQUIRE(costly.size() < http::HeadLimits{}.max_head_bytes);
  const auto with_many = cost_of(costly);
  const auto with_few = cost_of(costly_head(4));
  const auto micros = [](Clock::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  INFO("96 headers " << micros(with_many) << " us, 4 headers " << micros(with_few) << " us");
  CHECK(with_many < 8 * with_few);
}
