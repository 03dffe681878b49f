#include "catch.hpp"
#include "lab.h"

using namespace bellwether;
using namespace bellwether::sim;

namespace {
const std::string kNotActive = R"({"errors":["local node not active but active cluster node not found"]})"
                               "\n";
const std::string kSealed = R"({"errors":["Vault is sealed"]})"
                            "\n";
}  // namespace

TEST_CASE("at the start the first node says 200 and the others say 429", "[sim]") {
  Lab lab;
  CHECK(lab.health(0) == 200);
  CHECK(lab.health(1) == 429);
  CHECK(lab.health(2) == 429);
  CHECK(lab.model.leader() == 0);
}

TEST_CASE("a leader that steps down is silent for its block, health too, and then says 429 and 500", "[sim]") {
  Lab lab;
  CHECK(lab.ask(0, "PUT", "/v1/sys/step-down").status == 204);
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(499ms);
  CHECK(lab.answer(health).status == 0);
  CHECK(lab.answer(write).status == 0);
  lab.advance(1ms);
  CHECK(lab.answer(health).status == 429);
  CHECK(lab.answer(write).status == 500);
  CHECK(lab.answer(write).body == kNotActive);
  CHECK(lab.model.store().puts() == 0);
}

TEST_CASE("the successor of a step-down says 200 after the election and not before", "[sim]") {
  ModelOptions options;
  options.election = 540ms;
  Lab lab(options);
  lab.inject(0, "step-down");
  lab.advance(539ms);
  CHECK(lab.model.leader() == -1);
  lab.advance(1ms);
  CHECK(lab.model.leader() > 0);
  CHECK(lab.health(lab.model.leader()) == 200);
}

TEST_CASE("a quick successor says 200 while the old leader still blocks", "[sim]") {
  ModelOptions options;
  options.election = 490ms;
  Lab lab(options);
  lab.inject(0, "step-down");
  const auto late = lab.send(0, "GET", "/v1/sys/health");
  lab.advance(495ms);
  CHECK(lab.health(lab.model.leader()) == 200);
  CHECK(lab.answer(late).status == 0);
  lab.advance(5ms);
  CHECK(lab.answer(late).status == 429);
}

TEST_CASE("who stepped down is not elected again for ten seconds, unless nobody else can be", "[sim]") {
  Lab lab;
  lab.inject(0, "step-down");
  const int second = lab.until_somebody_leads();
  lab.inject(second, "step-down");
  const int third = lab.until_somebody_leads();
  CHECK(third != 0);
  CHECK(third != second);
  lab.advance(1s);
  lab.inject(third, "step-down");
  CHECK(lab.until_somebody_leads() != third);
}

TEST_CASE("a cluster of one leads again after a step-down", "[sim]") {
  Lab lab({}, 1);
  lab.inject(0, "step-down");
  CHECK(lab.until_somebody_leads() == 0);
}

TEST_CASE("a sealed leader answers what waited with 503 and executes none of it", "[sim]") {
  Lab lab;
  const auto seal = lab.send(0, "PUT", "/v1/sys/seal");
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(500ms);
  CHECK(lab.answer(seal).status == 204);
  CHECK(lab.answer(health).status == 503);
  CHECK(lab.answer(write).status == 503);
  CHECK(lab.answer(write).body == kSealed);
  CHECK(lab.model.store().puts() == 0);
  CHECK(lab.until_somebody_leads() > 0);
}

TEST_CASE("any key unseals a node, which comes back as standby", "[sim]") {
  Lab lab;
  lab.inject(1, "seal");
  CHECK(lab.health(1) == 503);
  CHECK(lab.ask(1, "PUT", "/v1/sys/unseal", R"({"key":"x"})", {}).status == 200);
  CHECK(lab.health(1) == 429);
}

TEST_CASE("a crash closes the node, and its successor comes after the crash election", "[sim]") {
  Lab lab;
  lab.inject(0, "crash");
  REQUIRE(lab.changes.size() == 1);
  CHECK(lab.changes[0].change == ProcessChange::kStop);
  CHECK(lab.health(0) == 0);
  lab.advance(1999ms);
  CHECK(lab.model.leader() == -1);
  lab.advance(1ms);
  CHECK(lab.model.leader() > 0);
}

TEST_CASE("standbys go on naming the dead leader until its successor is there, then nobody for a moment", "[sim]") {
  Lab lab;
  lab.inject(0, "crash");
  lab.advance(1990ms);
  CHECK(Lab::location(lab.put(1, "k", "1")) == "http://n1/v1/secret/data/k");
  CHECK_THAT(lab.ask(2, "GET", "/v1/sys/leader").body, CATCH_CONTAINS("http://n1"));
  const int leader = lab.until_somebody_leads();
  const int other = leader == 1 ? 2 : 1;
  CHECK(lab.put(other, "k", "1").body == kNotActive);
  lab.advance(kLearnDelay);
  CHECK(lab.put(other, "k", "1").status == 307);
  CHECK(Lab::location(lab.put(other, "k", "1")) == "http://n" + std::to_string(leader + 1) + "/v1/secret/data/k");
}

TEST_CASE("a crashed node that is restarted comes back as standby after its unseal time", "[sim]") {
  Lab lab;
  lab.inject(0, "crash");
  lab.until_somebody_leads();
  lab.inject(0, "restart");
  lab.advance(999ms);
  CHECK(lab.health(0) == 0);
  lab.advance(1ms);
  CHECK(lab.health(0) == 429);
  CHECK(lab.changes.back().change == ProcessChange::kStart);
}

TEST_CASE("a fault with a duration undoes itself", "[sim]") {
  Lab lab;
  lab.inject(1, "crash", 500ms);
  lab.advance(500ms);
  CHECK(lab.health(1) == 0);
  lab.advance(1s);
  CHECK(lab.health(1) == 429);
}

TEST_CASE("a terminated leader hands over at once", "[sim]") {
  Lab lab;
  lab.inject(0, "term");
  CHECK(lab.health(0) == 0);
  lab.advance(kTermElection);
  CHECK(lab.model.leader() > 0);
}

TEST_CASE("a frozen leader that wakes too late says its old 200, loses what waited, blocks and demotes", "[sim]") {
  Lab lab;
  lab.inject(0, "hang");
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(3s);
  CHECK(lab.answer(health).status == 0);
  CHECK(lab.model.leader() > 0);
  lab.inject(0, "wake");
  CHECK(lab.answer(health).status == 200);
  lab.advance(kWokenLease);
  CHECK(lab.answer(write).status == 500);
  CHECK_THAT(lab.answer(write).body, CATCH_CONTAINS("leadership lost while committing log"));
  CHECK(lab.health(0) == 0);
  lab.advance(500ms);
  CHECK(lab.health(0) == 429);
  CHECK(lab.model.store().puts() == 0);
}

TEST_CASE("a frozen leader that wakes before the election goes on leading", "[sim]") {
  Lab lab;
  lab.inject(0, "hang");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(1500ms);
  lab.inject(0, "wake");
  CHECK(lab.answer(write).status == 200);
  lab.advance(5s);
  CHECK(lab.model.leader() == 0);
  CHECK(lab.model.store().puts("k") == 1);
}

TEST_CASE("a leader cut off from its peers says 200 for its lease while writes block", "[sim]") {
  Lab lab;
  lab.inject(0, "partition");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(499ms);
  CHECK(lab.health(0) == 200);
  CHECK(lab.answer(write).status == 0);
  lab.advance(1ms);
  CHECK_THAT(lab.answer(write).body, CATCH_CONTAINS("leadership lost"));
  CHECK(lab.health(0) == 0);
  lab.advance(500ms);
  CHECK(lab.health(0) == 429);
  CHECK(lab.put(0, "k", "1").body == kNotActive);
  lab.advance(1s);
  CHECK(lab.model.leader() > 0);
  CHECK(lab.put(0, "k", "1").body == kNotActive);
  lab.inject(0, "heal");
  lab.advance(kRejoinDelay);
  CHECK(lab.put(0, "k", "1").status == 307);
}

TEST_CASE("where the lease outlasts the election, two nodes say 200 and answer reads, each in its own name", "[sim]") {
  ModelOptions options;
  options.lease = 3s;
  options.crash_election = 200ms;
  options.names_itself = true;
  Lab lab(std::move(options));
  lab.inject(0, "partition");
  lab.advance(300ms);
  const int successor = lab.model.leader();
  REQUIRE(successor > 0);
  CHECK(lab.health(0) == 200);
  CHECK(lab.health(successor) == 200);
  for (const int node : {0, successor}) {
    const http::Response read = lab.ask(node, "GET", "/v1/sys/mounts");
    CHECK(read.status == 200);
    CHECK(read.headers.back().name == "X-Vault-Raft-Node-ID");
    CHECK(read.headers.back().value == "n" + std::to_string(node + 1));
  }
  lab.advance(3200ms);
  CHECK(lab.health(0) == 429);
  CHECK(lab.health(successor) == 200);
}

TEST_CASE("a leader whose followers are back within its lease executes what waited", "[sim]") {
  Lab lab;
  lab.inject(0, "partition");
  const auto write = lab.send_put(0, "k", "1");
  lab.advance(300ms);
  lab.inject(0, "heal");
  CHECK(lab.answer(write).status == 200);
  lab.advance(5s);
  CHECK(lab.model.leader() == 0);
}

TEST_CASE("without quorum there is no leader until a follower is back, and then soon", "[sim]") {
  Lab lab;
  lab.inject(1, "crash");
  lab.inject(2, "crash");
  lab.advance(499ms);
  CHECK(lab.health(0) == 200);
  lab.advance(501ms);
  CHECK(lab.health(0) == 429);
  lab.advance(60s);
  CHECK(lab.model.leader() == -1);
  lab.inject(1, "restart");
  lab.advance(1s);
  CHECK(lab.model.leader() == -1);
  lab.advance(kQuorumElection);
  CHECK(lab.model.leader() >= 0);
}

TEST_CASE("one dead follower changes nothing", "[sim]") {
  Lab lab;
  lab.inject(2, "crash");
  lab.advance(30s);
  CHECK(lab.model.leader() == 0);
  CHECK(lab.health(0) == 200);
}

TEST_CASE("in a split brain two nodes say 200 until it heals", "[sim]") {
  Lab lab;
  lab.inject(2, "split-brain");
  CHECK(lab.health(0) == 200);
  CHECK(lab.health(2) == 200);
  CHECK_THAT(lab.ask(1, "GET", "/v1/sys/leader").body, CATCH_CONTAINS("http://n1"));
  lab.inject(2, "heal");
  CHECK(lab.health(2) == 429);
}

TEST_CASE("a slow node answers everything that much later", "[sim]") {
  Lab lab;
  lab.inject(0, "slow", 250ms);
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  lab.advance(249ms);
  CHECK(lab.answer(health).status == 0);
  lab.advance(1ms);
  CHECK(lab.answer(health).status == 200);
}

TEST_CASE("an answer made before a freeze leaves after it, and is stale", "[sim]") {
  Lab lab;
  lab.inject(0, "slow", 100ms);
  const auto health = lab.send(0, "GET", "/v1/sys/health");
  lab.inject(0, "hang");
  lab.advance(5s);
  CHECK(lab.answer(health).status == 0);
  lab.inject(0, "wake");
  CHECK(lab.answer(health).status == 200);
  CHECK(lab.model.leader() > 0);
}

TEST_CASE("the client that left while its write waited gets nothing executed", "[sim]") {
  Lab lab;
  lab.inject(0, "partition");
  const auto write = lab.send_put(0, "k", "1");
  lab.model.forget({0, write});
  lab.inject(0, "heal");
  lab.advance(1s);
  CHECK(lab.model.store().puts() == 0);
}

TEST_CASE("a fault that makes no sense now is refused with a reason", "[sim]") {
  Lab lab;
  lab.inject(1, "step-down");
  CHECK(lab.error == "n2 does not lead");
  lab.inject(1, "wake");
  CHECK(lab.error == "n2 does not hang");
  lab.inject(1, "unseal");
  CHECK(lab.error == "n2 is not sealed");
  lab.inject(7, "crash");
  CHECK(lab.error == "there is no node 8: the cluster has 3");
  lab.inject(0, "stepdown");
  CHECK(lab.error == "unknown fault \"stepdown\"; did you mean \"step-down\"?");
}

TEST_CASE("the same seed and the same faults give the same leaders", "[sim]") {
  const auto run = [] {
    ModelOptions options;
    options.seed = 7;
    Lab lab(options, 5);
    std::vector<int> leaders;
    for (int i = 0; i < 20; ++i) {
      leaders.push_back(lab.until_somebody_leads());
      lab.inject(leaders.back(), i % 2 == 0 ? "step-down" : "crash", 1s);
    }
    return leaders;
  };
  CHECK(run() == run());
}

TEST_CASE("through random faults there is never a second node that takes writes, and at rest always one", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Lab lab({}, 3);
    Prng prng(seed);
    for (int step = 0; step < 100; ++step) {
      const std::string_view kinds[] = {"step-down", "seal", "unseal",    "crash", "restart", "term",
                                        "hang",      "wake", "partition", "heal",  "slow"};
      lab.inject(static_cast<int>(prng.below(3)), kinds[prng.below(std::size(kinds))], 0ms);
      lab.send_put(static_cast<int>(prng.below(3)), "k", "1", prng.chance(0.5));
      lab.advance(std::chrono::milliseconds(prng.below(1500)));
      int writers = 0;
      for (int node = 0; node < 3; ++node) writers += lab.put(node, "w", "1").status == 200 ? 1 : 0;
      REQUIRE(writers <= 1);
    }
    for (int node = 0; node < 3; ++node) {
      for (const std::string_view fault : {"heal", "wake", "unseal", "slow"}) lab.inject(node, fault);
      if (lab.model.state(node).process == Process::kStopped) lab.inject(node, "restart");
    }
    lab.advance(30s);
    CHECK(lab.model.leader() >= 0);
    CHECK(lab.put(lab.model.leader(), "last", "1").status == 200);
    for (int node = 0; node < 3; ++node) {
      CHECK(lab.health(node) == (node == lab.model.leader() ? 200 : 429));
      CHECK(lab.model.state(node).knows_leader == lab.model.leader());
    }
  }
}
