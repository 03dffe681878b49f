#include "app/migration/haproxy/lexer.h"

#include <map>

#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::app::migration;

namespace {

using Words = std::vector<std::string>;

Surroundings with_variables() {
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    static const std::map<std::string, std::string> kAll = {
        {"HOST", "10.0.0.1"}, {"TWO", "a b"}, {"EMPTY", ""}, {"LONG", std::string(40'000, 'x')}};
    const auto found = kAll.find(name);
    return found == kAll.end() ? std::nullopt : std::optional(found->second);
  };
  return surroundings;
}

Words words_of(std::string_view line) {
  const auto words = split_line(line, with_variables());
  INFO(line);
  REQUIRE(words.has_value());
  return *words;
}

std::string error_of(std::string_view line) {
  const auto words = split_line(line, with_variables());
  INFO(line);
  REQUIRE_FALSE(words.has_value());
  return words.error().message;
}

}  // namespace

TEST_CASE("Words of an haproxy.cfg are separated by blanks, and # begins a comment", "[app][migration]") {
  CHECK(words_of("").empty());
  CHECK(words_of("  \t # bind *:80").empty());
  CHECK(words_of("\tserver  v1\t10.0.0.1:8200 check# why\r") == Words{"server", "v1", "10.0.0.1:8200", "check"});
  CHECK(words_of("log-format \"a # b\" 'c # d' e\\#f") == Words{"log-format", "a # b", "c # d", "e#f"});
}

TEST_CASE("Quotes join words, and each kind is a plain character within the other", "[app][migration]") {
  CHECK(words_of("a'b c'd \"it's\" '\"x\"'") == Words{"ab cd", "it's", "\"x\""});
  CHECK(words_of("a \"\" ''") == Words{"a", "", ""});
}

TEST_CASE("A backslash takes the meaning from blanks, quotes and #, and says control characters", "[app][migration]") {
  CHECK(words_of(R"(a\ b \"c\' \\ \t\n\r \x41\x2f)") == Words{"a b", "\"c'", "\\", "\t\n\r", "A/"});
  CHECK(words_of(R"(^10\.0\.)") == Words{R"(^10\.0\.)"});
  CHECK(words_of(R"("a\"b\$HOST\d")") == Words{R"(a"b$HOST\d)"});
  CHECK(words_of(R"('a\x41')") == Words{R"(a\x41)"});
  CHECK(words_of("a\\") == Words{"a\\"});
  CHECK_THAT(error_of(R"(ab \xg1)"), CATCH_CONTAINS("column 4"));
  CHECK_THAT(error_of(R"(\x4)"), CATCH_CONTAINS("two hexadecimal digits"));
}

TEST_CASE("Variables are replaced within double quotes only", "[app][migration]") {
  CHECK(words_of(R"("$HOST:8200" "${HOST}:1" "${HOST-x}")") == Words{"10.0.0.1:8200", "10.0.0.1:1", "10.0.0.1"});
  CHECK(words_of(R"($HOST '$HOST')") == Words{"$HOST", "$HOST"});
  CHECK(words_of(R"("${NONE}" "$NONE" "${NONE-10.0.0.9}" "${EMPTY-x}")") == Words{"", "", "10.0.0.9", ""});
  CHECK(words_of(R"("$TWO")") == Words{"a b"});
  CHECK(words_of(R"("${TWO[*]-c}")") == Words{"a b"});
  CHECK_THAT(error_of(R"("${HOST")"), CATCH_CONTAINS("never closed"));
  CHECK_THAT(error_of(R"("$1")"), CATCH_CONTAINS("no name of a variable"));
  CHECK_THAT(error_of(R"("a$")"), CATCH_CONTAINS("column 3"));
}

TEST_CASE("What cannot be read ends in an error that names the column", "[app][migration]") {
  CHECK_THAT(error_of("bind \"*:80"), CATCH_CONTAINS("the quote \" in column 6 is never closed"));
  CHECK_THAT(error_of("bind '*:80"), CATCH_CONTAINS("the quote ' in column 6"));
  CHECK_THAT(error_of(std::string("a b\0c", 5)), CATCH_CONTAINS("NUL byte in column 4"));
}

TEST_CASE("Lines are bounded, also by what variables put into them", "[app][migration]") {
  CHECK_THAT(error_of(std::string(1'000'000, 'x')), CATCH_CONTAINS("longer than 65536 bytes"));
  CHECK_THAT(error_of(R"("$LONG$LONG$LONG$LONG")"), CATCH_CONTAINS("longer than 65536 bytes"));
  CHECK(words_of(std::string(kMaxLineBytes, 'x')).size() == 1);
  std::string many;
  for (std::size_t i = 0; i <= kMaxWords; ++i) many += "a ";
  CHECK_THAT(error_of(many), CATCH_CONTAINS("more than 1024 words"));
}
