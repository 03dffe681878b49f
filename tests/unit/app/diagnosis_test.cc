#include "app/doctor/diagnosis.h"

#include "catch.hpp"
#include "examined_nodes.h"

using namespace bellwether;
using namespace bellwether::app;
using namespace bellwether::app::testing;

namespace {

// A node of which little is known.
Examined answered(std::string name, cluster::Role role, std::string cluster_id = "c1") {
  Examined node;
  node.name = name;
  node.url = "https://" + name;
  node.tls = true;
  node.address = "10.0.0.1:8200";
  node.facts.role = role;
  node.facts.cluster_id = std::move(cluster_id);
  return node;
}

Examined silent(std::string name, wire::ExchangeFailure failure, std::string message) {
  Examined node = answered(std::move(name), cluster::Role::kSilent, "");
  node.failure = wire::ExchangeError{failure, std::move(message)};
  return node;
}

std::vector<std::string> texts_of(std::vector<Examined> nodes, Severity severity) {
  ExaminedCluster seen;
  seen.nodes = std::move(nodes);
  std::vector<std::string> texts;
  for (const Finding& each : diagnose(seen, config::Config{}).findings) {
    if (each.severity() == severity) texts.push_back(each.to_string());
  }
  return texts;
}
std::vector<std::string> problems(std::vector<Examined> nodes) {
  return texts_of(std::move(nodes), Severity::kProblem);
}
std::vector<std::string> remarks(std::vector<Examined> nodes) { return texts_of(std::move(nodes), Severity::kRemark); }

}  // namespace

TEST_CASE("a cluster with one leader and standbys is found healthy", "[doctor]") {
  const std::vector<Examined> nodes = {answered("n1", cluster::Role::kActive), answered("n2", cluster::Role::kStandby)};
  CHECK(problems(nodes).empty());
  CHECK(remarks(nodes).empty());
  CHECK(ids(healthy_cluster()).empty());
}

TEST_CASE("nobody leading, a foreign node and a wrong certificate are each explained", "[doctor]") {
  const auto found = problems({answered("n1", cluster::Role::kStandby), answered("n2", cluster::Role::kStandby),
                               answered("n3", cluster::Role::kStandby, "c2"),
                               silent("n4", wire::ExchangeFailure::kTls, "the certificate is not valid for \"n4\"")});
  REQUIRE(found.size() == 3);
  CHECK_THAT(found[0], CATCH_CONTAINS("BW013 n4: "));
  CHECK_THAT(found[0], CATCH_CONTAINS("--server-name"));
  CHECK_THAT(found[1], CATCH_CONTAINS("BW032 n3: belongs to another cluster (c2, not c1)"));
  CHECK_THAT(found[2], CATCH_CONTAINS("BW033 cluster: nobody leads"));
}

TEST_CASE("a sealed node and a wrong clock are noted without failing the check", "[doctor]") {
  Examined leader = answered("n1", cluster::Role::kActive);
  leader.clock_ahead = -60s;
  const std::vector<Examined> nodes = {leader, answered("n2", cluster::Role::kSealed, "")};
  CHECK(problems(nodes).empty());
  const auto noted = remarks(nodes);
  REQUIRE(noted.size() == 2);
  CHECK_THAT(noted[0],
             CATCH_CONTAINS("BW028 n1: its clock is 60 s behind ours; tokens and certificates suffer from that"));
  CHECK_THAT(noted[1], CATCH_CONTAINS("BW023 n2: is sealed"));
}

TEST_CASE("one server under two names is one problem with both, and no second leader", "[doctor]") {
  Examined first = answered("n1", cluster::Role::kActive);
  first.leader = vault::LeaderFacts{true, true, "https://vault:8200", "https://vault:8200 x 2026"};
  Examined second = first;
  second.name = "vip";
  const auto found = problems({first, answered("n2", cluster::Role::kStandby), second});
  CHECK(found == std::vector<std::string>{"BW031 vip: n1 and vip are one server (both state the same api_addr and "
                                          "active_time); name it once"});
}

TEST_CASE("when no node answers, nothing is said about who leads", "[doctor]") {
  Examined node = silent("n1", wire::ExchangeFailure::kRefused, "10.0.0.1:8200: connection refused");
  node.set_up.host = "10.0.0.1";
  CHECK(problems({node}) ==
        std::vector<std::string>{"BW001 n1: connection refused; is Vault running there, and is the port right?"});
}

TEST_CASE("several things wrong at once are all found, problems first, and nothing else", "[doctor]") {
  ExaminedCluster seen = healthy_cluster();
  silence(seen.nodes[1], wire::ExchangeFailure::kRefused, "connection refused");
  seen.nodes[2].facts.role = cluster::Role::kSealed;
  seen.nodes[2].facts.cluster_id.clear();
  seen.nodes[2].clock_ahead = 90s;
  const Diagnosis found = diagnose(seen, proxy_config());
  CHECK(ids(found) == Ids{"BW001 n2", "BW023 n3", "BW028 n3", "BW037 cluster"});
  CHECK(found.findings[0].id == FindingId::kRefused);
  CHECK(found.findings[1].id == FindingId::kQuorumLost);
  CHECK_FALSE(found.is_fine());
}

TEST_CASE("huge texts and control characters of nodes neither grow nor act", "[doctor]") {
  ExaminedCluster seen = healthy_cluster();
  const std::string hostile = "\x1b]0;owned\x07\xff\xe2\x80\xae" + std::string(100'000, 'x') + "\nBW001 n9: forged";
  silence(seen.nodes[1], wire::ExchangeFailure::kTls, "the certificate is not valid for \"" + hostile);
  answer_foreign(seen.nodes[2], 500, hostile);
  seen.nodes[0].leader->leader_address = "https://admin:hunter2@" + hostile;
  seen.named = {{seen.nodes[0].leader->leader_address, hostile, {}, false}};
  const Diagnosis found = diagnose(seen, proxy_config());
  CHECK(ids(found) == Ids{"BW008 n3", "BW013 n2", "BW040 n1"});
  for (const Finding& each : found.findings) {
    const std::string text = each.to_string();
    CHECK(text.size() < 4000);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("names and files alone are looked at without asking nodes", "[doctor]") {
  std::vector<Examined> nodes = {healthy(1), healthy(2)};
  nodes[1].same_as = 0;
  nodes[0].leads_back = true;
  CHECK(ids(diagnose_names(nodes)) == Ids{"BW031 n2", "BW046 n1"});
  OwnSide own;
  own.unusable = {"TLS to clients: no such file", "TLS to clients: no such file"};
  own.certificates = {{"tls_cert", "a.pem", "expired on 2026-01-01", {}}, {"client_cert", "b.pem", {}, {}}};
  CHECK(ids(diagnose_files(own)) == Ids{"BW043 tls_cert", "BW045 files"});
}

namespace {

config::Config with_clusters(const std::vector<std::string>& names) {
  config::Config config = proxy_config();
  config.nodes.clear();
  config.admin = "0.0.0.0:8209";
  for (const std::string& name : names) {
    config::Config cluster = proxy_config();
    cluster.cluster = name;
    cluster.admin = config.admin;
    config.clusters.push_back(cluster);
  }
  return config;
}

}  // namespace

TEST_CASE("what concerns the process is not found with each of its clusters", "[doctor]") {
  const config::Config config = with_clusters({"east", "west"});
  ExaminedCluster seen = healthy_cluster();
  seen.own.descriptor_limit = 256;
  CHECK(ids(seen, config.clusters.front()).empty());
  CHECK(ids(diagnose_process(seen.own, config)) == Ids{"BW048 maxconn", "BW052 0.0.0.0:8209"});
}

TEST_CASE("clusters share the limits of the process", "[doctor]") {
  const config::Config one = with_clusters({"east"});
  const config::Config two = with_clusters({"east", "west"});
  OwnSide own;
  const auto lacks_memory = [&](const config::Config& config) {
    return ids(diagnose_process(own, config)).count("BW049 maxconn") > 0;
  };
  own.memory_limit = std::uint64_t{1} << 40U;
  CHECK_FALSE(lacks_memory(two));
  while (!lacks_memory(one)) own.memory_limit = own.memory_limit * 9 / 10;
  // A little more than one cluster needs.
  own.memory_limit = own.memory_limit * 10 / 9 + 1;
  CHECK_FALSE(lacks_memory(one));
  CHECK(lacks_memory(two));
}

TEST_CASE("what all clusters have alike by a common option is found once", "[doctor]") {
  const auto found = [](const std::vector<std::pair<FindingId, std::string>>& all) {
    Diagnosis diagnosis;
    for (const auto& [id, cause] : all) diagnosis.add(id, "cluster", cause);
    return diagnosis;
  };
  Diagnosis east = found({{FindingId::kNobodyLeads, "nobody leads"},
                          {FindingId::kOwnCertificateInvalid, "common.pem expired"},
                          {FindingId::kOwnFiles, "east-ca.pem"}});
  Diagnosis west = found({{FindingId::kOwnCertificateInvalid, "common.pem expired"},
                          {FindingId::kNobodyLeads, "nobody leads"},
                          {FindingId::kOwnFiles, "west-ca.pem"}});
  CHECK(ids(take_common({&east, &west})) == Ids{"BW043 cluster"});
  CHECK(ids(east) == Ids{"BW033 cluster", "BW045 cluster"});
  CHECK(ids(west) == ids(east));
}

TEST_CASE("what only some clusters have stays with these", "[doctor]") {
  Diagnosis east;
  east.add(FindingId::kVerifyOff, "verify", "not verified");
  Diagnosis west = east;
  Diagnosis north;
  CHECK(ids(take_common({&east, &west, &north})).empty());
  CHECK(ids(take_common({&east})).empty());
  CHECK(ids(east) == Ids{"BW051 verify"});
  CHECK(ids(west) == Ids{"BW051 verify"});
}
