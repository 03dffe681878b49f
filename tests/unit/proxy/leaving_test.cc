#include "proxy/tcp/leaving.h"

#include "catch.hpp"
#include "proxy/core/end_reason.h"

namespace bellwether::proxy {

namespace {

constexpr DrainTimes kTimes{1s, 10s};
constexpr TimePoint kNow = TimePoint{} + 1h;
constexpr LostNode kDemotedNow{Standing::kDemoted, kNow};

// The client spoke at that moment and the node has not answered.
Dialogue asked_at(TimePoint at) {
  Dialogue dialogue;
  dialogue.client_spoke(at);
  return dialogue;
}

Dialogue answered(std::size_t bytes) {
  Dialogue dialogue = asked_at(kNow - 1s);
  dialogue.node_spoke(bytes);
  return dialogue;
}

}  // namespace

TEST_CASE("a session whose node takes requests keeps nothing about leaving it", "[proxy][leaving]") {
  Leaving leaving;
  CHECK_FALSE(leaving);
  CHECK_FALSE(leaving.needs_steps());
  CHECK_FALSE(leaving.is_paused());
  CHECK(leaving.end_pause() == Duration::zero());
  leaving.end_deferral();
  CHECK_FALSE(leaving);
}

TEST_CASE("of a node in doubt only an answer that comes late is deferred, and for 50 ms", "[proxy][leaving]") {
  Leaving leaving;
  CHECK_FALSE(leaving.defers_answer(asked_at(kNow - kBlockedFor + 1ms), false, kNow));
  CHECK_FALSE(leaving.defers_answer(answered(100), false, kNow));
  CHECK_FALSE(leaving);
  REQUIRE(leaving.defers_answer(asked_at(kNow - kBlockedFor), false, kNow));
  CHECK(leaving.needs_steps());
  // More of it, which moves the end of the deferral no further away.
  CHECK(leaving.defers_answer(answered(100), false, kNow + 40ms));
  CHECK_FALSE(leaving.is_answer_due(kNow + 49ms));
  CHECK(leaving.is_answer_due(kNow + 50ms));
  CHECK_FALSE(leaving.is_answer_last(kNow + 50ms));
  leaving.end_deferral();
  CHECK_FALSE(leaving.needs_steps());
}

TEST_CASE("an answer of a lost node is deferred until the node is quiet, a long one is not", "[proxy][leaving]") {
  Leaving leaving;
  leaving.lose_node(asked_at(kNow), 5ms);
  CHECK_FALSE(leaving.defers_answer(answered(Dialogue::kShortAnswer + 1), true, kNow));
  REQUIRE(leaving.defers_answer(asked_at(kNow), true, kNow));
  CHECK_FALSE(leaving.is_answer_due(kNow + 9ms));
  CHECK(leaving.is_answer_due(kNow + 10ms));
  CHECK(leaving.is_answer_last(kNow + 10ms));
  // The node goes on speaking until the deferral is over all the same.
  CHECK(leaving.defers_answer(answered(100), true, kNow + 45ms));
  CHECK(leaving.is_answer_due(kNow + 50ms));
  CHECK_FALSE(leaving.is_answer_last(kNow + 50ms));
}

TEST_CASE("the reason of a cut tells what was under way when the node was lost", "[proxy][leaving]") {
  const Dialogue now = answered(100);
  Leaving quiet;
  quiet.lose_node(answered(100), 5ms);
  CHECK(quiet.cut_now(kDemotedNow, {now, kNow - 5ms, false}, kNow, kTimes) == Cut::kNone);
  CHECK(quiet.cut_now(kDemotedNow, {now, kNow - 10ms, false}, kNow, kTimes) == Cut::kQuiet);
  Leaving waiting;
  waiting.lose_node(asked_at(kNow - 1s), 5ms);
  CHECK(waiting.cut_now(kDemotedNow, {now, kNow - 10ms, false}, kNow, kTimes) == Cut::kAnswer);
}

TEST_CASE("a client that does not read its answer has until the deadline", "[proxy][leaving]") {
  const Dialogue dialogue = answered(100);
  Leaving leaving;
  leaving.lose_node(dialogue, 5ms);
  const RelayState blocked{dialogue, kNow - 5s, true};
  CHECK(leaving.cut_now(kDemotedNow, blocked, kNow + 9s, kTimes) == Cut::kNone);
  CHECK(leaving.cut_now(kDemotedNow, blocked, kNow + 10s, kTimes) == Cut::kDeadline);
}

TEST_CASE("a client is given two seconds to close behind our end", "[proxy][leaving]") {
  Leaving leaving;
  CHECK_FALSE(leaving.has_lingered(kNow + 1h));
  leaving.linger(kNow);
  CHECK_FALSE(leaving.needs_steps());
  CHECK_FALSE(leaving.has_lingered(kNow + kLongestLinger - 1ms));
  CHECK(leaving.has_lingered(kNow + kLongestLinger));
}

}  // namespace bellwether::proxy
