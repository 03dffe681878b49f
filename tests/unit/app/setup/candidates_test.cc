#include "app/setup/candidates.h"

#include <catch.hpp>
#include <string>
#include <vector>

namespace bellwether::app::setup {
namespace {

std::vector<std::string> urls(const std::vector<Candidate>& candidates) {
  std::vector<std::string> all;
  for (const Candidate& each : candidates) all.push_back(each.url);
  return all;
}

Candidates of(const std::vector<KnownNode>& known) {
  std::set<std::string> asked;
  return candidates_of(known, asked);
}

using Urls = std::vector<std::string>;

}  // namespace

TEST_CASE("the leader that a node states is asked, by its own scheme and port", "[setup]") {
  const Candidates found = of({{"http://10.0.0.1:8200", "https://Lead.example.com:8300/", {}}});
  CHECK(urls(found.to_ask) == Urls{"https://lead.example.com:8300"});
  CHECK_FALSE(found.to_ask[0].is_guess);
  CHECK(found.aside.empty());
}

TEST_CASE("names of a certificate that are like a node's are asked, others are for people to decide", "[setup]") {
  const Candidates found = of({{"https://vault-2.example.com:8200",
                                "",
                                {"vault-02.example.com", "vault-3.example.com", "vault.example.com", "*.example.com",
                                 "localhost", "10.1.2.3", "VAULT-2.example.com", "vault-3.example.org"}}});
  CHECK(urls(found.to_ask) == Urls{"https://vault-02.example.com:8200", "https://vault-3.example.com:8200",
                                   "https://vault-0.example.com:8200", "https://vault-1.example.com:8200",
                                   "https://vault-4.example.com:8200"});
  CHECK(urls(found.aside) == Urls{"https://vault.example.com:8200", "https://vault-3.example.org:8200"});
  CHECK(found.to_ask[1].why == "the certificate of https://vault-2.example.com:8200 names it");
  CHECK_FALSE(found.to_ask[1].is_guess);
  CHECK(found.to_ask[2].is_guess);
}

TEST_CASE("numbers go up to two above the greatest that is known, and keep their digits", "[setup]") {
  CHECK(urls(of({{"http://bao09:8200", "", {}}, {"http://bao11:8200", "", {}}}).to_ask) ==
        Urls{"http://bao00:8200", "http://bao01:8200", "http://bao02:8200", "http://bao03:8200", "http://bao04:8200",
             "http://bao05:8200", "http://bao06:8200", "http://bao07:8200", "http://bao08:8200", "http://bao10:8200",
             "http://bao12:8200", "http://bao13:8200"});
  CHECK(urls(of({{"http://n1.eu2:8200", "", {}}}).to_ask) ==
        Urls{"http://n0.eu2:8200", "http://n2.eu2:8200", "http://n3.eu2:8200"});
}

TEST_CASE("no numbers are tried where there is none, for addresses, and for great ones", "[setup]") {
  for (const char* url : {"http://vault:8200", "http://10.0.0.1:8200", "http://[fd00::1]:8200",
                          "http://vault-2026.example.com:8200", "http://ip10000001:8200", "not a url", ""}) {
    CAPTURE(url);
    CHECK(of({{url, "", {}}}).to_ask.empty());
  }
}

TEST_CASE("nobody is asked twice, however a URL is written", "[setup]") {
  std::set<std::string> asked;
  const KnownNode first{
      "https://v1.example.com:8200", "https://V2.example.com:8200/", {"v2.example.com", "x.example.com"}};
  const Candidates found = candidates_of({first}, asked);
  CHECK(urls(found.to_ask) ==
        Urls{"https://v2.example.com:8200", "https://v0.example.com:8200", "https://v3.example.com:8200"});
  CHECK(found.aside.size() == 1);
  const Candidates again = candidates_of({first, {"https://v2.example.com:8200", "", {"x.example.com"}}}, asked);
  CHECK(urls(again.to_ask) == Urls{"https://v4.example.com:8200"});
  CHECK(again.aside.empty());
}

TEST_CASE("a lying node cannot make many be asked", "[setup]") {
  KnownNode liar{"https://v1.example.com:8200", "", {}};
  for (int i = 0; i < 1000; ++i) liar.certificate_names.push_back("v" + std::to_string(i) + ".example.com");
  CHECK(of({liar}).to_ask.size() == kMaxToAsk);
}

}  // namespace bellwether::app::setup
