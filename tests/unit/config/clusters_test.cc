#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "bellwether/config/difference.h"
#include "bellwether/config/load.h"
#include "bellwether/config/options.h"
#include "catch.hpp"

// Several clusters in one file: what each comes to, and what is wrong with them.

using namespace bellwether;
using namespace bellwether::config;

namespace {

using Lines = std::vector<std::string>;

Loaded load_text(std::string text, std::map<std::string, std::string> environment = {}) {
  Sources sources;
  sources.file = File{"f", std::move(text)};
  sources.environment = std::move(environment);
  return load(sources);
}

Lines lines(const std::vector<Problem>& problems) {
  Lines found;
  for (const Problem& each : problems) found.push_back(each.to_string());
  return found;
}

// East is in line 2 and west in line 3, with `own` words from column 18 on; their listeners are in line 4 and the
// common options in line 5.
struct TwoClusters {
  std::string east = R"("nodes": ["https://e:1"])";
  std::string west = R"("nodes": ["https://w:1"])";
  std::string listen = R"({"address": ":1", "cluster": "east"}, {"address": ":2", "cluster": "west"})";
  std::string common{};

  [[nodiscard]] std::string text() const {
    return "{\"clusters\": [\n{\"name\": \"east\", " + east + "},\n{\"name\": \"west\", " + west +
           "}],\n\"listen\": [" + listen + "]" + (common.empty() ? "" : ",\n" + common) + "}";
  }
  [[nodiscard]] Loaded load() const { return load_text(text()); }
  [[nodiscard]] Lines problems() const { return lines(load().problems); }
  [[nodiscard]] Lines hints() const { return lines(load().hints); }
};

constexpr const char* kHttpListeners =
    R"({"address": ":1", "cluster": "east", "mode": "http"}, {"address": ":2", "cluster": "west", "mode": "http"})";

}  // namespace

TEST_CASE("each cluster has the common options, over them its own, its nodes and its listeners", "[config][clusters]") {
  TwoClusters file;
  file.east = R"("nodes": ["https://e1:1", "https://e2:1"], "inter": "2s", "server_name": "vault.east",
                 "timeout_idle": "5s", "mode": "http", "dns_allow_local": true)";
  file.listen = R"({"address": ":1", "cluster": "west"}, {"address": ":2", "cluster": "east", "timeout_idle": "6s"},
                   {"address": ":3", "cluster": "east"})";
  file.common = R"("inter": "3s", "fall": 4, "server_name": "vault", "timeout_idle": "7s", "log_level": "warn")";
  const Loaded loaded = file.load();
  REQUIRE(lines(loaded.problems).empty());
  const Config& outer = loaded.config;
  CHECK(outer.cluster.empty());
  CHECK(outer.nodes.empty());
  CHECK(outer.inter == 3s);
  REQUIRE(outer.clusters.size() == 2);
  const Config& east = outer.clusters[0];
  CHECK(east.cluster == "east");
  CHECK(east.clusters.empty());
  CHECK(east.inter == 2s);
  CHECK(east.fall == 4);
  CHECK(east.log_level == "warn");
  REQUIRE(east.nodes.size() == 2);
  CHECK(east.nodes[1].host == "e2");
  CHECK(east.nodes[1].server_name == "vault.east");
  CHECK(east.nodes[1].may_be_local);
  REQUIRE(east.listen.size() == 2);
  CHECK(east.listen[0].address == ":2");
  CHECK(east.listen[0].mode == Mode::kHttp);
  CHECK(east.listen[0].timeout_idle == 6s);
  CHECK(east.listen[0].own == std::vector<std::string_view>{"timeout_idle"});
  CHECK(east.listen[1].timeout_idle == 5s);
  CHECK(east.listen[1].own.empty());
  const Config& west = outer.clusters[1];
  CHECK(west.cluster == "west");
  CHECK(west.inter == 3s);
  CHECK(west.nodes[0].server_name == "vault");
  CHECK_FALSE(west.nodes[0].may_be_local);
  REQUIRE(west.listen.size() == 1);
  CHECK(west.listen[0].timeout_idle == 7s);
  CHECK(west.listen[0].mode == Mode::kTcp);
  // All listeners, in the order of the file, as their clusters have them.
  CHECK(outer.listen == std::vector<Listen>{west.listen[0], east.listen[0], east.listen[1]});
}

TEST_CASE("what a cluster says goes before flags and variables, as what a listener says does", "[config][clusters]") {
  TwoClusters file;
  file.east += R"(, "inter": "2s", "fall": 5, "ca_file": "")";
  file.common = R"("inter": "3s", "fall": 6)";
  Sources sources;
  sources.file = File{"f", file.text()};
  sources.environment = {{"BELLWETHER_INTER", "4s"}, {"VAULT_CACERT", "vault.pem"}};
  sources.flags = {{"fall", "7"}};
  const Loaded loaded = load(sources);
  REQUIRE(lines(loaded.problems).empty());
  const Config& east = loaded.config.clusters[0];
  CHECK(east.inter == 2s);
  CHECK(east.fall == 5);
  CHECK(east.ca_file.empty());
  const Config& west = loaded.config.clusters[1];
  CHECK(west.inter == 4s);
  CHECK(west.fall == 7);
  CHECK(west.ca_file == "vault.pem");
}

TEST_CASE("a cluster with a certificate of its own does not take the common key", "[config][clusters]") {
  TwoClusters file;
  file.east += R"(, "tls_cert": "east.pem", "client_cert": "east-client.pem")";
  file.listen = kHttpListeners;
  file.common =
      R"("tls_cert": "all.pem", "tls_key": "all.key", "client_cert": "client.pem", "client_key": "client.key")";
  const Loaded loaded = file.load();
  REQUIRE(lines(loaded.problems).empty());
  CHECK(loaded.config.clusters[0].tls_key.empty());
  CHECK(loaded.config.clusters[0].listen[0].tls_key.empty());
  CHECK(loaded.config.clusters[0].client_key.empty());
  CHECK(loaded.config.clusters[1].listen[0].tls_key == "all.key");
  CHECK(loaded.config.clusters[1].client_key == "client.key");
  file.east = R"("nodes": ["https://e:1"], "tls_key": "east.key", "client_key": "k")";
  CHECK(file.problems() == Lines{"f:2:55: tls_key: this cluster has no tls_cert of its own that it belongs to",
                                 "f:2:81: client_key: this cluster has no client_cert of its own that it belongs to"});
}

TEST_CASE("clusters_of gives the clusters, or the only one", "[config][clusters]") {
  const Config one = load_text(R"({"nodes": ["https://n:1"]})").config;
  REQUIRE(clusters_of(one).size() == 1);
  CHECK(&clusters_of(one)[0] == &one);
  CHECK(one.cluster.empty());
  CHECK(one.listen.at(0).cluster.empty());
  const Config two = TwoClusters{}.load().config;
  REQUIRE(clusters_of(two).size() == 2);
  CHECK(clusters_of(two)[1].cluster == "west");
}

TEST_CASE("the only cluster serves the default listener, and listeners that name none", "[config][clusters]") {
  const std::string clusters = R"("clusters": [{"name": "east", "nodes": ["https://e:1"]}])";
  const Loaded unlistened = load_text("{" + clusters + "}");
  REQUIRE(lines(unlistened.problems).empty());
  REQUIRE(unlistened.config.clusters.at(0).listen.size() == 1);
  CHECK(unlistened.config.clusters[0].listen[0].address == "127.0.0.1:8200");
  CHECK(unlistened.config.listen == unlistened.config.clusters[0].listen);
  const Loaded listening = load_text("{" + clusters + R"(, "listen": ":1"})", {{"BELLWETHER_LISTEN", ":2,:3"}});
  REQUIRE(lines(listening.problems).empty());
  REQUIRE(listening.config.clusters[0].listen.size() == 2);
  CHECK(listening.config.clusters[0].listen[1].address == ":3");
  CHECK(listening.config.clusters[0].listen[1].cluster == "east");
}

TEST_CASE("the list of clusters and its objects are checked", "[config][clusters]") {
  const auto problems_with = [](const std::string& clusters) {
    return lines(load_text("{\"clusters\": " + clusters + "}").problems);
  };
  CHECK(problems_with("{}") == Lines{"f:1:14: clusters: must be a list of objects, not an object"});
  CHECK(problems_with("[]") == Lines{"f:1:14: clusters: the list is empty"});
  CHECK(problems_with("[\"https://e:1\"]") ==
        Lines{"f:1:15: clusters: must be an object such as {\"name\": \"east\", \"nodes\": [\"https://...\"]}, not "
              "\"https://e:1\""});
  CHECK(problems_with("[{\n}]") ==
        Lines{"f:1:15: clusters: \"name\" is missing", "f:1:15: clusters: \"nodes\" is missing"});
  CHECK(problems_with("[{\"name\": \"east\"}]") == Lines{"f:1:15: clusters: \"east\" has no nodes"});
  CHECK(problems_with("[{\"name\": \"east\", \"nodes\": []}]") == Lines{"f:1:41: nodes: the list is empty"});
  CHECK(problems_with("[{\"name\": \"\", \"nodes\": [\"https://e:1\"]}]") ==
        Lines{"f:1:24: clusters: \"name\" must be a string that is not empty, not \"\""});
  CHECK(problems_with("[{\"name\": \"e/w\", \"nodes\": [\"https://e:1\"]}]") ==
        Lines{"f:1:24: name: may hold letters, digits and ._-: only, 64 at most"});
  CHECK(problems_with("[{\"name\": \"" + std::string(64, 'a') + "\", \"nodes\": [\"https://e:1\"]}]").empty());
  CHECK(problems_with("[{\"name\": \"" + std::string(65, 'a') + "\", \"nodes\": [\"https://e:1\"]}]").size() == 1);
}

TEST_CASE("two clusters of one name are refused, and more than there may be", "[config][clusters]") {
  CHECK(lines(load_text("{\"clusters\": [{\"name\": \"a\", \"nodes\": [\"https://a:1\"]},\n"
                        "{\"name\": \"a\", \"nodes\": [\"https://b:1\"]}]}")
                  .problems) == Lines{"f:2:10: clusters: two clusters are named \"a\""});
  const auto count = [](std::size_t clusters) {
    std::string named, listen;
    for (std::size_t i = 0; i < clusters; ++i) {
      const std::string number = std::to_string(i + 1);
      const std::string comma = i == 0 ? "" : ",";
      named += fmt::format(R"({}{{"name": "c{}", "nodes": ["https://n:{}"]}})", comma, number, number);
      if (i < kMaxClusters) listen += fmt::format(R"({}{{"address": ":{}", "cluster": "c{}"}})", comma, number, number);
    }
    return lines(load_text("{\"listen\": [" + listen + "], \"clusters\": [" + named + "]}").problems);
  };
  CHECK(count(kMaxClusters).empty());
  const Lines one_more = count(kMaxClusters + 1);
  REQUIRE(one_more.size() == 1);
  CHECK_THAT(one_more[0], CATCH_CONTAINS("clusters: more than 16 clusters"));
}

TEST_CASE("nodes beside clusters are refused from wherever they come", "[config][clusters]") {
  TwoClusters file;
  file.common = R"("nodes": ["https://n:1"])";
  const std::string text = "nodes: each of the \"clusters\" has nodes of its own; name them there";
  CHECK(file.problems() == Lines{"f:5:10: " + text});
  CHECK(file.load().config.nodes.empty());
  const std::string fine = TwoClusters{}.text();
  CHECK(lines(load_text(fine, {{"BELLWETHER_NODES", "https://n:1"}}).problems) == Lines{"environment: " + text});
  Sources sources;
  sources.file = File{"f", fine};
  sources.flags = {{"nodes", "https://n:1"}};
  CHECK(lines(load(sources).problems) == Lines{"command line: " + text});
}

TEST_CASE("a variable cannot name clusters, and is not proposed for it", "[config][clusters]") {
  CHECK(lines(load_text(TwoClusters{}.text(), {{"BELLWETHER_CLUSTERS", "east"}}).problems) ==
        Lines{"environment: BELLWETHER_CLUSTERS: only a file can say it: objects with a name and nodes"});
  const Loaded near = load_text(TwoClusters{}.text(), {{"BELLWETHER_CLUSTERX", "east"}});
  REQUIRE(near.hints.size() == 1);
  CHECK(near.hints[0].message.find("BELLWETHER_CLUSTERS") == std::string::npos);
  CHECK(find_option("clusters")->flag.empty());
  Sources sources;
  sources.file = File{"f", TwoClusters{}.text()};
  sources.flags = {{"clusters", "east"}};
  CHECK(lines(load(sources).problems) ==
        Lines{"command line: clusters: only a file can say it: objects with a name and nodes"});
}

TEST_CASE("a listener names a cluster that there is, and each cluster has a listener", "[config][clusters]") {
  TwoClusters file;
  file.listen = R"({"address": ":1", "cluster": "east"}, {"address": ":2", "cluster": "wets"})";
  CHECK(file.problems() == Lines{"f:3:1: clusters: no listener names \"west\"",
                                 "f:4:79: cluster: there is no cluster \"wets\"; did you mean \"west\"?"});
  file.listen = R"({"address": ":1", "cluster": "east"}, {"address": ":2", "cluster": "northern"},
                   {"address": ":3", "cluster": "west"}, ":4", {"address": ":5", "cluster": 7})";
  CHECK(file.problems() ==
        Lines{"f:4:79: cluster: there is no cluster \"northern\"; there are \"east\" and \"west\"",
              "f:5:58: listen: \":4\" does not name the \"cluster\" that it serves: \"east\" or \"west\"",
              "f:5:93: listen: \"cluster\" must be a string that is not empty, not 7"});
  file.listen = R"({"address": ":1", "cluster": "east"})";
  CHECK(file.problems() == Lines{"f:3:1: clusters: no listener names \"west\""});
  // A listener with another error does serve it.
  file.listen = R"({"address": ":1", "cluster": "east"}, {"address": "x", "cluster": "west"})";
  CHECK(file.problems() == Lines{"f:4:62: listen: \"x\" has no port; write \"x:8200\""});
  CHECK(lines(load_text(TwoClusters{}.text(), {{"BELLWETHER_LISTEN", ":9"}}).problems) ==
        Lines{"environment: listen: \":9\" does not name the \"cluster\" that it serves: \"east\" or \"west\"",
              "f:2:1: clusters: no listener names \"east\"", "f:3:1: clusters: no listener names \"west\""});
}

TEST_CASE("without clusters a listener names none", "[config][clusters]") {
  CHECK(lines(load_text(R"({"nodes": ["https://n:1"], "listen": {"address": ":1", "cluster": "east"}})").problems) ==
        Lines{"f:1:67: cluster: there are no clusters; \"clusters\" names them"});
  CHECK(lines(load_text(R"({"clusters": [{"name": "east", "nodes": ["https://e:1"]}],
"listen": {"address": ":1", "cluster": "north"}})")
                  .problems) == Lines{"f:2:40: cluster: there is no cluster \"north\"; the only one is \"east\""});
}

TEST_CASE("a node is in one cluster only; its name may be in two", "[config][clusters]") {
  TwoClusters file;
  file.east = R"("nodes": [{"url": "https://e:1", "name": "a"}, "https://n:2"])";
  file.west = R"("nodes": [{"url": "https://w:1", "name": "a"}, "http://N:2"])";
  CHECK(file.problems() == Lines{"f:3:65: nodes: n:2 is a node of \"east\" and of \"west\""});
  file.west = R"("nodes": [{"url": "https://w:1", "name": "a"}, "http://n:3"])";
  CHECK(file.problems().empty());
}

TEST_CASE("a node of one cluster is no listener of another", "[config][clusters]") {
  TwoClusters file;
  file.east = R"("nodes": ["https://127.0.0.1:2"])";
  CHECK(
      file.problems() ==
      Lines{"f:2:28: nodes: https://127.0.0.1:2 is our own listen address \":2\"; set another with listen (--listen)"});
}

TEST_CASE("each cluster may have as many nodes as one alone", "[config][clusters]") {
  const auto nodes = [](const std::string& host, std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i)
      text += (i == 1 ? "\"http://" : ", \"http://") + host + ":" + std::to_string(i) + "\"";
    return "\"nodes\": [" + text + "]";
  };
  TwoClusters file;
  file.east = nodes("e", kMaxNodes);
  file.west = nodes("w", kMaxNodes);
  CHECK(file.problems().empty());
  file.east = nodes("e", kMaxNodes + 2);
  file.west = nodes("w", kMaxNodes + 2);
  const Lines found = file.problems();
  REQUIRE(found.size() == 2);
  CHECK_THAT(found[0], CATCH_CONTAINS("f:2:") && CATCH_CONTAINS("nodes: more than 64 nodes"));
  CHECK_THAT(found[1], CATCH_CONTAINS("f:3:"));
}

TEST_CASE("every option has a scope, and a cluster takes exactly what is not of the process", "[config][clusters]") {
  std::set<std::string_view> of_process;
  for (const Option& option : options()) {
    INFO(option.key);
    if (option.scope == Scope::kProcess) of_process.insert(option.key);
    TwoClusters file;
    file.east += ", \"" + std::string(option.key) + "\": []";
    const Lines found = file.problems();
    const auto is_refused = [&](std::string_view why) {
      return found.size() == 1 && found[0].substr(0, 8) == "f:2:44: " && found[0].find(why) != std::string::npos;
    };
    const bool takes_list =
        std::holds_alternative<ListField>(option.field) || std::holds_alternative<CertificatesField>(option.field);
    if (option.key == "listen") {
      CHECK(is_refused("clusters: \"listen\" is written beside \"clusters\"; each listener names its \"cluster\""));
    } else if (option.scope == Scope::kProcess) {
      CHECK(is_refused("is the same for the whole process: write it beside \"clusters\", not into it"));
    } else if (option.key == "nodes") {
      CHECK(found.size() == 2);  // twice, and empty
    } else if (takes_list) {
      CHECK(found.empty());
    } else {
      REQUIRE(found.size() == 1);
      CHECK_THAT(found[0], CATCH_CONTAINS(std::string(option.key) + ": must be "));
    }
  }
  CHECK(of_process == std::set<std::string_view>{"admin", "admin_hosts", "admin_token_file", "clusters", "control",
                                                 "hard_stop_after", "listen", "log_format", "log_level",
                                                 "shutdown_delay", "tls_reload_interval", "upgrade_timeout", "watch"});
  CHECK(find_option("mode")->scope == Scope::kListener);
  CHECK(find_option("threads")->scope == Scope::kCluster);
  const auto keys = cluster_keys();
  CHECK(keys.size() == options().size() - of_process.size() + 1);
  CHECK(keys.front() == "name");
}

TEST_CASE("an unknown key of a cluster is named with the nearest", "[config][clusters]") {
  TwoClusters file;
  file.east += R"(, "intre": "2s")";
  CHECK(file.problems() == Lines{"f:2:44: unknown key of a cluster \"intre\"; did you mean \"inter\"?"});
}

TEST_CASE("what contradicts within a cluster is told where the cluster says it", "[config][clusters]") {
  TwoClusters file;
  file.east += R"(, "inter": "20ms")";
  file.common = R"("fastinter": "30ms")";
  CHECK(file.problems() == Lines{"f:2:53: fastinter: 30ms is longer than inter (20ms)"});
  TwoClusters service;
  service.west = R"("nodes": ["srv+https://_vault._tcp.example.com"], "dns_refresh": "0s")";
  CHECK(service.problems() == Lines{"f:3:28: nodes: srv+https://_vault._tcp.example.com: its records are asked for "
                                    "again, so dns_refresh cannot be 0s"});
  TwoClusters keys;
  keys.west += R"(, "client_key": "k")";
  CHECK(keys.problems() == Lines{"f:3:58: client_key: there is no client_cert that it belongs to"});
  TwoClusters ca;
  ca.listen = kHttpListeners;
  ca.west += R"(, "tls_client_ca": "")";
  ca.common = R"("tls_cert": "all.pem", "tls_client_auth": "required", "tls_client_ca": "ca.pem")";
  CHECK(ca.problems() ==
        Lines{"f:3:61: tls_client_auth: there is no tls_client_ca to verify client certificates with"});
}

TEST_CASE("what is wrong with what is said for all is told once", "[config][clusters]") {
  TwoClusters file;
  file.common = R"("fastinter": "2s", "inter": "1s", "verify": false, "client_key": "k")";
  CHECK(file.problems() == Lines{"f:5:14: fastinter: 2s is longer than inter (1s)",
                                 "f:5:66: client_key: there is no client_cert that it belongs to"});
  CHECK(file.hints() == Lines{"f:5:45: verify: node certificates are not verified; anyone on the network can pose as "
                              "the leader"});
}

TEST_CASE("what one cluster does not use is fine as long as another does", "[config][clusters]") {
  TwoClusters file;
  file.east = R"("nodes": ["http://e:1"])";
  file.common = R"("ca_file": "ca.pem")";
  CHECK(file.hints().empty());
  file.west = R"("nodes": ["http://w:1"])";
  const std::string unused = "ca_file: is not used, as all nodes are http://; did you mean https://?";
  CHECK(file.hints() == Lines{"f:5:12: " + unused});
  file.west = R"("nodes": ["https://w:1"], "ca_file": "west.pem")";
  CHECK(file.hints() == Lines{"f:5:12: " + unused});

  TwoClusters tls;
  tls.listen = R"({"address": ":1", "cluster": "east", "mode": "http"}, {"address": ":2", "cluster": "west"})";
  tls.common = R"("tls_cert": "c.pem", "tls_client_ca": "ca.pem", "tls_client_auth": "required")";
  CHECK(tls.problems().empty());
  CHECK(tls.hints().empty());
  tls.common = R"("tls_client_ca": "ca.pem", "tls_client_auth": "required")";
  CHECK(tls.problems() == Lines{"f:5:18: tls_client_ca: without a tls_cert, clients speak plain HTTP"});
  tls.east += R"(, "tls_cert": "east.pem")";
  CHECK(tls.problems().empty());
  // What a cluster says itself nobody else uses.
  tls.west += R"(, "tls_client_ca": "west.pem")";
  CHECK(tls.problems() == Lines{"f:3:61: tls_client_ca: without a tls_cert, clients speak plain HTTP"});
}

TEST_CASE("listeners of clusters are checked by their own cluster's options", "[config][clusters]") {
  TwoClusters file;
  file.listen = kHttpListeners;
  file.east += R"(, "tls_cert": "e.pem", "tls_client_ca": "ca.pem", "client_cert_header": "X-Identity")";
  CHECK(file.problems().empty());
  file.west += R"(, "client_cert_header": "X-Identity")";
  CHECK(file.problems() ==
        Lines{"f:3:66: client_cert_header: there is no tls_client_ca to verify clients' certificates with, and no "
              "forwarded_for_trusted sender to have them from"});
  TwoClusters admin;
  admin.listen = R"({"address": "127.0.0.1:8209", "cluster": "east"}, {"address": ":2", "cluster": "west"})";
  CHECK(admin.problems() == Lines{"f:4:11: admin: \"127.0.0.1:8209\" is also a listen address"});
}

TEST_CASE("a listener that moves to another cluster is a difference", "[config][clusters][reload]") {
  TwoClusters file;
  file.listen += R"(, {"address": ":3", "cluster": "east"})";
  const Config before = file.load().config;
  file.listen = R"({"address": ":1", "cluster": "east"}, {"address": ":2", "cluster": "west"},
                   {"address": ":3", "cluster": "west"})";
  file.common = R"("log_level": "warn")";
  const Config after = file.load().config;
  REQUIRE(after.clusters.size() == 2);
  CHECK(differences(before.clusters[0], after.clusters[0], Part::kCluster).reloadable ==
        Lines{R"(listen ":1" ("tcp", cluster "east"), ":3" ("tcp", cluster "east") -> ":1" ("tcp", cluster "east"))"});
  CHECK(differences(before, after, Part::kProcess).reloadable == Lines{R"(log_level "info" -> "warn")"});
}
