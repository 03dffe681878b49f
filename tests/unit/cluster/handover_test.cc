// What goes on when another process takes this one's place: epochs, and the records of failovers.
#include <array>

#include "bellwether/cluster/failover.h"
#include "catch.hpp"
#include "recorded.h"
#include "world.h"

namespace bellwether::cluster::testing {
namespace {

constexpr NodeId kN1{0};
constexpr NodeId kN2{1};
constexpr NodeId kN3{2};
constexpr TimePoint kBegin{1000s};

TrackerOptions options() {
  TrackerOptions options;
  options.topology = first_topology({{"n1", "https://n1"}, {"n2", "https://n2"}, {"n3", "https://n3"}});
  options.idle_inter = options.inter;
  return options;
}

// What three nodes say, to however many processes ask.
struct Nodes {
  std::array<std::optional<ProbeEnd>, 3> says{ProbeEnd(facts(Role::kActive)), ProbeEnd(facts(Role::kStandby)),
                                              ProbeEnd(facts(Role::kStandby))};

  void elect(NodeId winner) {
    for (std::uint32_t i = 0; i < says.size(); ++i) {
      says[i] = ProbeEnd(facts(winner == NodeId{i} ? Role::kActive : Role::kStandby));
    }
  }
  void have_no_leader() {
    for (auto& each : says) each = ProbeEnd(facts(Role::kStandby));
  }
};

// One process: a tracker and a recorder.
struct Process {
  explicit Process(Nodes& shared) : nodes(shared) {}

  Nodes& nodes;
  World world{options(),
              [this](NodeId node, TimePoint) -> std::optional<Reply> {
                const auto& says = nodes.says[node.number];
                return says ? std::optional(Reply{1ms, *says}) : std::nullopt;
              },
              [](NodeId, TimePoint) { return std::optional<std::string>(""); }};
  Recorded recorded{world, [](NodeId) {}};

  [[nodiscard]] FormerLead former() const {
    const View& view = world.view();
    const bool leads = view.leader.has_value();
    return {view.epoch, leads ? view.leader : kN1, "n1", leads ? view.leader_since : *view.leaderless_since, !leads};
  }
  // At the moment at which `before` is.
  void begin_after(const Process& before) { world.start(before.world.now(), before.former()); }
  void take_over(Process& before) {
    world.tell(before.former());
    recorded.recorder().take_over(before.recorded.recorder().hand_over(), before.world.view().epoch,
                                  *world.tracker().snapshot(world.now()), recorded.traffic);
  }
};

const Event* find_event(std::vector<Event>& events, EventKind kind) {
  const auto found = std::find_if(events.begin(), events.end(), [&](const Event& each) { return each.kind == kind; });
  return found == events.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("the leader of before leads on under its epoch, since it began to lead", "[cluster][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin, FormerLead{6, kN2, "n2", kBegin - 1h, true});
  before.world.run_for(5s);
  REQUIRE(before.world.view().epoch == 7);
  Process after(nodes);
  after.begin_after(before);
  CHECK(after.world.view().epoch == 7);
  CHECK_FALSE(after.world.view().leader.has_value());
  after.world.run_for(1s);
  CHECK(after.world.view().leader == kN1);
  CHECK(after.world.view().epoch == 7);
  CHECK(after.world.view().leader_since == before.world.view().leader_since);
  const Event* const elected = find_event(after.world.events(), EventKind::kLeaderElected);
  REQUIRE(elected != nullptr);
  CHECK(elected->epoch == 7);
  CHECK_FALSE(elected->other.has_value());
  CHECK(elected->unsettled == Duration::zero());
}

TEST_CASE("another leader begins the epoch behind that of the process before", "[cluster][handover]") {
  Nodes nodes;
  nodes.elect(kN2);
  Process after(nodes);
  after.world.start(kBegin, FormerLead{7, kN1, "n1", kBegin - 1h, false});
  after.world.run_for(1s);
  CHECK(after.world.view().leader == kN2);
  CHECK(after.world.view().epoch == 8);
  CHECK(after.world.view().leader_since >= kBegin);
  const Event* const elected = find_event(after.world.events(), EventKind::kLeaderElected);
  REQUIRE(elected != nullptr);
  CHECK(elected->other == kN1);
  CHECK(elected->other_name == "n1");
}

TEST_CASE("who led last before and leads again begins another epoch", "[cluster][handover]") {
  Nodes nodes;
  Process after(nodes);
  after.world.start(kBegin, FormerLead{7, kN1, "n1", kBegin - 3s, true});
  CHECK(after.world.view().leaderless_since == kBegin - 3s);
  after.world.run_for(1s);
  CHECK(after.world.view().leader == kN1);
  CHECK(after.world.view().epoch == 8);
  CHECK(find_event(after.world.events(), EventKind::kLeaderElected)->unsettled >= 3s);
}

TEST_CASE("a leader of before that is no node any more is named all the same", "[cluster][handover]") {
  Nodes nodes;
  nodes.elect(kN3);
  Process after(nodes);
  after.world.start(kBegin, FormerLead{7, std::nullopt, "old", kBegin - 1h, false});
  after.world.run_for(1s);
  CHECK(after.world.view().epoch == 8);
  const Event* const elected = find_event(after.world.events(), EventKind::kLeaderElected);
  CHECK(elected->other.has_value());
  CHECK(elected->other_name == "old");
}

TEST_CASE("what was handed over is worth one election only", "[cluster][handover]") {
  Nodes nodes;
  nodes.elect(kN2);
  Process after(nodes);
  after.world.start(kBegin, FormerLead{7, kN1, "n1", kBegin - 1h, false});
  after.world.run_for(2s);
  nodes.elect(kN1);
  after.world.run_for(5s);
  CHECK(after.world.view().leader == kN1);
  CHECK(after.world.view().epoch == 9);
  CHECK(after.world.view().leader_since > kBegin);
}

TEST_CASE("without a leader the reason is told as if nobody had led", "[cluster][handover]") {
  Nodes nodes;
  nodes.have_no_leader();
  Process after(nodes);
  after.world.start(kBegin, FormerLead{7, kN1, "n1", kBegin - 1h, false});
  after.world.run_for(1s);
  CHECK(after.world.view().hold == HoldReason::kNoLeader);
  CHECK(after.world.view().hold_why.find("()") == std::string::npos);
}

TEST_CASE("epochs are raised by the process before, and a lead dates from there", "[cluster][handover]") {
  Nodes nodes;
  Process after(nodes);
  after.world.start(kBegin);
  after.world.run_for(1s);
  REQUIRE(after.world.view().epoch == 1);
  after.world.tell(FormerLead{4, kN1, "n1", kBegin - 1h, false});
  CHECK(after.world.view().epoch == 4);
  CHECK(after.world.view().leader == kN1);
  CHECK(after.world.view().leader_since == kBegin - 1h);
  after.world.tell(FormerLead{2, kN1, "n1", kBegin - 2h, false});
  CHECK(after.world.view().epoch == 4);
  CHECK(after.world.view().leader_since == kBegin - 1h);
  // Another one leads there, or nobody: the lead that is seen here begins here.
  after.world.tell(FormerLead{4, kN2, "n2", kBegin - 2h, false});
  after.world.tell(FormerLead{4, kN1, "n1", kBegin - 2h, true});
  CHECK(after.world.view().leader_since == kBegin - 1h);
  // It has lost the lead and won it back there.
  after.world.tell(FormerLead{6, kN1, "n1", kBegin - 1min, false});
  CHECK(after.world.view().epoch == 6);
  CHECK(after.world.view().leader_since == kBegin - 1min);
  nodes.elect(kN2);
  after.world.run_for(5s);
  CHECK(after.world.view().epoch == 7);
}

TEST_CASE("a leader that leads on is no record of the new process", "[failover][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin);
  before.world.run_for(5s);
  Process after(nodes);
  after.take_over(before);
  after.begin_after(before);
  after.world.run_for(20s);
  REQUIRE(after.world.view().leader == kN1);
  CHECK(after.recorded.recorder().take_ended().empty());
  CHECK(after.recorded.recorder().open().empty());
}

TEST_CASE("a failover that was under way is one record, with its beginning", "[failover][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin);
  before.world.run_for(5s);
  nodes.says = {ProbeEnd(ProbeFailure::kRefused), ProbeEnd(facts(Role::kStandby)), ProbeEnd(facts(Role::kStandby))};
  before.world.run_for(4s);
  before.recorded.traffic.held = 3;
  before.world.run_for(200ms);
  REQUIRE_FALSE(before.world.view().leader.has_value());
  const std::vector<Failover> open = before.recorded.recorder().open();
  REQUIRE(open.size() == 1);

  Process after(nodes);
  after.take_over(before);
  after.begin_after(before);
  after.world.run_for(500ms);
  REQUIRE_FALSE(after.world.view().leader.has_value());
  after.take_over(before);
  after.recorded.traffic.held = 2;
  nodes.says[1] = ProbeEnd(facts(Role::kActive));
  after.world.run_for(20s);
  const std::vector<Failover> records = after.recorded.records();
  REQUIRE(records.size() == 1);
  const Failover& record = records[0];
  CHECK(record.cause == FailoverCause::kCrash);
  CHECK(record.from == kN1);
  CHECK(record.to == kN2);
  CHECK(record.epoch_from == 1);
  CHECK(record.epoch_to == 2);
  CHECK(record.first_sign == open[0].first_sign);
  CHECK(record.last_good == open[0].last_good);
  CHECK(record.leaderless >= 3700ms);
  CHECK(record.traffic.held == 5);
}

TEST_CASE("a new leader that only the new process has seen completes the record of the old one",
          "[failover][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin);
  before.world.run_for(5s);
  nodes.says = {ProbeEnd(ProbeFailure::kRefused), ProbeEnd(facts(Role::kStandby)), ProbeEnd(facts(Role::kStandby))};
  before.world.run_for(4s);
  REQUIRE_FALSE(before.world.view().leader.has_value());
  nodes.says[1] = ProbeEnd(facts(Role::kActive));
  Process after(nodes);
  after.begin_after(before);
  after.world.run_for(100ms);
  REQUIRE(after.world.view().leader == kN2);
  after.take_over(before);
  CHECK(after.world.view().epoch == 2);
  after.world.run_for(20s);
  const std::vector<Failover> records = after.recorded.records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].cause == FailoverCause::kCrash);
  CHECK(records[0].to == kN2);
  CHECK(records[0].epoch_to == 2);
  CHECK(records[0].leaderless >= 3s);
}

TEST_CASE("a doubt of the old process ends where the new one has none", "[failover][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin);
  before.world.run_for(5s);
  Process after(nodes);
  after.take_over(before);
  after.begin_after(before);
  after.world.run_for(1s);
  nodes.says[0].reset();
  before.world.run_for(3s);
  REQUIRE(before.recorded.recorder().open().size() == 1);
  nodes.says[0] = ProbeEnd(facts(Role::kActive));
  after.world.run_for(2s);
  REQUIRE_FALSE(after.world.view().suspect);
  after.take_over(before);
  CHECK(after.recorded.recorder().open().empty());
  const std::vector<Failover> records = after.recorded.records();
  REQUIRE(records.size() <= 1);
  for (const Failover& each : records) CHECK_FALSE(each.changed_leader());
}

TEST_CASE("what both have seen is one record, as the old process saw it", "[failover][handover]") {
  Nodes nodes;
  Process before(nodes);
  before.world.start(kBegin);
  before.world.run_for(5s);
  Process after(nodes);
  after.take_over(before);
  after.begin_after(before);
  after.world.run_for(1s);
  before.world.run_for(1s);
  nodes.elect(kN2);
  after.world.run_for(2s);
  before.world.run_for(2s);
  REQUIRE(after.world.view().epoch == 2);
  REQUIRE(before.world.view().epoch == 2);
  REQUIRE(after.recorded.recorder().open().size() == 1);
  const std::vector<Failover> theirs = before.recorded.recorder().open();
  REQUIRE(theirs.size() == 1);
  REQUIRE(theirs[0].first_sign != after.recorded.recorder().open()[0].first_sign);
  after.take_over(before);
  after.world.run_for(20s);
  const std::vector<Failover> records = after.recorded.records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].epoch_to == 2);
  CHECK(records[0].first_sign == theirs[0].first_sign);
}

}  // namespace bellwether::cluster::testing
