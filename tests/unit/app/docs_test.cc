#include "app/docs/completion.h"
#include "app/docs/manual.h"
#include "app/docs/program.h"
#include "app/docs/roff.h"
#include "catch.hpp"

using namespace bellwether::app;

namespace {

ProgramDoc hostile_program() {
  const ArgumentDoc quoted{{"-q", "--quoted"},
                           ArgumentDoc::Takes::kFile,
                           "FILE",
                           {},
                           "It's [odd]: .TH \\fB `x`. More.",
                           "",
                           "",
                           false,
                           false};
  return {"1", "About.", {}, {{"go", "Goes: somewhere", {quoted}}}};
}

}  // namespace

TEST_CASE("No text becomes a request or an escape of a man page", "[app][docs]") {
  CHECK(roff_text(".TH a-b\n.br \\x '~^`") == "\\&.TH a\\-b\n\\&.br \\ex \\(aq\\(ti\\(ha\\(ga");
  CHECK(roff_of_markdown("see `a-b`\n\nnext") == "see \\fBa\\-b\\fR\n.PP\nnext");
}

TEST_CASE("A completion shows a sentence, not all of an explanation", "[app][docs]") {
  CHECK(first_sentence("A probe has failed. More (BELLWETHER_INTER)") == "A probe has failed");
  CHECK(first_sentence("Between two probes; sooner if it fails.") == "Between two probes");
  CHECK(first_sentence("Turns off: Verification. (BELLWETHER_VERIFY)") == "Turns off: Verification");
  CHECK(first_sentence("As JSON") == "As JSON");
  CHECK(first_sentence("").empty());
}

TEST_CASE("Texts with quotes and brackets do not leave their place in a completion", "[app][docs]") {
  CHECK_THAT(zsh_completion(hostile_program()),
             CATCH_CONTAINS(R"('(-q --quoted)--quoted=[It'\''s \[odd\]\: .TH \\fB `x`]:FILE:_files')"));
  CHECK_THAT(fish_completion(hostile_program()), CATCH_CONTAINS(R"(-l quoted -rF -d 'It\'s [odd]: .TH \\fB `x`')"));
  CHECK_THAT(bash_completion(hostile_program()),
             CATCH_CONTAINS("'go -q' | 'go --quoted') _bellwether_files -f; return ;;"));
}
