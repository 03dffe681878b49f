#include "app/cli/doctor.h"
#include "catch.hpp"

using namespace bellwether;
using namespace bellwether::app;

namespace {

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

}  // namespace

TEST_CASE("a cluster with one leader and standbys is found healthy", "[doctor]") {
  const Diagnosis found =
      diagnose({answered("n1", cluster::Role::kActive), answered("n2", cluster::Role::kStandby)}, config::Config{});
  CHECK(found.problems.empty());
  CHECK(found.remarks.empty());
}

TEST_CASE("nobody leading, a foreign node and a wrong certificate are each explained", "[doctor]") {
  const Diagnosis found =
      diagnose({answered("n1", cluster::Role::kStandby), answered("n2", cluster::Role::kStandby),
                answered("n3", cluster::Role::kStandby, "c2"),
                silent("n4", wire::ExchangeFailure::kTls, "the certificate is not valid for \"n4\"")},
               config::Config{});
  REQUIRE(found.problems.size() == 3);
  CHECK_THAT(found.problems[0], CATCH_CONTAINS("--server-name"));
  CHECK_THAT(found.problems[1], CATCH_CONTAINS("n3: belongs to another cluster (c2, not c1)"));
  CHECK_THAT(found.problems[2], CATCH_CONTAINS("nobody leads"));
}

TEST_CASE("a sealed node and a wrong clock are noted without failing the check", "[doctor]") {
  Examined leader = answered("n1", cluster::Role::kActive);
  leader.clock_ahead = -60s;
  const Diagnosis found = diagnose({leader, answered("n2", cluster::Role::kSealed, "")}, config::Config{});
  CHECK(found.problems.empty());
  REQUIRE(found.remarks.size() == 2);
  CHECK(found.remarks[0] == "n1: its clock is 60 s behind ours; tokens and certificates suffer from that");
  CHECK_THAT(found.remarks[1], CATCH_CONTAINS("n2: is sealed"));
}

TEST_CASE("one server under two names is one problem with both, and no second leader", "[doctor]") {
  Examined first = answered("n1", cluster::Role::kActive);
  first.leader = vault::LeaderFacts{true, true, "https://vault:8200", "https://vault:8200 x 2026"};
  Examined second = first;
  second.name = "vip";
  const Diagnosis found = diagnose({first, answered("n2", cluster::Role::kStandby), second}, config::Config{});
  CHECK(found.problems ==
        std::vector<std::string>{
            "n1 and vip are one server (both state the same api_addr and active_time): name it once"});
}

TEST_CASE("when no node answers, nothing is said about who leads", "[doctor]") {
  Examined node = silent("n1", wire::ExchangeFailure::kRefused, "10.0.0.1:8200: connection refused");
  node.set_up.host = "10.0.0.1";
  const Diagnosis found = diagnose({node}, config::Config{});
  CHECK(found.problems ==
        std::vector<std::string>{"n1: connection refused; is Vault running there, and is the port right?"});
}
