#include "app/drill/drill.h"

#include <catch.hpp>

namespace bellwether::app::drill {
namespace {

const TimePoint kBegin{1h};

Asking asking(Duration sent, Duration took, const char* failure = "") {
  return {kBegin + sent, kBegin + sent + took, failure};
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("the longest silence lies between two answers, in the order in which they came", "[drill]") {
  // The third is asked first and answered last.
  const Result result = result_of({asking(10ms, 5ms), asking(20ms, 5ms), asking(0ms, 500ms), asking(300ms, 100ms)});
  CHECK(result.asked == 4);
  CHECK(result.failed == 0);
  CHECK(result.longest_wait == 500ms);
  CHECK(result.longest_silence == 375ms);
  CHECK(result.silent_since == kBegin + 25ms);
}

TEST_CASE("a failure is no answer: it neither ends a silence nor counts as a wait", "[drill]") {
  const Result result = result_of({asking(0ms, 1ms), asking(10ms, 900ms, "reset"), asking(20ms, 2ms, "status 503"),
                                   asking(30ms, 2ms, "status 503"), asking(1s, 1ms)});
  CHECK(result.failed == 3);
  CHECK(result.failures == std::map<std::string, std::size_t>{{"reset", 1}, {"status 503", 2}});
  CHECK(result.longest_wait == 1ms);
  CHECK(result.longest_silence == 1s);
}

TEST_CASE("nothing before the first answer is a silence, and nobody asked is nothing", "[drill]") {
  CHECK(result_of({asking(0ms, 700ms)}).longest_silence == 0ms);
  const Result none = result_of({});
  CHECK((none.asked == 0 && none.failed == 0 && none.longest_silence == 0ms && none.failures.empty()));
}

TEST_CASE("different failures are counted up to a limit", "[drill]") {
  std::vector<Asking> many;
  for (int i = 0; i < 100; ++i) many.push_back(asking(0ms, 1ms, std::to_string(i).c_str()));
  const Result result = result_of(many);
  CHECK(result.failed == 100);
  CHECK(result.failures.size() == kMaxFailures);
}

TEST_CASE("a picture has a point for each request and a line for each mark, and no markup from outside", "[drill]") {
  const std::string picture = picture_of({asking(0ms, 1ms), asking(10ms, 300ms), asking(20ms, 5ms, "reset")},
                                         {{kBegin + 5ms, "<n1> & \"n2\"\x01"}}, "a < b");
  CHECK(count(picture, "<circle class=\"ok\"") == 2);
  CHECK(count(picture, "<circle class=\"failed\"") == 1);
  CHECK(count(picture, "<line class=\"mark\"") == 1);
  CHECK(count(picture, "&lt;n1&gt; &amp; &quot;n2&quot;?") == 1);
  CHECK(count(picture, "a &lt; b") == 2);
  CHECK(count(picture, "href") == 0);
  CHECK(count(picture_of({}, {}, ""), "<circle") == 0);
}

}  // namespace bellwether::app::drill
