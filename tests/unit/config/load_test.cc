#include "bellwether/config/load.h"

#include "bellwether/config/options.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::config;

namespace {

using Lines = std::vector<std::string>;
const Lines kNoLines;

Loaded load_text(std::string text) {
  Sources sources;
  sources.file = File{"f", std::move(text)};
  return load(sources);
}

Lines lines(const std::vector<Problem>& problems) {
  Lines out;
  for (const Problem& each : problems) out.push_back(each.to_string());
  return out;
}

Lines problems_of(std::string text) { return lines(load_text(std::move(text)).problems); }

// A file that is fine but for `entry`, which starts at 1:2.
Lines problems_with(const std::string& entry) {
  return problems_of("{" + entry + ", \"nodes\": [\"https://n1:8200\"]}");
}

Loaded load_environment(std::map<std::string, std::string> environment, std::string text = "") {
  Sources sources;
  if (!text.empty()) sources.file = File{"f", std::move(text)};
  sources.environment = std::move(environment);
  return load(sources);
}

constexpr const char* kSmallest = R"({"nodes": ["https://n1:8200"]})";

}  // namespace

TEST_CASE("the smallest file is enough, and everything else has its default", "[config]") {
  const Loaded loaded = load_text(R"({ "listen": "127.0.0.1:8200",
    "nodes": ["https://vault1.example.com:8200", "http://[::1]:8300", "https://vault3.example.com"] })");
  REQUIRE(lines(loaded.problems) == kNoLines);
  REQUIRE(loaded.config.listen.size() == 1);
  CHECK(loaded.config.listen[0].mode == Mode::kTcp);
  REQUIRE(loaded.config.nodes.size() == 3);
  const Node& first = loaded.config.nodes[0];
  CHECK(first.name == "vault1.example.com:8200");
  CHECK(first.server_name == "vault1.example.com");
  CHECK(first.public_address == "https://vault1.example.com:8200");
  CHECK(first.tls);
  const Node& second = loaded.config.nodes[1];
  CHECK(second.host == "::1");
  CHECK(second.port == 8300);
  CHECK(second.name == "[::1]:8300");
  CHECK_FALSE(second.tls);
  CHECK(loaded.config.nodes[2].public_address == "https://vault3.example.com:8200");
  CHECK(loaded.config.inter == 1s);
  CHECK(lines(loaded.hints) == Lines{"f:2:71: nodes: \"https://vault3.example.com\" has no port; 8200 is used"});
}

TEST_CASE("comments, a $schema key and every form of listener are understood", "[config]") {
  const Loaded loaded = load_text(R"(// says who
{ "$schema": "./bellwether.schema.json", /* : , " { */ "mode": "redirect",
  "listen": [":8200", {"address": "unix:/run/b.sock", "mode": "tcp", "accept_proxy": true}, "[::1]:0"],
  "forwarded_for_trusted": ["10.0.0.0/8", "::1"],
  "nodes": [{"url": "https://n1:8200/", "name": "a", "server_name": "vault", "public_address": "https://pub"}], // last
  "threads": "auto", "inter": 500, "fall":2/* two */})");
  REQUIRE(lines(loaded.problems) == kNoLines);
  const Config& config = loaded.config;
  REQUIRE(config.listen.size() == 3);
  CHECK(config.listen[0].mode == Mode::kRedirect);
  CHECK(config.listen[1].mode == Mode::kTcp);
  CHECK(config.listen[1].accept_proxy);
  CHECK(config.forwarded_for_trusted == std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK(config.listen[2].mode == Mode::kRedirect);
  CHECK(config.nodes[0].name == "a");
  CHECK(config.nodes[0].server_name == "vault");
  CHECK(config.nodes[0].public_address == "https://pub:8200");
  CHECK(config.threads == 0);
  CHECK(config.inter == 500ms);
  CHECK(config.fall == 2);
}

TEST_CASE("an unknown key is named with its place and the nearest option", "[config]") {
  CHECK(problems_with("\"intre\": 1") == Lines{"f:1:2: unknown option \"intre\"; did you mean \"inter\"?"});
  CHECK(problems_with("\n\n   \"zzzzzzzz\": 1") == Lines{"f:3:4: unknown option \"zzzzzzzz\""});
}

TEST_CASE("each item of a list is checked, and named with its place", "[config]") {
  const std::string takes = "must be a list of IP addresses and ranges such as \"10.0.0.0/8\", not ";
  CHECK(problems_with("\"forwarded_for_trusted\": [\"10.0.0.0/8\",\n \"10.0.0.1/8\", 7]") ==
        Lines{"f:2:2: forwarded_for_trusted: \"10.0.0.1/8\" does not begin a range of that size; it has bits set "
              "behind its /",
              "f:2:16: forwarded_for_trusted: " + takes + "7"});
  CHECK(problems_with("\"forwarded_for_trusted\": true").at(0) == "f:1:27: forwarded_for_trusted: " + takes + "true");
  const Loaded one = load_text(R"({"nodes": ["https://n1:8200"], "forwarded_for_trusted": "::1"})");
  CHECK(one.config.forwarded_for_trusted == std::vector<std::string>{"::1"});
}

TEST_CASE("fresh is each http listener's own, or the default", "[config]") {
  const auto load_with = [](const std::string& options) {
    return load_text(
        "{\"nodes\": [\"https://n1:8200\"], \"listen\": [{\"address\": \":1\", \"mode\": \"http\"}, "
        "{\"address\": \":2\", \"mode\": \"http\", \"fresh\": true}, {\"address\": \":3\", \"mode\": \"tcp\"}]" +
        options + "}");
  };
  const Config own = load_with("").config;
  CHECK_FALSE(own.listen[0].fresh);
  CHECK(own.listen[1].fresh);
  const Config all = load_with(", \"fresh\": true").config;
  CHECK(all.listen[0].fresh);
  CHECK_FALSE(all.listen[2].fresh);
  const Loaded misplaced = load_text(R"({"nodes": ["https://n1:8200"], "listen": {"address": ":1", "fresh": true}})");
  CHECK(lines(misplaced.hints) == Lines{"f:1:69: fresh: is not used; only http listeners see answers"});
}

TEST_CASE("numbers are never bent into what fits", "[config]") {
  const std::string takes = "must be a whole number from 1 to 100, not ";
  CHECK(problems_with(R"("fall": 70000)") == Lines{"f:1:10: fall: " + takes + "70000"});
  CHECK(problems_with(R"("fall": 4294967297)") == Lines{"f:1:10: fall: " + takes + "4294967297"});
  CHECK(problems_with(R"("fall": -5)") == Lines{"f:1:10: fall: " + takes + "-5"});
  CHECK(problems_with(R"("fall": 2.9)") == Lines{"f:1:10: fall: " + takes + "2.9"});
  CHECK(problems_with(R"("fall": true)") == Lines{"f:1:10: fall: " + takes + "true"});
  CHECK(problems_with(R"("fall": "3")") == Lines{"f:1:10: fall: " + takes + "\"3\""});
  CHECK(problems_with(R"("threads": 0)") ==
        Lines{"f:1:13: threads: must be a whole number from 1 to 256, or \"auto\", not 0"});
}

TEST_CASE("durations have a unit or are milliseconds, and stay within their range", "[config]") {
  CHECK(load_text(R"({"nodes": ["https://n1:8200"], "inter": "1.5s"})").config.inter == 1500ms);
  CHECK(problems_with(R"("inter": "1ms")") == Lines{"f:1:11: inter: must be a duration from 10ms to 1h, not \"1ms\""});
  CHECK(problems_with(R"("inter": 1.5)") == Lines{"f:1:11: inter: must be a duration from 10ms to 1h, not 1.5"});
  CHECK_THAT(problems_with(R"("inter": "fast")").at(0), CATCH_CONTAINS("f:1:11: inter: \"fast\" is not a duration"));
}

TEST_CASE("a word out of a list is answered with the list and the nearest word", "[config]") {
  CHECK(problems_with(R"("log_level": "inf")") == Lines{"f:1:15: log_level: must be \"debug\", \"info\", \"warn\" or "
                                                        "\"error\", not \"inf\"; did you mean \"info\"?"});
}

TEST_CASE("a key that is there twice is an error at its second place", "[config]") {
  CHECK(problems_with("\"fall\": 3,\n \"fall\": 4") == Lines{"f:2:2: \"fall\" is here twice; the first is in line 1"});
}

TEST_CASE("all problems are told at once, in the order of the file", "[config]") {
  CHECK(problems_of("{\"fall\": 0,\n\"nodes\": [\"n1\"],\n\"listn\": 1}").size() == 3);
}

TEST_CASE("syntax errors say what to do, where the trouble starts", "[config]") {
  CHECK(problems_of("") ==
        Lines{"f:1:1: the file is empty; the smallest one names the nodes: {\"nodes\": [\"https://...\"]}"});
  CHECK_THAT(problems_of(" // nothing but a comment\n").at(0), CATCH_CONTAINS("f:2:1: the file ends in the middle"));
  CHECK(problems_of("\xEF\xBB\xBF{}") ==
        Lines{"f:1:1: the file starts with a byte order mark; save it as UTF-8 without BOM"});
  CHECK(problems_of("{\"fall\": 3,\n}") == Lines{"f:2:1: a comma before \"}\"; JSON allows none after the last entry"});
  CHECK(problems_of("{\"nodes\": [1,]}") ==
        Lines{"f:1:14: a comma before \"]\"; JSON allows none after the last entry"});
  CHECK(problems_of("{\"fall\": 3\n \"rise\": 2}") == Lines{"f:2:2: a comma is missing before this"});
  CHECK(problems_of("{\"fall\": 3") == Lines{"f:1:11: the file ends in the middle; is a bracket or brace missing?"});
  CHECK(problems_of("{'fall': 3}") == Lines{"f:1:2: strings are written with double quotes (\")"});
  CHECK(problems_of("{\"admin\": \"off\n}") == Lines{"f:1:11: the string has no closing quote"});
  CHECK(problems_of("[]") == Lines{"f:1:1: a configuration is an object in braces, not an array"});
  CHECK(problems_of("{} {}").size() == 1);
  CHECK(problems_of("{\"fall\":,3}") == Lines{"f:1:9: a comma without a value before it"});
  CHECK_THAT(problems_of("{\"fall\": nope}").at(0), CATCH_CONTAINS("f:1:10: not valid JSON"));
  CHECK_THAT(problems_of("{\"fall\": 1} /* open").at(0), CATCH_CONTAINS("f:1:"));
  CHECK_THAT(problems_of(std::string(100, '[')).at(0), CATCH_CONTAINS("nested deeper than 32 levels"));
}

TEST_CASE("any cut of a file gives problems, never a crash", "[config]") {
  const std::string text =
      R"({"listen": [{"address": ":1", "mode": "tcp"}], /* c */ "nodes": ["https://n1:8200", {"url": "http://\u00e9\n"}]})";
  for (std::size_t length = 0; length < text.size(); ++length) CHECK_FALSE(problems_of(text.substr(0, length)).empty());
}

TEST_CASE("a file that is not UTF-8 is refused", "[config]") {
  CHECK(problems_with("\"ca_file\": \"\xff\"").size() == 1);
}

TEST_CASE("missing nodes are explained, and VAULT_ADDR is not taken for one", "[config]") {
  CHECK_THAT(problems_of("{}").at(0), CATCH_CONTAINS("f:1:1: no nodes: name the servers"));
  const Loaded loaded = load_environment({{"VAULT_ADDR", "https://127.0.0.1:8200"}});
  CHECK(loaded.config.nodes.empty());
  CHECK_THAT(lines(loaded.problems).at(0),
             CATCH_CONTAINS("command line: no nodes") && CATCH_CONTAINS("VAULT_ADDR is how clients find us"));
}

TEST_CASE("a service is known by its name, and its certificates are for its domain", "[config]") {
  const Loaded loaded = load_text(R"({"nodes": ["srv+https://_Vault._tcp.example.com"]})");
  CHECK(loaded.problems.empty());
  CHECK(loaded.hints.empty());
  REQUIRE(loaded.config.nodes.size() == 1);
  const config::Node& node = loaded.config.nodes[0];
  CHECK(node.is_service);
  CHECK(node.host == "_vault._tcp.example.com");
  CHECK(node.name == node.host);
  CHECK(node.port == 0);
  CHECK(node.server_name == "example.com");
  CHECK(problems_of(R"({"nodes": ["srv+https://_vault._tcp.example.com"], "dns_refresh": "0s"})") ==
        Lines{"f:1:12: nodes: srv+https://_vault._tcp.example.com: its records are asked for again, so dns_refresh "
              "cannot be 0s"});
}

TEST_CASE("a node that is one of our own listeners is refused", "[config]") {
  for (const auto* listen : {"127.0.0.1:8200", ":8200", "0.0.0.0:8200"}) {
    for (const auto* node : {"https://127.0.0.1:8200", "https://localhost:8200"}) {
      INFO(listen << ' ' << node);
      const Lines found = problems_of(std::string(R"({"listen": ")") + listen + R"(", "nodes": [")" + node + "\"]}");
      REQUIRE(found.size() == 1);
      CHECK_THAT(found[0], CATCH_CONTAINS("is our own listen address"));
    }
  }
  CHECK(problems_of(R"({"listen": "127.0.0.1:8200", "nodes": ["https://127.0.0.2:8200", "https://127.0.0.1:8201"]})")
            .empty());
}

TEST_CASE("IPv6 addresses are checked by their grammar", "[config]") {
  for (const auto* good : {"[::]:1", "[::1]:1", "[fe80::1:2]:1", "[1:2:3:4:5:6:7:8]:1", "[::ffff:1.2.3.4]:1"}) {
    INFO(good);
    CHECK(problems_with(std::string("\"listen\": \"") + good + "\"").empty());
  }
  for (const auto* bad : {"[1:2:3]:1", "[1::2::3]:1", "[12345::]:1", "[1:2:3:4:5:6:7:8:9]:1", "[:::]:1", "[::1:1",
                          "[1.2.3.4]:1", "1.2.3:1", "1.2.3.256:1", "01.2.3.4:1"}) {
    INFO(bad);
    CHECK(problems_with(std::string("\"listen\": \"") + bad + "\"").size() == 1);
  }
}

TEST_CASE("flags beat the environment, which beats the file, which beats Vault's own variables", "[config]") {
  Sources sources;
  sources.environment = {{"VAULT_CACERT", "vault"},
                         {"VAULT_CLIENT_CERT", "vault"},
                         {"BAO_CLIENT_CERT", "bao"},
                         {"VAULT_TLS_SERVER_NAME", "vault"},
                         {"VAULT_SKIP_VERIFY", "1"},
                         {"BELLWETHER_FALL", "5"},
                         {"BELLWETHER_RISE", "6"},
                         {"BELLWETHER_NODES", "https://a:1, https://b:2"},
                         {"BELLWETHER_LISTEN", "127.0.0.1:1,unix:/s"},
                         {"BELLWETHER_SOURCE", ""}};
  sources.file = File{"f", R"({"server_name": "file", "fall": 4, "nodes": ["https://c:3"], "rise": 4, "inter": "3s"})"};
  sources.flags = {{"rise", "7"}, {"verify", "true"}};
  const Loaded loaded = load(sources);
  REQUIRE(lines(loaded.problems) == kNoLines);
  const Config& config = loaded.config;
  CHECK(config.ca_file == "vault");
  CHECK(config.client_cert == "bao");
  CHECK(config.server_name == "file");
  CHECK(config.verify);
  CHECK(config.fall == 5);
  CHECK(config.rise == 7);
  CHECK(config.inter == 3s);
  REQUIRE(config.nodes.size() == 2);
  CHECK(config.nodes[1].host == "b");
  CHECK(config.nodes[1].server_name == "file");
  REQUIRE(config.listen.size() == 2);
  CHECK(config.listen[1].address == "unix:/s");
}

TEST_CASE("problems of variables and flags name them", "[config]") {
  const std::string file = kSmallest;
  CHECK(lines(load_environment({{"BELLWETHER_FALL", "x"}}, file).problems) ==
        Lines{"environment: BELLWETHER_FALL: must be a whole number from 1 to 100, not x"});
  CHECK(lines(load_environment({{"VAULT_SKIP_VERIFY", "maybe"}}, file).problems) ==
        Lines{"environment: VAULT_SKIP_VERIFY: must be true or false, not \"maybe\""});
  CHECK(lines(load_environment({{"BELLWETHER_INTRE", "1s"}}, file).hints) ==
        Lines{"environment: BELLWETHER_INTRE is not used; did you mean BELLWETHER_INTER?"});
  Sources sources;
  sources.flags = {{"nodes", "https://a:1,ftp://b"}, {"hold_max", "many"}};
  CHECK(lines(load(sources).problems) ==
        Lines{"command line: nodes: \"ftp://b\" has neither http:// nor https://",
              "command line: --hold-max: must be a whole number from 0 to 1000000, not many"});
}

TEST_CASE("an unverified certificate and TLS options without TLS are pointed out", "[config]") {
  CHECK_THAT(lines(load_text(R"({"nodes": ["https://n:1"], "verify": false})").hints).at(0),
             CATCH_CONTAINS("f:1:38: verify: node certificates are not verified"));
  CHECK_THAT(lines(load_text(R"({"nodes": ["http://n:1"], "ca_file": "/ca"})").hints).at(0),
             CATCH_CONTAINS("f:1:38: ca_file: is not used"));
  CHECK_THAT(lines(load_text(R"({"nodes": ["https://n:1"], "tls_cert": "/c"})").hints).at(0),
             CATCH_CONTAINS("f:1:40: tls_cert: is not used"));
}

TEST_CASE("a listener takes the common mode unless it names its own", "[config]") {
  const Loaded loaded = load_text(
      R"({"mode": "http", "listen": [":1", {"address": ":2", "mode": "tcp"}], "nodes": ["https://n1:8201"]})");
  REQUIRE(loaded.config.listen.size() == 2);
  CHECK(loaded.config.listen[0].mode == Mode::kHttp);
  CHECK(loaded.config.listen[1].mode == Mode::kTcp);
}

TEST_CASE("every option can be set from text to its own default", "[config]") {
  for (const Option& option : options()) {
    INFO(option.key);
    CHECK_FALSE(option.doc.empty());
    CHECK(option.doc.find_first_of("|\n") == std::string_view::npos);
    if (std::holds_alternative<NodesField>(option.field)) continue;
    if (std::holds_alternative<ClustersField>(option.field)) continue;  // an empty list is an error: clusters_test.cc
    const Loaded loaded = load_text(std::string(R"({"nodes": ["https://n1:8201"], ")") + std::string(option.key) +
                                    "\": " + default_text(option) + "}");
    CHECK(lines(loaded.problems) == kNoLines);
    CHECK(value_text(option, loaded.config) == default_text(option));
  }
}
