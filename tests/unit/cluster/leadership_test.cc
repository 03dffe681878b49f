// The states of leadership by themselves, and what use of the proxy there is.
#include "cluster/tracker/leadership.h"

#include "catch.hpp"
#include "cluster/tracker/demand.h"

namespace bellwether::cluster {
namespace {

const TimePoint kStart = TimePoint{} + 1h;
const NodeId kOne{0};
const NodeId kTwo{1};

Election by_claim(NodeId node, TimePoint claim_sent) { return {.node = node, .claim_sent = claim_sent, .why = {}}; }

NodeState claiming_since(TimePoint claim_sent) {
  NodeState node;
  node.claim_sent = claim_sent;
  return node;
}

}  // namespace

TEST_CASE("a suspicion ends by a claim that was asked for since", "[cluster]") {
  Journal journal;
  Leadership leadership;
  leadership.start(std::nullopt, kStart);
  CHECK(leadership.unsettled_since() == kStart);
  leadership.elect(by_claim(kOne, kStart), kStart, journal);
  CHECK(leadership.is_settled());
  leadership.suspect("its probe is late", kStart + 1s, journal);
  CHECK(leadership.unsettled_since() == kStart + 1s);
  leadership.confirm(kStart + 999ms, journal);
  CHECK(leadership.is_suspect());
  leadership.confirm(kStart + 1s, journal);
  CHECK(leadership.is_settled());
}

TEST_CASE("who was lost leads again only by a newer claim, others by one newer than the leader's", "[cluster]") {
  Journal journal;
  Leadership leadership;
  leadership.elect(by_claim(kOne, kStart), kStart, journal);
  leadership.confirm(kStart + 1s, journal);
  CHECK_FALSE(leadership.is_newer(kTwo, claiming_since(kStart + 999ms)));
  CHECK(leadership.is_newer(kTwo, claiming_since(kStart + 1s)));
  leadership.lose("it denies", kStart + 2s, journal);
  CHECK_FALSE(leadership.is_newer(kOne, claiming_since(kStart + 1999ms)));
  CHECK(leadership.is_newer(kOne, claiming_since(kStart + 2s)));
}

TEST_CASE("the loss of a suspect leader dates back to the suspicion", "[cluster]") {
  Journal journal;
  Leadership leadership;
  leadership.elect(by_claim(kOne, kStart), kStart, journal);
  leadership.suspect("its probe is late", kStart + 1s, journal);
  leadership.lose("it denies", kStart + 3s, journal);
  CHECK(leadership.leaderless_since() == kStart + 1s);
}

TEST_CASE("a pause postpones idleness, which counts anew when the pause is over", "[cluster]") {
  TrackerOptions options;  // idle_after 10s
  Journal journal;
  Demand demand;
  demand.start(kStart);
  CHECK(demand.next_wake(options, kStart) == kStart + 10s);
  demand.pause(1min, kStart + 1s, journal);
  CHECK(demand.next_wake(options, kStart + 1s) == kStart + 61s);
  demand.settle(true, options, kStart + 30s, journal);
  CHECK_FALSE(demand.is_idle());
  demand.settle(true, options, kStart + 61s, journal);
  CHECK_FALSE(demand.is_paused());
  CHECK(demand.next_wake(options, kStart + 61s) == kStart + 71s);
  demand.settle(true, options, kStart + 71s, journal);
  CHECK(demand.is_idle());
  const Demand::Woken woken = demand.note_traffic(options, kStart + 80s);
  CHECK((woken.was_unused && woken.was_idle));
  CHECK_FALSE(demand.is_idle());
}

}  // namespace bellwether::cluster
