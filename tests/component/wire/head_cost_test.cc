#include <algorithm>
#include <chrono>
#include <string>

#include "bellwether/http/forward.h"
#include "catch.hpp"

using namespace bellwether;
using Clock = std::chrono::steady_clock;

namespace {

std::string head_of(const std::string& headers) { return "GET /v1/secret HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"; }

// Some 30 KiB of Connection options, and 95 headers to look for among them.
std::string costly_head() {
  std::string headers = "Connection: ";
  for (int i = 0; i < 3400; ++i) headers += "x-" + std::to_string(10000 + i) + ",";
  headers += "x\r\n";
  for (int i = 0; i < 95; ++i) headers += "x-" + std::to_string(20000 + i) + ": 1\r\n";
  return head_of(headers);
}

// As long, with as many headers.
std::string plain_head(std::size_t size) {
  std::string headers;
  for (int i = 0; i < 95; ++i) headers += "x-" + std::to_string(20000 + i) + ": 1\r\n";
  headers += "X-Long: ";
  headers += std::string(size - head_of(headers).size() - 2, 'v') + "\r\n";
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

TEST_CASE("a head with thousands of Connection options costs little more than another one of its size", "[head_cost]") {
  const std::string costly = costly_head();
  REQUIRE(costly.size() < http::HeadLimits{}.max_head_bytes);
  const auto costs = cost_of(costly);
  const auto usual = cost_of(plain_head(costly.size()));
  const auto micros = [](Clock::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  INFO("costly " << micros(costs) << " us, plain " << micros(usual) << " us");
  CHECK(costs < 12 * usual + std::chrono::microseconds(200));
}
