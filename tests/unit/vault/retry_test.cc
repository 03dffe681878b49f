#include "bellwether/vault/retry.h"

#include <array>
#include <optional>
#include <set>
#include <string>

#include "bellwether/base/prng.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::vault;
using cluster::Role;

namespace {

constexpr std::array<std::string_view, 2> kNodeUrls = {"https://vault1.example:8200", "https://10.0.0.1:8200"};

// As HTTP mode sends: a secret, to the leader, with the header.
Attempt usual() {
  Attempt attempt;
  attempt.path = "/v1/secret/data/a";
  attempt.effect = Effect::kStorage;
  attempt.conduct = StandbyConduct::kActsFirst;
  attempt.forbade_forwarding = true;
  attempt.role = Role::kActive;
  attempt.node_urls = kNodeUrls;
  return attempt;
}
Attempt without_header() {
  Attempt attempt = usual();
  attempt.forbade_forwarding = false;
  return attempt;
}
Attempt login() {
  Attempt attempt = usual();
  attempt.path = "/v1/auth/approle/login";
  attempt.effect = Effect::kOutside;
  return attempt;
}
Attempt to(Role role) {
  Attempt attempt = usual();
  attempt.role = role;
  return attempt;
}
Attempt among_performance_standbys() {
  Attempt attempt = usual();
  attempt.has_performance_standbys = true;
  return attempt;
}

std::string errors(const std::string& text) { return R"({"errors":[")" + text + "\"]}\n"; }

void check(const Attempt& attempt, int status, const std::string& body, Row row, Verdict verdict) {
  CAPTURE(status, body);
  const Row found = judge(attempt, Answer{status, {}, body});
  CHECK(to_text(found) == to_text(row));
  CHECK(verdict_of(found) == verdict);
}
void check_redirect(const Attempt& attempt, std::string_view location, Row row, Verdict verdict) {
  CAPTURE(location);
  const Row found = judge(attempt, Answer{307, location, {}});
  CHECK(to_text(found) == to_text(row));
  CHECK(verdict_of(found) == verdict);
}
void check_failure(Transport transport, Row row, Verdict verdict) {
  const Row found = judge(transport);
  CHECK(to_text(found) == to_text(row));
  CHECK(verdict_of(found) == verdict);
}

const std::string kNotActiveText = "local node not active but active cluster node not found";
constexpr std::string_view kOther = "https://vault2.example:8200/v1/secret/data/a";

}  // namespace

TEST_CASE("No connection is proof", "[vault]") {
  check_failure({Failure::kNotConnected, 0, 0}, Row::kNotConnected, Verdict::kProof);
}

TEST_CASE("A connection that ends before a byte of the request went is proof", "[vault]") {
  check_failure({Failure::kEnded, 0, 0}, Row::kNothingSent, Verdict::kProof);
  check_failure({Failure::kTimedOut, 0, 0}, Row::kNothingSent, Verdict::kProof);
  check_failure({Failure::kBadAnswer, 0, 17}, Row::kNothingSent, Verdict::kProof);
}

TEST_CASE("A connection that ends after a byte was sent is ambiguous: 11 of 29 were executed", "[vault]") {
  check_failure({Failure::kEnded, 1, 0}, Row::kCut, Verdict::kAmbiguous);
  check_failure({Failure::kEnded, 1, 1}, Row::kCutInAnswer, Verdict::kAmbiguous);
}

TEST_CASE("No answer in time is ambiguous: a frozen leader executes on waking", "[vault]") {
  check_failure({Failure::kTimedOut, 300, 0}, Row::kNoAnswer, Verdict::kAmbiguous);
}

TEST_CASE("An answer that is no HTTP is ambiguous", "[vault]") {
  check_failure({Failure::kBadAnswer, 300, 7}, Row::kUnreadableAnswer, Verdict::kAmbiguous);
}

TEST_CASE("500 'local node not active ...' is proof if forwarding was forbidden", "[vault]") {
  check(usual(), 500, errors(kNotActiveText), Row::kNotActive, Verdict::kProof);
  check(without_header(), 500, errors(kNotActiveText), Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("A 307 to another node is proof if forwarding was forbidden", "[vault]") {
  check_redirect(usual(), kOther, Row::kRedirected, Verdict::kProof);
}

TEST_CASE("A 307 to another node may follow a broken forward if it was not forbidden", "[vault]") {
  check_redirect(without_header(), kOther, Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("503 'no active Vault instance found' is proof if forwarding was forbidden", "[vault]") {
  const std::string body = errors("no active Vault instance found");
  check(usual(), 503, body, Row::kNoActiveFound, Verdict::kProof);
  check(without_header(), 503, body, Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("Performance standbys forward in spite of the header, so it proves nothing among them", "[vault]") {
  const Attempt attempt = among_performance_standbys();
  check_redirect(attempt, kOther, Row::kMaybeForwarded, Verdict::kAmbiguous);
  check(attempt, 500, errors(kNotActiveText), Row::kMaybeForwarded, Verdict::kAmbiguous);
  check(attempt, 503, errors("no active Vault instance found"), Row::kMaybeForwarded, Verdict::kAmbiguous);
  check(attempt, 503, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
  check_redirect(to(Role::kPerformanceStandby), kOther, Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("A performance standby may have run a part before any of its answers", "[vault]") {
  check(to(Role::kPerformanceStandby), 500, errors("active context canceled after getting state lock"),
        Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("What a performance standby says of a snapshot otherwise than by a redirect proves nothing", "[vault]") {
  Attempt attempt = to(Role::kPerformanceStandby);
  attempt.path = "/v1/sys/storage/raft/snapshot";
  check(attempt, 500, errors(kNotActiveText), Row::kMaybeForwarded, Verdict::kAmbiguous);
  check(attempt, 503, errors("no active Vault instance found"), Row::kMaybeForwarded, Verdict::kAmbiguous);
}

TEST_CASE("A 307 for a snapshot or for events is proof whatever was sent", "[vault]") {
  Attempt attempt = without_header();
  attempt.has_performance_standbys = true;
  attempt.role = Role::kPerformanceStandby;
  attempt.path = "/v1/sys/storage/raft/snapshot";
  check_redirect(attempt, "https://n2/v1/sys/storage/raft/snapshot", Row::kRedirected, Verdict::kProof);
  attempt.path = "/v1/sys/events/subscribe/kv*";
  check_redirect(attempt, "wss://n2/v1/sys/events/subscribe/kv%2A", Row::kRedirected, Verdict::kProof);
}

namespace {

// The three answers of a node that does not lead, each with the row of an attempt after which nothing has happened.
struct Refusal {
  int status;
  std::string_view location;
  std::string body;
  Row row;
};
const std::array<Refusal, 3> kRefusals = {{
    {307, kOther, "", Row::kRedirected},
    {500, "", errors(kNotActiveText), Row::kNotActive},
    {503, "", errors("no active Vault instance found"), Row::kNoActiveFound},
}};

Row judge_refusal(const Attempt& attempt, const Refusal& refusal) {
  Answer answer;
  answer.status = refusal.status;
  if (!refusal.location.empty()) answer.location = refusal.location;
  answer.body = refusal.body;
  return judge(attempt, answer);
}

}  // namespace

TEST_CASE("What a refusal proves depends on the node's conduct and on what the request may have touched", "[vault]") {
  struct Case {
    StandbyConduct conduct;
    Effect effect;
    std::optional<Row> row;  // empty: the refusal's own, which is proof
  };
  const std::array<Case, 9> cases = {{
      {StandbyConduct::kRefusesFirst, Effect::kStorage, std::nullopt},
      {StandbyConduct::kRefusesFirst, Effect::kByMount, std::nullopt},
      {StandbyConduct::kRefusesFirst, Effect::kOutside, std::nullopt},
      {StandbyConduct::kActsFirst, Effect::kStorage, std::nullopt},
      {StandbyConduct::kActsFirst, Effect::kByMount, Row::kUnknownMount},
      {StandbyConduct::kActsFirst, Effect::kOutside, Row::kMaybeActed},
      {StandbyConduct::kUnknown, Effect::kStorage, Row::kMaybeActed},
      {StandbyConduct::kUnknown, Effect::kByMount, Row::kMaybeActed},
      {StandbyConduct::kUnknown, Effect::kOutside, Row::kMaybeActed},
  }};
  for (const Case& each : cases) {
    for (const Refusal& refusal : kRefusals) {
      for (const Role role : {Role::kActive, Role::kStandby, Role::kUnknown}) {
        Attempt attempt = to(role);
        attempt.conduct = each.conduct;
        attempt.effect = each.effect;
        CAPTURE(refusal.status, static_cast<int>(each.conduct), static_cast<int>(each.effect));
        CHECK(to_text(judge_refusal(attempt, refusal)) == to_text(each.row.value_or(refusal.row)));
      }
    }
  }
}

TEST_CASE("'Vault is sealed' proves nothing about what may have touched more than storage, of any product", "[vault]") {
  for (const StandbyConduct conduct : {StandbyConduct::kRefusesFirst, StandbyConduct::kActsFirst}) {
    Attempt attempt = usual();
    attempt.conduct = conduct;
    check(attempt, 503, errors("Vault is sealed"), Row::kSealed, Verdict::kProof);
    attempt.effect = Effect::kByMount;
    check(attempt, 503, errors("Vault is sealed"), Row::kUnknownMount, Verdict::kAskMount);
    attempt.effect = Effect::kOutside;
    check(attempt, 503, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
  }
  Attempt attempt = usual();
  attempt.conduct = StandbyConduct::kUnknown;
  check(attempt, 503, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
}

TEST_CASE("A 307 to its own sender means: here again, shortly", "[vault]") {
  check_redirect(usual(), "https://vault1.example:8200/v1/secret/data/a", Row::kRedirectedToItself,
                 Verdict::kAgainHere);
  check_redirect(usual(), "HTTPS://VAULT1.example:8200/v1/secret/data/a", Row::kRedirectedToItself,
                 Verdict::kAgainHere);
  check_redirect(usual(), "https://10.0.0.1:8200/v1/secret/data/a", Row::kRedirectedToItself, Verdict::kAgainHere);
  check_redirect(usual(), "https://vault1.example/v1/secret/data/a", Row::kRedirected, Verdict::kProof);
  check_redirect(without_header(), "https://vault1.example:8200/v1/secret/data/a", Row::kMaybeForwarded,
                 Verdict::kAmbiguous);
}

TEST_CASE("A URL without a port names its scheme's port", "[vault]") {
  Attempt attempt = usual();
  const std::array<std::string_view, 2> urls = {"https://vault1", "http://[fd00::1]:80"};
  attempt.node_urls = urls;
  check_redirect(attempt, "https://vault1:443/v1/secret/data/a", Row::kRedirectedToItself, Verdict::kAgainHere);
  check_redirect(attempt, "http://[FD00::1]/v1/secret/data/a", Row::kRedirectedToItself, Verdict::kAgainHere);
  check_redirect(attempt, "http://vault1/v1/secret/data/a", Row::kRedirected, Verdict::kProof);
}

TEST_CASE("A 307 of the UI, the mux or a plugin is passed on", "[vault]") {
  for (const std::string_view location :
       {"/ui/", "/v1/secret/data/a", "//vault2.example/v1/secret/data/a", "https://idp.example/authorize?x=1",
        "https://vault2.example:8200/v1/secret/data/a/", "ftp://vault2.example/v1/secret/data/a", "https:///v1/x", "",
        "https://vault2.example:8200/v1/secret/data/%zz"}) {
    check_redirect(usual(), location, Row::kOtherRedirect, Verdict::kPassOn);
  }
  CHECK(judge(usual(), Answer{307, {}, {}}) == Row::kOtherRedirect);
}

TEST_CASE("A redirect's path is compared decoded: nodes encode it anew", "[vault]") {
  Attempt attempt = usual();
  attempt.path = "/v1/secret/data/a%2Fb%20c";
  check_redirect(attempt, "https://vault2.example:8200/v1/secret/data/a/b%20c", Row::kRedirected, Verdict::kProof);
  attempt.path = "/v1/secret//data/a";
  check_redirect(attempt, "https://vault2.example:8200/v1/secret//data/a", Row::kRedirected, Verdict::kProof);
}

TEST_CASE("Other redirects than 307 are passed on", "[vault]") {
  for (const int status : {301, 302, 303, 304, 308}) {
    CHECK(judge(usual(), Answer{status, kOther, {}}) == Row::kAnswered);
  }
}

TEST_CASE("503, exactly 'Vault is sealed', is proof if forwarding was forbidden", "[vault]") {
  check(usual(), 503, errors("Vault is sealed"), Row::kSealed, Verdict::kProof);
  check(without_header(), 503, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
}

TEST_CASE("'Vault is sealed' on a login may come from its middle", "[vault]") {
  check(login(), 503, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
}

TEST_CASE("A node that was sealed before says so before it looks at the request", "[vault]") {
  for (const Role role : {Role::kSealed, Role::kUninitialized}) {
    Attempt attempt = login();
    attempt.forbade_forwarding = false;
    attempt.role = role;
    check(attempt, 503, errors("Vault is sealed"), Row::kSealed, Verdict::kProof);
    check(attempt, 503, errors("1 error occurred:\\n\\t* Vault is sealed\\n\\n"), Row::kSealedMidway,
          Verdict::kAmbiguous);
  }
}

TEST_CASE("'Vault is sealed' among other words or errors is ambiguous", "[vault]") {
  check(usual(), 503, errors("1 error occurred:\\n\\t* Vault is sealed\\n\\n"), Row::kSealedMidway,
        Verdict::kAmbiguous);
  check(usual(), 503, R"({"errors":["Vault is sealed","x"]})", Row::kSealedMidway, Verdict::kAmbiguous);
  check(usual(), 503, errors("Vault is sealed "), Row::kSealedMidway, Verdict::kAmbiguous);
  check(usual(), 500, errors("Vault is sealed"), Row::kSealedMidway, Verdict::kAmbiguous);
}

TEST_CASE("500 'active context canceled after getting state lock' is proof in both products", "[vault]") {
  const std::string text = "active context canceled after getting state lock";
  check(usual(), 500, errors(text), Row::kCanceledEarly, Verdict::kProof);
  check(without_header(), 500, errors(text), Row::kCanceledEarly, Verdict::kProof);
  check(usual(), 500, errors("x: " + text), Row::kLeadershipLost, Verdict::kAmbiguous);
}

TEST_CASE("A quota's 429 is passed on: elsewhere it would be cheated", "[vault]") {
  check(usual(), 429, errors("request path \\\"a\\\": rate limit quota exceeded"), Row::kAnswered, Verdict::kPassOn);
}

TEST_CASE("What is refused before routing is passed on", "[vault]") {
  for (const int status : {400, 403, 404, 405, 412, 413}) {
    check(usual(), status, errors("namespace not found"), Row::kAnswered, Verdict::kPassOn);
  }
}

TEST_CASE("A closed namespace is passed on: any node says so", "[vault]") {
  check(usual(), 503, errors("namespace is sealed"), Row::kNamespaceClosed, Verdict::kPassOn);
  check(usual(), 503, errors("API access to this namespace has been locked by an administrator"), Row::kNamespaceClosed,
        Verdict::kPassOn);
}

TEST_CASE("Overload is ambiguous and passed on", "[vault]") {
  check(usual(), 503, errors("Vault server temporarily overloaded"), Row::kOverloaded, Verdict::kPassOn);
  check(usual(), 503, errors("1 error occurred:\\n\\t* overloaded, try again later"), Row::kOverloaded,
        Verdict::kPassOn);
}

TEST_CASE("A removed node's refusals are proof only if its health said 530", "[vault]") {
  for (const int status : {500, 503, 530}) {
    check(to(Role::kRemoved), status, errors("node removed"), Row::kRemoved, Verdict::kProof);
  }
  check(to(Role::kRemoved), 400, errors("bad"), Row::kAnswered, Verdict::kPassOn);
  check(usual(), 530, errors("node removed"), Row::kMaybeRemoved, Verdict::kAmbiguous);
}

TEST_CASE("500 'node is not the leader' is ambiguous: earlier writes may stand", "[vault]") {
  check(usual(), 500, errors("1 error occurred:\\n\\t* node is not the leader\\n\\n"), Row::kLeadershipLost,
        Verdict::kAmbiguous);
}

TEST_CASE("The texts of a request that leadership was taken from are ambiguous", "[vault]") {
  for (const std::string text :
       {"leadership lost while committing log", "leadership transfer in progress", "raft is already shutdown",
        "context canceled", "lock has changed ownership before attempting write", "pq: transaction commit failed",
        "internal error", "1 error occurred:\\n\\t* internal error\\n\\n"}) {
    check(usual(), 500, errors(text), Row::kLeadershipLost, Verdict::kAmbiguous);
  }
  check(usual(), 500, errors("failed to persist: 1 error: leadership lost while committing log"), Row::kLeadershipLost,
        Verdict::kAmbiguous);
}

TEST_CASE("A plugin may speak of an internal error of its own", "[vault]") {
  for (const std::string text :
       {"1 error occurred:\\n\\t* internal error in the plugin\\n\\n", "internal error: x", "pq: internal error"}) {
    check(usual(), 500, errors(text), Row::kNodeError, Verdict::kPassOn);
  }
}

TEST_CASE("Any other 5xx proves nothing and is passed on with its own words", "[vault]") {
  check(usual(), 500, errors("error creating database object"), Row::kNodeError, Verdict::kPassOn);
  check(usual(), 502, errors("upstream"), Row::kNodeError, Verdict::kPassOn);
  check(usual(), 501, {}, Row::kNodeError, Verdict::kPassOn);
  check(usual(), 504, {}, Row::kNodeError, Verdict::kPassOn);
}

TEST_CASE("Texts are compared exactly, in exactly Vault's object", "[vault]") {
  for (const std::string& body :
       {std::string(), std::string("Vault is sealed"), std::string("{\"errors\":[]}"),
        std::string("{\"errors\":\"Vault is sealed\"}"), std::string("[\"Vault is sealed\"]"),
        std::string("{\"errors\":[\"Vault is sealed\"],\"data\":{}}"), std::string("{\"errors\":[\"Vault is sealed\"]"),
        std::string("{\"errors\":[\"vault is sealed\"]}"), std::string("{\"errors\":[\"Vault is sealed\",1]}"),
        std::string("{\"Errors\":[\"Vault is sealed\"]}"), std::string("<html>Vault is sealed</html>"),
        errors("no active Vault instance found."), errors(" no active Vault instance found"),
        errors("No active Vault instance found"), errors(kNotActiveText)}) {
    check(usual(), 503, body, Row::kNodeError, Verdict::kPassOn);
  }
  check(usual(), 500, errors(kNotActiveText + "."), Row::kNodeError, Verdict::kPassOn);
  check(usual(), 500, errors("no active Vault instance found"), Row::kNodeError, Verdict::kPassOn);
  check(usual(), 404, errors(kNotActiveText), Row::kAnswered, Verdict::kPassOn);
}

TEST_CASE("Success is passed on whatever its body says", "[vault]") {
  for (const int status : {101, 200, 204, 206}) {
    check(usual(), status, errors("Vault is sealed"), Row::kAnswered, Verdict::kPassOn);
  }
}

TEST_CASE("Only 500 and 503 are judged by their bodies", "[vault]") {
  for (int status = 200; status < 1000; ++status) {
    const bool with_text = judge(usual(), Answer{status, kOther, errors("Vault is sealed")}) !=
                           judge(usual(), Answer{status, kOther, errors("x")});
    CAPTURE(status);
    CHECK((!with_text || needs_body(status)));
  }
  CHECK(needs_body(500));
  CHECK(needs_body(503));
  CHECK_FALSE(needs_body(429));
}

TEST_CASE("Random bytes as a body never prove anything", "[vault]") {
  Prng prng(42);
  for (int round = 0; round < 2'000; ++round) {
    std::string body = prng.chance(0.5) ? errors("Vault is sealed") : errors(kNotActiveText);
    for (std::uint64_t count = 1 + prng.below(3); count > 0; --count) {
      body[prng.below(body.size())] = static_cast<char>(prng.below(256));
    }
    if (body.find("\"Vault is sealed\"") != std::string::npos || body.find(kNotActiveText) != std::string::npos)
      continue;
    const int status = prng.chance(0.5) ? 500 : 503;
    CAPTURE(body);
    CHECK(verdict_of(judge(usual(), Answer{status, {}, body})) != Verdict::kProof);
  }
}

TEST_CASE("Every row has a word of its own", "[vault]") {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kRowCount; ++i) words.insert(to_text(static_cast<Row>(i)));
  CHECK(words.size() == kRowCount);
  CHECK(words.count("unknown") == 0);
}

TEST_CASE("Exactly the ambiguous rows are explained to the client", "[vault]") {
  for (std::size_t i = 0; i < kRowCount; ++i) {
    const Row row = static_cast<Row>(i);
    CHECK(explanation_of(row).empty() == (verdict_of(row) != Verdict::kAmbiguous));
  }
}

TEST_CASE("Rows that speak of leadership are hints for the prober, others are not", "[vault]") {
  for (const Row row : {Row::kRedirected, Row::kRedirectedToItself}) {
    CHECK(hint_of(row) == cluster::HintKind::kRedirected);
  }
  for (const Row row :
       {Row::kNotActive, Row::kNoActiveFound, Row::kMaybeForwarded, Row::kUnknownMount, Row::kMaybeActed}) {
    CHECK(hint_of(row) == cluster::HintKind::kNotActive);
  }
  for (const Row row : {Row::kSealed, Row::kSealedMidway}) CHECK(hint_of(row) == cluster::HintKind::kSealed);
  CHECK_FALSE(hint_of(Row::kAnswered));
  CHECK_FALSE(hint_of(Row::kOtherRedirect));
  CHECK_FALSE(hint_of(Row::kNodeError));
}

TEST_CASE("A node's words are quoted short and printable", "[vault]") {
  CHECK(first_error(errors("context canceled")) == "context canceled");
  CHECK(first_error(errors("a\\nb\xc3\xa9")) == "a?b??");
  CHECK(first_error(errors(std::string(500, 'x'))).size() == 200);
  CHECK(first_error("{\"errors\":[]}").empty());
  CHECK(first_error("no json").empty());
}
