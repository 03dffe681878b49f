#include "admin/api.h"
#include "admin/orders.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::admin;

TEST_CASE("an order for a check names the file whose text it brings, or none", "[admin]") {
  const auto own = parse_check({"/check", ""});
  REQUIRE(own);
  CHECK_FALSE(own->has_value());
  const auto named = parse_check({"/check", "name=%2Fetc%2Fa%20b.json"});
  REQUIRE(named);
  CHECK(*named == "/etc/a b.json");
  for (const std::string& query :
       {std::string("name="), std::string("name=%0"), std::string("name=%00"),
        "name=" + std::string(kMaxFileName + 1, 'x'), std::string("file=a"), std::string(20'000, 'x')}) {
    const auto refused = parse_check({"/check", query});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.size() < 300);
  }
}

TEST_CASE("a text without a name is no order", "[admin]") {
  int tried = 0;
  AdminSources sources;
  sources.try_reload = [&tried](const std::optional<ConfigText>& text,
                                const std::function<void(ReloadReport)>& on_done) {
    ++tried;
    on_done({.problems = {}, .changes = {text ? text->name + "=" + text->text : "own"}});
  };
  std::vector<http::Response> answers;
  const auto ask = [&](const std::string& target, const std::string& body) {
    carry_out_order({target, body}, sources, TimePoint{}, [&](const http::Response& one) { answers.push_back(one); });
    return answers.back();
  };
  CHECK(ask("/check", "{}").status == 400);
  CHECK(tried == 0);
  CHECK_THAT(ask("/check", "").body, CATCH_CONTAINS("own"));
  CHECK_THAT(ask("/check?name=f", "{}").body, CATCH_CONTAINS("f={}"));
  CHECK(tried == 2);
}
