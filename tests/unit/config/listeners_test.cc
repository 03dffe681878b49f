#include <string>
#include <vector>

#include "bellwether/config/difference.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "catch.hpp"

// What a listener says itself, and what it has in common with the others.

using namespace bellwether;
using namespace bellwether::config;

namespace {

using Lines = std::vector<std::string>;

// `listen` is on a line of its own.
Loaded load_with(const std::string& listen, const std::string& common = "") {
  Sources sources;
  sources.file =
      File{"f", "{\"nodes\": [\"https://n1:8200\"],\n\"listen\": " + listen + ",\n\"watch\": false" + common + "}"};
  return load(sources);
}

Lines lines(const std::vector<Problem>& problems) {
  Lines found;
  for (const Problem& each : problems) found.push_back(each.to_string());
  return found;
}

// Of one listener with these words in its object.
Lines problems_with(const std::string& words, const std::string& common = "") {
  return lines(load_with("{\"address\": \":1\", " + words + "}", common).problems);
}

}  // namespace

TEST_CASE("a listener's own options go before the common ones, and the others are the common ones",
          "[config][listen]") {
  const Loaded loaded = load_with(
      R"([{"address": ":1", "mode": "http", "tls_cert": "own.pem", "timeout_idle": "5s", "accept_proxy_from": []},
         {"address": ":2", "mode": "http", "tls_cert": ""}, ":3"])",
      R"(, "tls_cert": "all.pem", "tls_key": "all.key", "tls_client_ca": "ca.pem", "timeout_idle": "7s",
         "timeout_header": "3s", "mode": "redirect", "accept_proxy_from": "10.0.0.0/8")");
  REQUIRE(lines(loaded.problems).empty());
  const std::vector<Listen>& listen = loaded.config.listen;
  REQUIRE(listen.size() == 3);
  CHECK(listen[0].tls_cert == std::vector<Certificate>{{"own.pem", ""}});
  CHECK(listen[0].tls_key.empty());
  CHECK(listen[0].tls_client_ca == "ca.pem");
  CHECK(listen[0].timeout_idle == 5s);
  CHECK(listen[0].timeout_header == 3s);
  CHECK(listen[0].accept_proxy_from.empty());
  CHECK(listen[0].speaks_tls());
  CHECK_FALSE(listen[1].speaks_tls());
  CHECK(listen[1].timeout_idle == 7s);
  CHECK(listen[2].mode == Mode::kRedirect);
  CHECK(listen[2].tls_cert == std::vector<Certificate>{{"all.pem", ""}});
  CHECK(listen[2].tls_key == "all.key");
  CHECK(listen[2].own.empty());
}

TEST_CASE("certificates are a file, or a list of files and objects", "[config][listen]") {
  const Loaded loaded = load_with(
      R"([{"address": ":1", "mode": "http", "tls_cert": ["a.pem", {"cert": "b.pem", "key": "b.key"}]},
         {"address": ":2", "mode": "http", "tls_cert": {"cert": "c.pem"}}])",
      R"(, "tls_cert": ["d.pem", "e.pem"])");
  REQUIRE(lines(loaded.problems).empty());
  CHECK(loaded.config.listen[0].tls_cert == std::vector<Certificate>{{"a.pem", ""}, {"b.pem", "b.key"}});
  CHECK(loaded.config.listen[1].tls_cert == std::vector<Certificate>{{"c.pem", ""}});
  CHECK(value_text(*find_option("tls_cert"), loaded.config) == R"(["d.pem", "e.pem"])");
  CHECK(problems_with(R"("mode": "http", "tls_cert": ["a.pem", "a.pem"])") ==
        Lines{"f:2:67: tls_cert: \"a.pem\" is here twice"});
  CHECK(problems_with(R"("mode": "http", "tls_cert": {"key": "k"})") == Lines{"f:2:57: tls_cert: \"cert\" is missing"});
  CHECK(problems_with(R"("mode": "http", "tls_cert": 7)") ==
        Lines{"f:2:57: tls_cert: must be a file name, or a list of file names and objects with cert and key, not 7"});
}

TEST_CASE("what a listener may not have, and what it has misspelt, are told apart", "[config][listen]") {
  CHECK(problems_with("\"grace\": \"2s\"") ==
        Lines{"f:2:29: listen: \"grace\" is the same for all listeners: write it beside \"listen\", not into it"});
  CHECK(problems_with("\"timeout_idel\": \"2s\"") ==
        Lines{"f:2:29: unknown key of a listener \"timeout_idel\"; did you mean \"timeout_idle\"?"});
  CHECK(problems_with("\"timeout_idle\": \"2\"").at(0).find("timeout_idle: ") != std::string::npos);
}

TEST_CASE("TLS of a listener that cannot have it is refused", "[config][listen]") {
  CHECK(problems_with(R"("mode": "tcp", "tls_cert": "a.pem")").at(0) ==
        "f:2:56: tls_cert: a tcp listener passes its clients' TLS through to the node; mode http and redirect have it");
  CHECK(lines(load_with(R"({"address": "unix:/s", "mode": "http", "tls_cert": "a.pem"})").problems).at(0) ==
        "f:2:62: tls_cert: clients of a unix socket speak plain HTTP");
  CHECK(problems_with(R"("mode": "http", "tls_client_ca": "ca.pem")").at(0) ==
        "f:2:62: tls_client_ca: this listener has no tls_cert, so its clients speak plain HTTP");
  CHECK(problems_with(R"("mode": "http", "tls_key": "a.key")", R"(, "tls_cert": "a.pem")").at(0) ==
        "f:2:56: tls_key: this listener has no tls_cert of its own that it belongs to");
  CHECK(problems_with(R"("mode": "http", "tls_cert": ["a.pem", "b.pem"], "tls_key": "a.key")")
            .at(0)
            .find("name each key beside its own") != std::string::npos);
  CHECK(problems_with(R"("mode": "http", "tls_cert": "a.pem", "tls_client_auth": "required")").at(0) ==
        "f:2:85: tls_client_auth: there is no tls_client_ca to verify client certificates with");
  // A listener cannot take away the CA alone where certificates are required of all.
  CHECK(problems_with(R"("mode": "http", "tls_client_ca": "")",
                      R"(, "tls_cert": "a.pem", "tls_client_ca": "ca.pem", "tls_client_auth": "required")") ==
        Lines{"f:2:62: tls_client_auth: there is no tls_client_ca to verify client certificates with"});
  CHECK(problems_with(R"("mode": "http", "tls_client_auth": "off")",
                      R"(, "tls_cert": "a.pem", "tls_client_ca": "ca.pem", "tls_client_auth": "required")")
            .empty());
  CHECK(problems_with(R"("mode": "http", "tls_cert": "", "timeout_idle": "2s")", R"(, "tls_cert": "a.pem")").empty());
  CHECK(problems_with(R"("mode": "http", "tls_cert": "a.pem")", R"(, "tls_client_ca": "ca.pem")").empty());
}

TEST_CASE("a listener's header of certificates needs somebody who verifies them there", "[config][listen]") {
  const std::string header = R"("mode": "http", "client_cert_header": "X-Cert-Of-Client")";
  CHECK(problems_with(header).at(0).find("there is no tls_client_ca") != std::string::npos);
  CHECK(problems_with(header + R"(, "tls_cert": "a.pem", "tls_client_ca": "ca.pem")").empty());
  CHECK(problems_with(header, R"(, "forwarded_for_trusted": "10.0.0.1")").empty());
}

TEST_CASE("what a listener's mode does not know is a hint", "[config][listen]") {
  const Loaded loaded =
      load_with(R"({"address": ":1", "mode": "tcp", "hold_timeout_http": "2s", "drain_quiet": "20s"})");
  CHECK(lines(loaded.hints) ==
        Lines{"f:2:65: hold_timeout_http: is not used; in a tcp listener hold_timeout_tcp counts"});
  CHECK(lines(loaded.problems) == Lines{"f:2:86: drain_quiet: 20s is longer than drain_deadline (10s)"});
}

TEST_CASE("a difference of a listener names what it says itself", "[config][listen][reload]") {
  const Config before = load_with(R"({"address": ":1", "mode": "http"})").config;
  const Config after =
      load_with(R"({"address": ":1", "mode": "http", "tls_cert": ["a.pem", "b.pem"], "timeout_idle": "2s"})").config;
  CHECK(differences(before, after).reloadable ==
        Lines{R"(listen ":1" ("http") -> ":1" ("http", timeout_idle "2s", tls_cert ["a.pem", "b.pem"]))"});
  Config taken = before;
  take_over_reloadable(after, taken);
  CHECK(taken.listen == after.listen);
  CHECK(differences(taken, after).reloadable.empty());
}

TEST_CASE("each option that a listener may have is taken by the row of all", "[config][listen]") {
  for (const Option& option : options()) {
    if (option.scope != Scope::kListener || option.key == "mode") continue;
    INFO(option.key);
    const Loaded loaded =
        load_with(std::string(R"({"address": ":1", "mode": "http", ")") + std::string(option.key) + "\": []}");
    const bool takes_list =
        std::holds_alternative<ListField>(option.field) || std::holds_alternative<CertificatesField>(option.field);
    CHECK(loaded.problems.empty() == takes_list);
  }
  CHECK(listener_keys().front() == "address");
}
