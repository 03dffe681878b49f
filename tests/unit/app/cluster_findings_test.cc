#include "catch.hpp"
#include "examined_nodes.h"

// What is found of the nodes together, of what they state about their leader, and of our own side.

using namespace bellwether;
using namespace bellwether::app;
using namespace bellwether::app::testing;

namespace {

template <typename MakeIll>
Ids found_with(MakeIll make_ill) {
  ExaminedCluster seen = healthy_cluster();
  make_ill(seen);
  return ids(seen);
}

void name_leader(ExaminedCluster& seen, const std::string& url, std::vector<std::string> addresses) {
  for (Examined& node : seen.nodes) node.leader->leader_address = url;
  seen.named = {{url, addresses.empty() ? "cannot resolve it" : "", std::move(addresses), false}};
}

void depose(ExaminedCluster& seen) {
  seen.nodes[0].facts.role = cluster::Role::kStandby;
  seen.nodes[0].leader->is_self = false;
  seen.nodes[0].leader->identity.clear();
}

}  // namespace

TEST_CASE("one server under two names is found by address and by what it states", "[doctor]") {
  CHECK(found_with([](ExaminedCluster& seen) { seen.nodes[2].same_as = 1; }) == Ids{"BW031 n3"});
  CHECK(found_with([](ExaminedCluster& seen) {
          seen.nodes[2] = seen.nodes[0];
          seen.nodes[2].name = "vip";
        }) == Ids{"BW031 vip"});
}

TEST_CASE("a node of another cluster is found, and is no member in what else is asked", "[doctor]") {
  const auto make_foreign = [](ExaminedCluster& seen) {
    seen.nodes[2].facts.cluster_id = "c2";
    seen.nodes[2].facts.role = cluster::Role::kActive;
    seen.nodes[2].facts.version = "1.16.0";
    seen.nodes[2].leader->leader_address = "https://elsewhere:8200";
  };
  CHECK(found_with(make_foreign) == Ids{"BW032 n3"});
  ExaminedCluster seen = healthy_cluster();
  config::Config config = proxy_config();
  config.cluster_id = "c0";
  const Ids found = ids(seen, config);
  CHECK(found.count("BW032 n1") + found.count("BW032 n2") + found.count("BW032 n3") == 3);
}

TEST_CASE("nobody leads, several lead, and the leader is not in the list", "[doctor]") {
  CHECK(found_with([](ExaminedCluster& seen) {
          depose(seen);
          for (Examined& node : seen.nodes) node.leader->leader_address.clear();
        }) == Ids{"BW033 cluster"});
  CHECK(found_with([](ExaminedCluster& seen) { depose(seen); }) == Ids{"BW033 cluster"});  // a node is named
  CHECK(found_with([](ExaminedCluster& seen) {
          depose(seen);
          name_leader(seen, "https://vault9:8200", {"10.0.0.9:8200"});
        }) == Ids{"BW035 cluster"});
  CHECK(found_with([](ExaminedCluster& seen) {
          depose(seen);
          name_leader(seen, "https://vault2:8200", {"10.0.0.2:8200"});
        }) == Ids{"BW033 cluster"});  // by a name of its own
  CHECK(found_with([](ExaminedCluster& seen) { seen.nodes[1].facts.role = cluster::Role::kActive; }) ==
        Ids{"BW034 cluster"});
  CHECK(found_with([](ExaminedCluster& seen) {  // what is not Vault's says nothing about who leads
          for (Examined& node : seen.nodes) answer_foreign(node, 200, "HTTP 200 without a body");
        }) == Ids{"BW008 n1", "BW008 n2", "BW008 n3"});
}

TEST_CASE("a standby that names another leader than the one that leads is noted", "[doctor]") {
  CHECK(found_with([](ExaminedCluster& seen) { seen.nodes[2].leader->leader_address = url_of(2); }) == Ids{"BW036 n3"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.nodes[2].leader->leader_address.clear(); }).empty());
}

TEST_CASE("a raft cluster without a quorum is a problem; other storage has none", "[doctor]") {
  const auto seal_two = [](ExaminedCluster& seen) {
    for (const std::size_t i : {1U, 2U}) seen.nodes[i].facts.role = cluster::Role::kSealed;
  };
  CHECK(found_with(seal_two) == Ids{"BW023 n2", "BW023 n3", "BW037 cluster"});
  CHECK(found_with([&](ExaminedCluster& seen) {
          seal_two(seen);
          for (Examined& node : seen.nodes) node.leader->raft_committed_index.reset();
        }) == Ids{"BW023 n2", "BW023 n3"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.nodes[1].facts.role = cluster::Role::kSealed; }) ==
        Ids{"BW023 n2"});
  CHECK(found_with([&](ExaminedCluster& seen) {
          seal_two(seen);
          seen.nodes.pop_back();  // who names two of three may have left one out
        }) == Ids{"BW023 n2"});
  CHECK(found_with([](ExaminedCluster& seen) {  // who knows what they do behind it
          for (const std::size_t i : {1U, 2U}) {
            silence(seen.nodes[i], wire::ExchangeFailure::kTls, "the certificate is not valid for \"n\"");
          }
        }) == Ids{"BW013 n2", "BW013 n3"});
}

TEST_CASE("a standby is far behind beyond 5000 entries, whatever numbers nodes state", "[doctor]") {
  const auto applied = [](std::int64_t index) {
    return found_with([&](ExaminedCluster& seen) { seen.nodes[2].leader->raft_applied_index = index; });
  };
  CHECK(applied(65'000).empty());
  CHECK(applied(64'999) == Ids{"BW029 n3"});
  CHECK(applied(std::numeric_limits<std::int64_t>::min()).empty());
  CHECK(applied(std::numeric_limits<std::int64_t>::max()).empty());
}

TEST_CASE("versions are compared as numbers, and the oldest is named", "[doctor]") {
  ExaminedCluster seen = healthy_cluster();
  seen.nodes[1].facts.version = "2.10.0";
  const Diagnosis found = diagnose(seen, proxy_config());
  REQUIRE(ids(found) == Ids{"BW030 cluster"});
  CHECK_THAT(found.findings[0].cause, CATCH_CONTAINS("n1 and n3 2.6.2 (the oldest), n2 2.10.0"));
  CHECK(found.is_fine());
  CHECK(found_with([](ExaminedCluster& each) { each.nodes[1].facts.version.clear(); }).empty());  // redact_version
}

TEST_CASE("where the leader's api_addr leads is looked at", "[doctor]") {
  const auto named = [](const std::string& url, std::vector<std::string> addresses) {
    return found_with([&](ExaminedCluster& seen) { name_leader(seen, url, std::move(addresses)); });
  };
  CHECK(named("https://vault1:8200", {"10.0.0.1:8200"}).empty());
  CHECK(named("https://vault1:8200", {"10.9.9.9:8200", "10.0.0.1:8200"}).empty());
  CHECK(named("https://vip:8200", {"10.9.9.9:8200"}).empty());  // a balancer's: possible
  CHECK(named("https://localhost:8200", {"127.0.0.1:8200"}) == Ids{"BW039 n1"});
  CHECK(named("https://nowhere:8200", {}) == Ids{"BW040 n1"});
  CHECK(named("https://vault2:8200", {"10.0.0.2:8200"}) == Ids{"BW041 n1"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.named[0].leads_back = true; }) == Ids{"BW038 n1"});
}

TEST_CASE("a cluster on loopback may name itself so", "[doctor]") {
  CHECK(found_with([](ExaminedCluster& seen) {
          seen.nodes[0].address = "127.0.0.1:8200";
          name_leader(seen, "http://127.0.0.1:8200", {"127.0.0.1:8200"});
        }).empty());
}

TEST_CASE("our own certificates, listeners and limits are looked at", "[doctor]") {
  CHECK(found_with([](ExaminedCluster& seen) {
          seen.own.certificates = {{"tls_cert", "a.pem", {}, CertificateLife{24h, 365 * 24h}},
                                   {"client_cert", "b.pem", {}, CertificateLife{100 * 24h, 365 * 24h}},
                                   {"tls_cert", "c.pem", "expired on ...", CertificateLife{-24h, 365 * 24h}}};
        }) == Ids{"BW044 tls_cert"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.own.descriptor_limit = 256; }) == Ids{"BW048 maxconn"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.own.memory_limit = 32 << 20; }) == Ids{"BW049 maxconn"});
  CHECK(found_with([](ExaminedCluster& seen) { seen.own.memory_limit = seen.own.descriptor_limit = 0; }).empty());
}

TEST_CASE("listeners and pages that other machines reach are looked at", "[doctor]") {
  const auto listening = [](config::Mode mode, const std::string& address) {
    config::Config config = proxy_config();
    config.listen.front().mode = mode;
    config.listen.front().address = address;
    return ids(healthy_cluster(), config);
  };
  CHECK(listening(config::Mode::kHttp, "0.0.0.0:8200") == Ids{"BW050 0.0.0.0:8200"});
  CHECK(listening(config::Mode::kRedirect, ":8200") == Ids{"BW050 :8200"});
  CHECK(listening(config::Mode::kHttp, "127.0.0.9:8200").empty());
  CHECK(listening(config::Mode::kHttp, "[::1]:8200").empty());
  CHECK(listening(config::Mode::kHttp, "unix:/run/a.sock").empty());
  CHECK(listening(config::Mode::kTcp, "0.0.0.0:8200").empty());
  config::Config config = proxy_config();
  config.admin = "0.0.0.0:8209";
  CHECK(ids(healthy_cluster(), config) == Ids{"BW052 0.0.0.0:8209"});
  config.admin_token_file = "/etc/token";
  CHECK(ids(healthy_cluster(), config).empty());
  config.verify = false;
  CHECK(ids(healthy_cluster(), config) == Ids{"BW051 verify"});
}

TEST_CASE("each finding has one row, in order, and its texts can stand in one line", "[doctor]") {
  int last = 0;
  for (const FindingRow& row : finding_rows()) {
    INFO(code_of(row.id));
    CHECK(static_cast<int>(row.id) > last);
    last = static_cast<int>(row.id);
    for (const std::string_view text : {row.title, row.means, row.matters, row.remedy}) {
      CHECK_FALSE(text.empty());
      CHECK(text.find('\n') == std::string_view::npos);
    }
    CHECK(row.means.ends_with('.'));
    CHECK(row.matters.ends_with('.'));
    CHECK_FALSE(row.remedy.ends_with('.'));  // the end of a line of ours
  }
  CHECK(last == 52);
  CHECK(code_of(FindingId::kClusterPort) == "BW007");
}
