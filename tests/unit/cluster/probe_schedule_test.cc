// When nodes are asked, by the schedule alone.
#include "cluster/tracker/probe_schedule.h"

#include "catch.hpp"

namespace bellwether::cluster {
namespace {

const TimePoint kStart = TimePoint{} + 1h;
const NodeId kOne{0};
const NodeId kTwo{1};

// Two nodes that answer; nobody has been asked.
class TwoNodeSchedule {
 public:
  TwoNodeSchedule()
      : members(first_topology({{"n1", "https://n1:8200"}, {"n2", "https://n2:8200"}})),
        probes(members.ids(), options) {
    for (NodeState& each : members) each.seen.up = true;
  }

  // The orders of that moment.
  std::vector<ProbeOrder> order_due(TimePoint now) {
    probes.order_due(members, context, options, now, journal);
    return journal.close(*members.topology(), nullptr, kNever).probes;
  }
  [[nodiscard]] TimePoint next_due(TimePoint now) const { return probes.next_due(members, context, options, now); }
  void answer_all(const std::vector<ProbeOrder>& orders, TimePoint now) {
    for (const ProbeOrder& order : orders) {
      REQUIRE(probes.end(order.probe, options, now).has_value());
      probes.of(order.node).note_answer(1ms, true, options);
      probes.of(order.node).note_vault_answer(now - 1ms);
    }
  }

  TrackerOptions options;
  PaceContext context;
  Members members;
  ProbeSchedule probes;
  Journal journal;
};

}  // namespace

TEST_CASE("the next probe is due within inter, and never later", "[cluster]") {
  TwoNodeSchedule it;
  const std::vector<ProbeOrder> first = it.order_due(kStart);
  REQUIRE(first.size() == 2);
  CHECK_FALSE(first[0].fresh_connection);
  it.answer_all(first, kStart + 1ms);
  CHECK(it.next_due(kStart + 1ms) > kStart + 800ms);
  CHECK(it.next_due(kStart + 1ms) <= kStart + 1s);
  CHECK(it.order_due(it.next_due(kStart + 1ms) - 1ns).empty());
  CHECK(it.order_due(it.next_due(kStart + 1ms)).size() == 1);
}

TEST_CASE("a late probe is followed by one more on a fresh connection, and by no third", "[cluster]") {
  TwoNodeSchedule it;
  it.context.unsettled_since = kStart;
  REQUIRE(it.order_due(kStart).size() == 2);
  CHECK(it.next_due(kStart) == kStart + 100ms);  // suspect_after, though the pace is that of an election
  const std::vector<ProbeOrder> second = it.order_due(kStart + 100ms);
  REQUIRE(second.size() == 2);
  CHECK(second[0].fresh_connection);
  CHECK(it.next_due(kStart + 100ms) == kNever);
  CHECK(it.order_due(kStart + 1min).empty());
}

TEST_CASE("a hint starts a round at once, and the next one waits for its gap", "[cluster]") {
  TwoNodeSchedule it;
  it.answer_all(it.order_due(kStart), kStart + 1ms);
  const TimePoint hinted = kStart + 100ms;
  it.probes.on_hint(HintKind::kRefused, false, hinted);
  CHECK(it.next_due(hinted) == hinted);
  it.answer_all(it.order_due(hinted), hinted + 1ms);
  it.probes.on_hint(HintKind::kRefused, false, hinted + 1ms);
  CHECK(it.next_due(hinted + 1ms) == hinted + 10ms);
  it.probes.begin_due_rounds(hinted + 10ms);
  CHECK(it.order_due(hinted + 10ms).size() == 2);
}

TEST_CASE("a hint that nobody waits for begins its round within 250 ms", "[cluster]") {
  TwoNodeSchedule it;
  it.answer_all(it.order_due(kStart), kStart + 1ms);
  const TimePoint hinted = kStart + 100ms;
  it.probes.on_hint(HintKind::kRefused, true, hinted);
  CHECK(it.order_due(hinted).empty());
  CHECK(it.next_due(hinted) > hinted);
  CHECK(it.next_due(hinted) <= hinted + 250ms);
}

TEST_CASE("nodes that stay keep their probes, and a removed node's probe is found no more", "[cluster]") {
  TwoNodeSchedule it;
  const std::vector<ProbeOrder> first = it.order_due(kStart);
  it.probes.set_nodes({kTwo});
  CHECK_FALSE(it.probes.end(first[0].probe, it.options, kStart + 1ms).has_value());
  const auto ended = it.probes.end(first[1].probe, it.options, kStart + 1ms);
  REQUIRE(ended.has_value());
  CHECK(ended->node == kTwo);
  CHECK(first[0].node == kOne);
}

TEST_CASE("a live request that was answered shields from lateness, not from a contest's patience", "[cluster]") {
  TrackerOptions options;
  NodeProbes probes;
  probes.order(1, 1.0, kStart);
  CHECK(probes.late_from(options) == kStart + 100ms);
  CHECK(probes.silent_since(options, kStart + 100ms) == kStart);
  probes.note_live_answer(kStart + 1ms);
  CHECK(probes.late_from(options) == kNever);
  CHECK_FALSE(probes.silent_since(options, kStart + 100ms).has_value());
  CHECK(probes.patience_over(kStart, 20ms) == kStart + 20ms);
}

}  // namespace bellwether::cluster
