#include "bellwether/net/resolver.h"

#include <optional>

#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net;
using net::testing::make_loop;

namespace {

using Answer = Result<NameAnswer>;

}  // namespace

TEST_CASE("a numeric host needs no lookup, but answers later", "[net][resolver]") {
  const auto loop = make_loop();
  Resolver resolver(*loop);
  for (const auto& [host, text] :
       {std::pair{"127.0.0.1", "127.0.0.1:8200"}, {"::1", "[::1]:8200"}, {"[::1]", "[::1]:8200"}}) {
    std::optional<Answer> answer;
    resolver.resolve(host, 8200, [&](Answer a) { answer = std::move(a); });
    CHECK_FALSE(answer);
    REQUIRE(loop->run_until([&] { return answer.has_value(); }, 5s));
    REQUIRE(*answer);
    REQUIRE((*answer)->addresses.size() == 1);
    CHECK((*answer)->addresses.front().to_string() == text);
  }
}

TEST_CASE("a name of the hosts file resolves, for each port asked for", "[net][resolver]") {
  const auto loop = make_loop();
  Resolver resolver(*loop);
  std::optional<Answer> first, second;
  resolver.resolve("localhost", 1, [&](Answer a) { first = std::move(a); });
  resolver.resolve("localhost", 2, [&](Answer a) { second = std::move(a); });
  REQUIRE(loop->run_until([&] { return first && second; }, 20s));
  REQUIRE(*first);
  REQUIRE(*second);
  CHECK((*first)->addresses.front().port() == 1);
  CHECK((*second)->addresses.front().port() == 2);
  CHECK((*first)->addresses.front().host() == (*second)->addresses.front().host());
}

TEST_CASE("a name that cannot be is an error that names it", "[net][resolver]") {
  const auto loop = make_loop();
  Resolver resolver(*loop);
  std::optional<Answer> answer;
  // Refused by the resolver itself: no DNS server is asked.
  resolver.resolve("no such host", 1, [&](Answer a) { answer = std::move(a); });
  REQUIRE(loop->run_until([&] { return answer.has_value(); }, 20s));
  REQUIRE_FALSE(*answer);
  CHECK((*answer).error().kind == ErrorKind::kUnavailable);
  CHECK_THAT((*answer).error().message, CATCH_CONTAINS("cannot resolve \"no such host\": "));
}

TEST_CASE("a resolver that goes away answers nobody", "[net][resolver]") {
  const auto loop = make_loop();
  bool called = false;
  {
    Resolver resolver(*loop);
    resolver.resolve("localhost", 1, [&](const Answer&) { called = true; });
    resolver.resolve("127.0.0.1", 1, [&](const Answer&) { called = true; });
  }
  CHECK_FALSE(loop->run_until([&] { return called; }, 20ms));
}
