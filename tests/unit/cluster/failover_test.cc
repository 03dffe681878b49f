// What the recorder makes of stories that no trace tells.
#include "bellwether/cluster/failover.h"

#include <array>

#include "catch.hpp"
#include "recorded.h"

namespace bellwether::cluster::testing {
namespace {

constexpr NodeId kN1{0};
constexpr NodeId kN2{1};
constexpr NodeId kN3{2};

TrackerOptions options() {
  TrackerOptions options;
  options.topology = first_topology({{"n1", "n1"}, {"n2", "n2"}, {"n3", "n3"}});
  options.idle_inter = options.inter;
  return options;
}

// Three nodes, the first of which leads.
class Story {
 public:
  Story() {
    says(kN1, Role::kActive);
    says(kN2, Role::kStandby);
    says(kN3, Role::kStandby);
    world_.start(TimePoint(1000s));
    world_.run_for(5s);
    REQUIRE(world_.view().leader == kN1);
  }

  void says(NodeId node, Role role) { ends_[node.number] = ProbeEnd(facts(role)); }
  void fails(NodeId node, ProbeFailure failure) { ends_[node.number] = ProbeEnd(failure); }
  void hangs(NodeId node) { ends_[node.number].reset(); }
  void follows(NodeId node, std::string name) { names_[node.number] = std::move(name); }
  void run(Duration duration) { world_.run_for(duration); }
  // The only record there is.
  Failover only() {
    const std::vector<Failover> records = recorded_.records();
    REQUIRE(records.size() == 1);
    return records[0];
  }

  World& world() { return world_; }
  Recorded& recorded() { return recorded_; }

 private:
  std::optional<Reply> answer(NodeId node) {
    const std::optional<ProbeEnd>& end = ends_[node.number];
    return end ? std::optional(Reply{1ms, *end}) : std::nullopt;
  }
  void ask_leader(NodeId node) {
    const LeaderStatement statement{node, world_.now(), world_.now(), false, names_[node.number]};
    world_.at(world_.now(), [this, statement] { world_.tell(statement); });
  }

  std::array<std::optional<ProbeEnd>, 3> ends_;
  std::array<std::string, 3> names_;
  World world_{options(), [this](NodeId node, TimePoint) { return answer(node); },
               [this](NodeId node, TimePoint) { return std::optional(names_[node.number]); }};
  Recorded recorded_{world_, [this](NodeId node) { ask_leader(node); }};
};

}  // namespace

TEST_CASE("our own start is a record too", "[failover]") {
  Story story;
  std::vector<Failover> records = story.recorded().recorder().take_ended();
  REQUIRE(records.size() == 1);
  CHECK(records[0].cause == FailoverCause::kStart);
  CHECK(records[0].to == kN1);
  CHECK(records[0].epoch_to == 1);
}

TEST_CASE("a failover's moments are told in order", "[failover]") {
  Story story;
  const TimePoint fault = story.world().now();
  story.hangs(kN1);
  story.run(1200ms);
  story.says(kN1, Role::kSealed);
  story.says(kN2, Role::kActive);
  story.run(400ms);
  story.recorded().recorder().on_first_success(2, story.world().now());
  story.run(3s);
  const Failover failover = story.only();
  CHECK_FALSE(failover.is_open);
  CHECK(failover.cause == FailoverCause::kSeal);
  CHECK(failover.demoted_to == Role::kSealed);
  CHECK(failover.from == kN1);
  CHECK(failover.to == kN2);
  CHECK(failover.epoch_from == 1);
  CHECK(failover.epoch_to == 2);
  REQUIRE(failover.last_good.has_value());
  CHECK(*failover.last_good <= fault);
  CHECK(failover.first_sign > fault);
  REQUIRE(failover.elected.has_value());
  REQUIRE(failover.first_success.has_value());
  CHECK(failover.first_sign < *failover.elected);
  CHECK(*failover.elected < *failover.first_success);
}

TEST_CASE("a doubt that ends within a second is no record", "[failover]") {
  Story story;
  story.hangs(kN1);
  while (!story.world().view().suspect) story.run(10ms);
  story.run(500ms);
  story.says(kN1, Role::kActive);
  story.world().release(kN1, [](TimePoint) { return ProbeEnd(facts(Role::kActive)); });
  story.run(3s);
  CHECK(story.recorded().records().empty());
}

TEST_CASE("a leader that was silent and led on was blocked, unless its kernel was silent too: then it was unreachable",
          "[failover]") {
  Story story;
  const bool is_kernel_silent = GENERATE(false, true);
  story.hangs(kN1);
  while (!story.world().view().suspect) story.run(10ms);
  if (is_kernel_silent) story.world().tell(LostSyn{kN1});
  CHECK(story.world().view().nodes[0].failure.has_value() == is_kernel_silent);
  story.run(1500ms);
  story.says(kN1, Role::kActive);
  story.world().release(kN1, [](TimePoint) { return ProbeEnd(facts(Role::kActive)); });
  story.run(5s);
  CHECK(story.only().cause == (is_kernel_silent ? FailoverCause::kUnreachable : FailoverCause::kBlocked));
  CHECK_FALSE(story.world().view().nodes[0].failure.has_value());
}

TEST_CASE("a crash where one more node is dead is a lost quorum, in the record and in the headline", "[failover]") {
  Story story;
  story.fails(kN3, ProbeFailure::kRefused);
  story.run(5s);
  story.fails(kN1, ProbeFailure::kRefused);
  story.run(5s);
  CHECK_THAT(story.world().view().hold_why, CATCH_CONTAINS("1 of 3 nodes answers: no quorum"));
  CHECK(story.recorded().recorder().open().back().cause == FailoverCause::kLostQuorum);
  story.says(kN3, Role::kStandby);
  story.run(2s);
  story.says(kN2, Role::kActive);
  story.run(5s);
  CHECK(story.only().cause == FailoverCause::kLostQuorum);
}

TEST_CASE("where one of three nodes is elected alone, by a shared storage, the crash was no lost quorum",
          "[failover]") {
  Story story;
  story.fails(kN3, ProbeFailure::kRefused);
  story.run(5s);
  story.fails(kN1, ProbeFailure::kRefused);
  story.run(10s);
  story.says(kN2, Role::kActive);
  story.run(5s);
  CHECK(story.only().cause == FailoverCause::kCrash);
}

TEST_CASE("a crash with two standbys left is a crash, though a probe of one of them fails once", "[failover]") {
  Story story;
  story.fails(kN1, ProbeFailure::kRefused);
  story.run(1s);
  story.fails(kN3, ProbeFailure::kReset);
  story.run(100ms);
  story.says(kN3, Role::kStandby);
  story.run(3s);
  story.says(kN2, Role::kActive);
  story.run(5s);
  CHECK(story.only().cause == FailoverCause::kCrash);
}

TEST_CASE("a leader that nothing reaches from here, and that leads when it is seen again, was unreachable",
          "[failover]") {
  Story story;
  const ProbeFailure failure =
      GENERATE(ProbeFailure::kRefused, ProbeFailure::kReset, ProbeFailure::kUnreachable, ProbeFailure::kConnectTimeout);
  const Duration duration = GENERATE(Duration(2s), Duration(20s));
  story.fails(kN1, failure);
  story.run(duration);
  story.says(kN1, Role::kActive);
  story.run(5s);
  const Failover failover = story.only();
  CHECK(failover.cause == FailoverCause::kUnreachable);
  CHECK(failover.changed_leader() == (duration > 10s));
  CHECK(failover.to == kN1);
}

TEST_CASE("a leader that restarts and wins again had crashed", "[failover]") {
  Story story;
  story.fails(kN1, ProbeFailure::kRefused);
  story.run(5s);
  story.says(kN1, Role::kSealed);
  story.run(1s);
  story.says(kN1, Role::kStandby);
  story.run(1s);
  story.says(kN1, Role::kActive);
  story.run(5s);
  CHECK(story.only().cause == FailoverCause::kCrash);
}

TEST_CASE("a leader that goes on saying 200 under its successor was cut off from its peers", "[failover]") {
  Story story;
  story.says(kN2, Role::kActive);
  story.follows(kN1, "n1");
  story.follows(kN2, "n2");
  story.follows(kN3, "n2");
  story.run(2500ms);
  story.says(kN1, Role::kStandby);
  story.follows(kN1, "");
  story.run(12s);
  const Failover failover = story.only();
  CHECK(failover.cause == FailoverCause::kCutOffFromPeers);
  CHECK(failover.to == kN2);
}

TEST_CASE("a standby that follows its successor stepped down, one that follows nobody was cut off", "[failover]") {
  Story story;
  const bool knows = GENERATE(true, false);
  story.hangs(kN1);
  story.run(1300ms);
  story.says(kN1, Role::kStandby);
  story.world().release(kN1, [](TimePoint) { return ProbeEnd(facts(Role::kStandby)); });
  story.run(1500ms);
  story.says(kN3, Role::kActive);
  story.follows(kN1, knows ? "N3" : "");
  story.run(5s);
  const Failover failover = story.only();
  CHECK_FALSE(failover.is_open);
  CHECK(failover.cause == (knows ? FailoverCause::kStepDown : FailoverCause::kCutOffFromPeers));
  CHECK(failover.demoted_to == Role::kStandby);
}

TEST_CASE("one that is stopped after it stepped down was not cut off because it answers nothing", "[failover]") {
  Story story;
  story.says(kN1, Role::kStandby);
  story.says(kN3, Role::kActive);
  while (story.world().view().leader != kN3) story.run(10ms);
  story.fails(kN1, ProbeFailure::kRefused);
  story.run(2s);
  story.says(kN1, Role::kSealed);
  story.run(12s);
  const Failover failover = story.only();
  CHECK_FALSE(failover.is_open);
  CHECK(failover.cause == FailoverCause::kStepDown);
}

TEST_CASE("a leader that the operator took out was not lost by the cluster", "[failover]") {
  Story story;
  REQUIRE(story.world().tell(SetAdminState{kN1, AdminState::kMaint, true}));
  story.run(1s);
  CHECK(story.only().cause == FailoverCause::kOperator);
  CHECK(story.only().is_open);
}

TEST_CASE("a new failover ends the look into the one before", "[failover]") {
  Story story;
  story.fails(kN1, ProbeFailure::kReset);
  story.run(1500ms);
  story.says(kN2, Role::kActive);
  story.run(300ms);
  story.fails(kN2, ProbeFailure::kRefused);
  story.run(4s);
  story.says(kN3, Role::kActive);
  story.run(5s);
  const std::vector<Failover> records = story.recorded().records();
  REQUIRE(records.size() == 2);
  CHECK(records[0].to == kN2);
  CHECK(records[1].from == kN2);
  CHECK(records[1].to == kN3);
  CHECK(records[1].cause == FailoverCause::kCrash);
}

TEST_CASE("what became of clients is counted from a little before the first sign to the end", "[failover]") {
  Story story;
  story.recorded().traffic = {10, 20, 30, 40};
  for (int i = 0; i < 3; ++i) {
    story.recorded().recorder().note_traffic(story.recorded().traffic, story.world().now());
    story.run(1s);
  }
  story.recorded().traffic.failed += 2;  // before the first sign
  story.fails(kN1, ProbeFailure::kClosed);
  story.run(1500ms);
  story.recorded().traffic.held += 7;
  story.says(kN2, Role::kActive);
  story.run(500ms);
  story.recorded().traffic.cut += 1;
  story.run(5s);
  CHECK(story.only().traffic == FailoverTraffic{7, 0, 2, 1});
}

}  // namespace bellwether::cluster::testing
