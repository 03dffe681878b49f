#include "app/migration/haproxy/sections.h"

#include <fmt/format.h>

#include "catch.hpp"

using namespace bellwether::app::migration;

namespace {

const Section& named(const Document& document, std::string_view name) {
  for (const Section& each : document.sections) {
    if (each.name == name) return each;
  }
  FAIL("no section " << name);
  return document.sections.front();
}

std::string value(const Document& document, std::string_view section, std::string_view first,
                  std::string_view second = {}) {
  const Line* line = document.find(named(document, section), first, second);
  return line == nullptr ? "" : line->words.back();
}

Document read(std::string_view text) { return read_sections(text, {}); }

}  // namespace

TEST_CASE("A section has what the latest defaults say, unless it says it itself", "[app][migration]") {
  const Document document = read(
      "defaults\n  timeout connect 1s\n  option httplog\n  mode http\n"
      "backend a\n  timeout connect 2s\n"
      "defaults\n  timeout client 7s\n"
      "backend b\n  no option httplog\n");
  REQUIRE(document.problems.empty());
  CHECK(value(document, "a", "timeout", "connect") == "2s");
  CHECK(value(document, "a", "mode") == "http");
  CHECK(value(document, "b", "timeout", "client") == "7s");
  CHECK(value(document, "b", "mode").empty());  // later defaults begin anew
}

TEST_CASE("\"no\" takes an inherited option back", "[app][migration]") {
  const Document document = read("defaults\n  option httplog\nlisten a\n  no option httplog\nlisten b\n");
  CHECK(document.find(named(document, "a"), "option", "httplog") == nullptr);
  CHECK(document.find(named(document, "b"), "option", "httplog") != nullptr);
}

TEST_CASE("Named defaults are inherited from by name, one from another", "[app][migration]") {
  const Document document = read(
      "defaults base\n  timeout connect 1s\n  retries 5\n"
      "defaults tcp from base\n  mode tcp\n  retries 2\n"
      "defaults other\n  mode http\n"
      "backend a from tcp\n"
      "backend b from base\n"
      "backend c\n");
  REQUIRE(document.problems.empty());
  CHECK(value(document, "a", "mode") == "tcp");
  CHECK(value(document, "a", "retries") == "2");
  CHECK(value(document, "a", "timeout", "connect") == "1s");
  CHECK(value(document, "b", "retries") == "5");
  CHECK(value(document, "c", "mode") == "http");
}

TEST_CASE("Lists are replaced as a whole where a section has its own", "[app][migration]") {
  const Document document = read("defaults\n  log a\n  log b\nlisten x\n  log c\nlisten y\n");
  CHECK(document.all(named(document, "x"), "log").size() == 1);
  CHECK(document.all(named(document, "y"), "log").size() == 2);
  CHECK(document.lines_of(named(document, "x")).size() == 3);
  CHECK(document.lines_of(named(document, "x")).front()->number == 2);
}

TEST_CASE("Variables that the file sets are known from then on", "[app][migration]") {
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) {
    return name == "A" ? std::optional<std::string>("outer") : std::nullopt;
  };
  const Document document = read_sections(
      "global\n  presetenv A x\n  presetenv B y\n  setenv C z\n  setenv D w\n  unsetenv D\n"
      "listen l\n  bind \"$A-$B-$C-${D-none}\"\n",
      surroundings);
  REQUIRE(document.problems.empty());
  CHECK(value(document, "l", "bind") == "outer-y-z-none");
}

TEST_CASE("Conditions are kept apart, and sections of other kinds are kept", "[app][migration]") {
  const Document document =
      read("global\n.if defined(X)\n  maxconn 1\n.endif\nresolvers dns\n  nameserver a 1.1.1.1:53\n");
  REQUIRE(document.problems.empty());
  CHECK(document.conditions.size() == 2);
  CHECK(document.sections.size() == 2);
  CHECK(document.sections[1].title() == "resolvers dns");
}

TEST_CASE("What HAProxy would not accept is a problem with its line", "[app][migration]") {
  const auto problem_of = [](std::string_view text) {
    const Document document = read(text);
    REQUIRE_FALSE(document.problems.empty());
    return fmt::format("{}: {}", document.problems.front().line, document.problems.front().message);
  };
  CHECK_THAT(problem_of("mode tcp\n"), CATCH_CONTAINS("1: \"mode tcp\" stands before any section"));
  CHECK_THAT(problem_of("\n\nbackend\n"), CATCH_CONTAINS("3: \"backend\" needs a name"));
  CHECK_THAT(problem_of("backend a from b\n"), CATCH_CONTAINS("1: there is no \"defaults b\" above"));
  CHECK_THAT(problem_of("defaults a from a\n"), CATCH_CONTAINS("there is no \"defaults a\" above"));
  CHECK_THAT(problem_of("defaults a from b\ndefaults b from a\n"), CATCH_CONTAINS("1: there is no \"defaults b\""));
  CHECK_THAT(problem_of("frontend a :80\n"), CATCH_CONTAINS("\":80\" is not understood here"));
  CHECK_THAT(problem_of("global\n  a \"b\n"), CATCH_CONTAINS("2: the quote"));
  CHECK_THAT(problem_of(""), CATCH_CONTAINS("no haproxy.cfg"));
  CHECK_THAT(problem_of("# only a comment\n"), CATCH_CONTAINS("no haproxy.cfg"));
}

TEST_CASE("Long files and deep chains of defaults end in bounded work", "[app][migration]") {
  std::string deep = "defaults d0\n";
  for (int i = 1; i < 5000; ++i) deep += fmt::format("defaults d{} from d{}\n", i, i - 1);
  const Document chained = read(deep);
  REQUIRE_FALSE(chained.problems.empty());
  CHECK(chained.problems.size() <= kMaxProblems);
  CHECK_THAT(chained.problems.front().message, CATCH_CONTAINS("more than 100 \"defaults\" come from each other"));

  std::string lines = "backend a\n";
  for (int i = 0; i < 100'000; ++i) lines += "  server v 10.0.0.1:8200 check\n";
  CHECK(read(lines).sections.front().lines.size() == 100'000);

  std::string sections;
  for (std::size_t i = 0; i <= kMaxSections; ++i) sections += fmt::format("backend b{}\n", i);
  CHECK_THAT(read(sections).problems.front().message, CATCH_CONTAINS("more than 10000 sections"));

  std::string broken;
  for (int i = 0; i < 1000; ++i) broken += "global \"\n";
  CHECK(read(broken).problems.size() == kMaxProblems);
}

TEST_CASE("A line is shown without what may be a secret, and as one line", "[app][migration]") {
  CHECK(shown({1, {"stats", "auth", "admin:hunter2"}}) == "stats auth ...");
  CHECK(shown({1, {"http-request", "set-header", "X-Vault-Token", "s.abc"}}) ==
        "http-request set-header X-Vault-Token ...");
  CHECK(shown({1, {"http-check", "send", "hdr", "X-Vault-Token", "s.abc"}}) == "http-check send ...");
  CHECK(shown({1, {"a\nb", "c"}}) == "a\\x0ab c");
  CHECK(shown({1, {std::string(1000, 'x')}}).size() <= 110);
}
