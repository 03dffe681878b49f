// Claims that somebody waits for: asked for at once, never more than one probe at a time, told only while they confirm.
#include "bellwether/cluster/tracker.h"
#include "catch.hpp"

namespace bellwether::cluster {
namespace {

const TimePoint kStart = TimePoint{} + 1h;
const NodeId kOne{0};
const NodeId kTwo{1};

TrackerOptions two_nodes() {
  TrackerOptions options;
  options.topology = first_topology({{"n1", "https://n1:8200"}, {"n2", "https://n2:8200"}});
  options.cluster_id = "ours";
  return options;
}

// Two nodes; the first leads and was asked for the last time a millisecond ago.
class Led {
 public:
  Led() : tracker(two_nodes()) {
    Step step = tracker.apply(Start{}, kStart);
    REQUIRE(step.probes.size() == 2);
    answer(step.probes[0], Role::kActive, kStart, kStart + 1ms);
    step = answer(step.probes[1], Role::kStandby, kStart, kStart + 1ms);
    REQUIRE(tracker.view()->leader == kOne);
    // The fast rounds after a change, until nothing is due for a while.
    now = kStart + 1ms;
    while (step.wake_at < now + 500ms) {
      now = step.wake_at;
      step = tracker.apply(Tick{}, now);
      for (const ProbeOrder& order : std::vector<ProbeOrder>(step.probes)) {
        step = answer(order, order.node == kOne ? Role::kActive : Role::kStandby, now, now);
      }
    }
    now += 1ms;
  }

  Step answer(const ProbeOrder& order, Role role, TimePoint sent, TimePoint at) {
    ProbeAnswer made;
    made.probe = order.probe;
    made.sent = sent;
    made.received = at;
    made.facts.role = role;
    made.facts.status = role == Role::kActive ? 200 : 429;
    made.facts.cluster_id = "ours";
    return tracker.apply(made, at);
  }

  LeaderTracker tracker;
  TimePoint now{};
};

}  // namespace

TEST_CASE("a claim that is wanted is asked for at once, of the leader alone", "[cluster]") {
  Led it;
  const Step step = it.tracker.apply(ClaimWanted{it.now}, it.now);
  REQUIRE(step.probes.size() == 1);
  CHECK(step.probes[0].node == kOne);
  const Step told = it.answer(step.probes[0], Role::kActive, it.now, it.now + 2ms);
  REQUIRE(told.claim);
  CHECK(*told.claim == Claim{kOne, 1, it.now});
}

TEST_CASE("however many want a claim, one probe is under way and serves all that came before it", "[cluster]") {
  Led it;
  const Step first = it.tracker.apply(ClaimWanted{it.now}, it.now);
  REQUIRE(first.probes.size() == 1);
  for (int i = 1; i <= 50; ++i) CHECK(it.tracker.apply(ClaimWanted{it.now + i * 1us}, it.now + i * 1us).probes.empty());
  // They came after it was sent: one more serves them all.
  const Step second = it.answer(first.probes[0], Role::kActive, it.now, it.now + 1ms);
  REQUIRE(second.probes.size() == 1);
  CHECK(second.claim);
  const Step third = it.answer(second.probes[0], Role::kActive, it.now + 1ms, it.now + 2ms);
  CHECK(third.probes.empty());
  REQUIRE(third.claim);
  CHECK(third.claim->asked == it.now + 1ms);
}

TEST_CASE("a probe that was ordered after the moment that matters is enough", "[cluster]") {
  Led it;
  const Step first = it.tracker.apply(ClaimWanted{it.now}, it.now);
  REQUIRE(first.probes.size() == 1);
  CHECK(it.tracker.apply(ClaimWanted{it.now - 1ms}, it.now + 1ms).probes.empty());
  CHECK(it.answer(first.probes[0], Role::kActive, it.now, it.now + 2ms).probes.empty());
}

TEST_CASE("a claim that came before the wish for it is told again", "[cluster]") {
  Led it;
  const Step step = it.tracker.apply(ClaimWanted{it.now - 1ms}, it.now);
  CHECK(step.probes.empty());
  REQUIRE(step.claim);
  CHECK(step.claim->asked == it.now - 1ms);
}

TEST_CASE("a denial tells no claim, and the view says that nobody leads", "[cluster]") {
  Led it;
  const Step first = it.tracker.apply(ClaimWanted{it.now}, it.now);
  const Step denied = it.answer(first.probes.at(0), Role::kStandby, it.now, it.now + 1ms);
  CHECK_FALSE(denied.claim);
  CHECK_FALSE(denied.view->leader);
}

TEST_CASE("no claim is told of a leader that is suspect, until it is confirmed", "[cluster]") {
  Led it;
  const Step first = it.tracker.apply(ClaimWanted{it.now}, it.now);
  const Step suspect = it.tracker.apply(Tick{}, it.now + 150ms);
  REQUIRE(suspect.view->suspect);
  // The answer to the question from before: alive, but it confirms nothing.
  const Step late = it.answer(first.probes.at(0), Role::kActive, it.now, it.now + 160ms);
  CHECK_FALSE(late.claim);
  REQUIRE(!suspect.probes.empty());
  const Step confirmed = it.answer(suspect.probes[0], Role::kActive, it.now + 150ms, it.now + 161ms);
  REQUIRE(confirmed.claim);
  CHECK(confirmed.claim->asked == it.now + 150ms);
}

TEST_CASE("no claim is told while another node claims too", "[cluster]") {
  Led it;
  const Step hinted = it.tracker.apply(Hint{kOne, 1, HintKind::kClosed}, it.now);
  REQUIRE(hinted.probes.size() == 2);
  it.answer(hinted.probes[1], Role::kActive, it.now, it.now + 1ms);
  CHECK_FALSE(it.tracker.view()->challenger);  // the leader may have stood down meanwhile: it is asked again
  const Step asked_before = it.answer(hinted.probes[0], Role::kActive, it.now, it.now + 1ms);
  CHECK_FALSE(asked_before.claim);
  CHECK_FALSE(it.tracker.view()->challenger);
  REQUIRE(asked_before.probes.size() == 1);
  CHECK_FALSE(it.answer(asked_before.probes[0], Role::kActive, it.now + 1ms, it.now + 2ms).claim);
  CHECK_FALSE(it.tracker.view()->challenger);  // they may be two names of one server: /v1/sys/leader would tell
  (void)it.tracker.apply(Tick{}, it.now + two_nodes().suspect_after + 1ms);
  CHECK(it.tracker.view()->leader == kTwo);  // it rose, and nobody has said whom he follows
}

TEST_CASE("whoever wants a claim is traffic: the sidecar is not idle", "[cluster]") {
  Led it;
  const Step idle = it.tracker.apply(Tick{}, it.now + 11s);
  CHECK(idle.view->idle);
  CHECK_FALSE(it.tracker.apply(ClaimWanted{it.now + 11s}, it.now + 11s).view->idle);
}

}  // namespace bellwether::cluster
