#include "proxy/core/drain_policy.h"

#include "catch.hpp"
#include "proxy/core/end_reason.h"
#include "support/first_nodes.h"

namespace bellwether::proxy {

namespace {

constexpr NodeId kOld{0};
constexpr NodeId kNew{1};
constexpr DrainTimes kTimes{1s, 10s};
constexpr TimePoint kNow = TimePoint{} + 1h;
constexpr Duration kGrace = 1s;

cluster::View led_by(std::optional<NodeId> leader) {
  cluster::View view;
  view.leader = leader;
  view.nodes = bellwether::testing::first_nodes<cluster::NodeView>(2);
  for (auto& node : view.nodes) node.up = true;
  return view;
}

}  // namespace

TEST_CASE("the leader's sessions stay, whatever its probes do", "[proxy]") {
  cluster::View view = led_by(kOld);
  view.nodes[0].up = false;
  view.nodes[0].failure = cluster::ProbeFailure::kRefused;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kKeep);
}

TEST_CASE("a lost leader that has only gone silent keeps its sessions", "[proxy]") {
  cluster::View view = led_by(std::nullopt);
  view.nodes[0].role = cluster::Role::kSilent;
  view.nodes[0].up = false;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kKeep);
}

TEST_CASE("a node is demoted by its own word", "[proxy]") {
  cluster::View view = led_by(std::nullopt);
  view.nodes[0].role = cluster::Role::kStandby;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kDemoted);
}

TEST_CASE("a node is demoted when another has taken the epoch", "[proxy]") {
  CHECK(standing_of(led_by(kNew), kOld, kNow, kGrace) == Standing::kDemoted);
}

TEST_CASE("a demoted node that refuses, resets or is down is dead", "[proxy]") {
  cluster::View view = led_by(kNew);
  for (const auto failure : {cluster::ProbeFailure::kReset, cluster::ProbeFailure::kRefused}) {
    view.nodes[0].failure = failure;
    CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kDead);
  }
  view.nodes[0].failure = cluster::ProbeFailure::kAnswerTimeout;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kDemoted);
  view.nodes[0].up = false;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kDead);
}

TEST_CASE("maintenance empties even the leader", "[proxy]") {
  cluster::View view = led_by(kOld);
  view.nodes[0].admin = cluster::AdminState::kMaint;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kMaint);
}

TEST_CASE("a node in maintenance is so called though it answers no more", "[proxy]") {
  cluster::View view = led_by(kNew);
  view.nodes[0].admin = cluster::AdminState::kMaint;
  view.nodes[0].up = false;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kMaint);
}

TEST_CASE("a node that was removed is demoted, but none is before the first view", "[proxy]") {
  constexpr NodeId kRemoved{9};
  CHECK(standing_of(led_by(kNew), kRemoved, kNow, kGrace) == Standing::kDemoted);
  CHECK(standing_of(led_by(std::nullopt), kRemoved, kNow, kGrace) == Standing::kDemoted);
  CHECK(standing_of(cluster::View{}, kOld, kNow, kGrace) == Standing::kKeep);
}

TEST_CASE("a stream on a demoted node ends when quiet, or at the deadline", "[proxy]") {
  const TimePoint demoted{100s};
  CHECK(cut_now(Standing::kDemoted, demoted, demoted, demoted + 999ms, kTimes) == Cut::kNone);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted, demoted + 1s, kTimes) == Cut::kQuiet);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted + 9500ms, demoted + 9999ms, kTimes) == Cut::kNone);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted + 9500ms, demoted + 10s, kTimes) == Cut::kDeadline);
  CHECK(cut_now(Standing::kMaint, demoted, demoted, demoted + 1s, kTimes) == Cut::kAdmin);
  CHECK(cut_now(Standing::kDead, demoted, demoted, demoted, kTimes) == Cut::kDead);
  CHECK(cut_now(Standing::kKeep, demoted, demoted, demoted + 1h, kTimes) == Cut::kNone);
}

namespace {

constexpr TimePoint kLost{100s};
constexpr Duration kPause = 4ms;

LostNode lost(Standing standing = Standing::kDemoted) {
  LostNode node;
  node.standing = standing;
  node.since = kLost;
  node.is_replaced = true;
  return node;
}

// Between two requests, in plain text.
Dialogue answered() {
  Dialogue dialogue;
  dialogue.client_spoke(kLost - 1s);
  dialogue.node_spoke(1);
  return dialogue;
}

Dialogue waiting() {
  Dialogue dialogue;
  dialogue.client_spoke(kLost - 500ms);
  return dialogue;
}

}  // namespace

TEST_CASE("a session with nothing under way leaves once quiet for two round trips", "[proxy]") {
  const auto at = [](TimePoint last_active, TimePoint now) {
    return leave_now(lost(), answered(), last_active, kPause, false, now, kTimes);
  };
  CHECK(at(kLost - 1ms, kLost) == Cut::kNone);
  CHECK(at(kLost - 4ms, kLost) == Cut::kQuiet);
  CHECK(at(kLost - 1s, kLost) == Cut::kQuiet);
}

TEST_CASE("where drain_quiet is shorter than two round trips it is enough", "[proxy]") {
  const DrainTimes times{2ms, 10s};
  CHECK(leave_now(lost(), answered(), kLost, kPause, false, kLost + 1ms, times) == Cut::kNone);
  CHECK(leave_now(lost(), answered(), kLost, kPause, false, kLost + 2ms, times) == Cut::kQuiet);
}

TEST_CASE("a session of which bytes do not tell whether anything is under way needs drain_quiet", "[proxy]") {
  Dialogue handshake = answered();
  handshake.set_tls(true);
  Dialogue download = answered();
  download.node_spoke(Dialogue::kShortAnswer);
  for (const Dialogue& dialogue : {handshake, download}) {
    CHECK(leave_now(lost(), dialogue, kLost, kPause, false, kLost + 999ms, kTimes) == Cut::kNone);
    CHECK(leave_now(lost(), dialogue, kLost, kPause, false, kLost + 1s, kTimes) == Cut::kQuiet);
  }
}

TEST_CASE("a client that waits gets its answer, until the deadline", "[proxy]") {
  const LostNode node = lost();
  const TimePoint asked = kLost - 500ms;
  CHECK(leave_now(node, waiting(), asked, kPause, true, kLost + 9999ms, kTimes) == Cut::kNone);
  CHECK(leave_now(node, waiting(), asked, kPause, true, kLost + 10s, kTimes) == Cut::kDeadline);
  Dialogue dialogue = waiting();
  dialogue.node_spoke(1);
  CHECK(leave_now(node, dialogue, kLost + 1s, kPause, true, kLost + 1004ms, kTimes) == Cut::kAnswer);
}

TEST_CASE("a client does not wait for a node that blocks once another leads", "[proxy]") {
  LostNode node = lost();
  const TimePoint asked = kLost - 500ms;
  const auto at = [&](TimePoint now) { return leave_now(node, waiting(), asked, kPause, true, now, kTimes); };
  CHECK(at(kLost) == Cut::kNone);  // it answers its probes
  node.is_silent = true;
  CHECK(at(asked + kBlockedFor - 1ms) == Cut::kNone);
  CHECK(at(asked + kBlockedFor) == Cut::kSilent);
  Dialogue ticket = waiting();
  ticket.set_tls(true);
  ticket.node_spoke(1);
  CHECK(leave_now(node, ticket, kLost - 500ms, kPause, true, asked + kBlockedFor, kTimes) == Cut::kSilent);
  ticket.node_spoke(Dialogue::kShortAnswer);
  CHECK(leave_now(node, ticket, kLost - 500ms, kPause, true, asked + kBlockedFor, kTimes) == Cut::kNone);
  node.is_replaced = false;
  CHECK(at(kLost) == Cut::kNone);
  node = lost(Standing::kMaint);
  node.is_silent = true;
  CHECK(at(kLost) == Cut::kAdmin);
}

TEST_CASE("a sealed node is left at once unless it was asked a moment ago, a dead one whatever it owes", "[proxy]") {
  LostNode sealed = lost();
  sealed.is_sealed = true;
  sealed.is_replaced = false;
  CHECK(leave_now(sealed, answered(), kLost, kPause, false, kLost, kTimes) == Cut::kQuiet);
  Dialogue just_asked = answered();
  just_asked.client_spoke(kLost);
  const auto at = [&](TimePoint now) { return leave_now(sealed, just_asked, kLost, kPause, true, now, kTimes); };
  CHECK(at(kLost + kBlockedFor - 1ms) == Cut::kNone);
  CHECK(at(kLost + kBlockedFor) == Cut::kSilent);
  CHECK(leave_now(lost(Standing::kDead), waiting(), kLost, kPause, true, kLost, kTimes) == Cut::kDead);
}

TEST_CASE("maintenance follows the same rules, by the operator's will", "[proxy]") {
  const LostNode node = lost(Standing::kMaint);
  CHECK(leave_now(node, answered(), kLost - 1s, kPause, false, kLost, kTimes) == Cut::kAdmin);
  CHECK(leave_now(node, waiting(), kLost, kPause, true, kLost + 10s, kTimes) == Cut::kAdmin);
  CHECK(leave_now(lost(Standing::kKeep), answered(), kLost, kPause, false, kLost + 1h, kTimes) == Cut::kNone);
}

TEST_CASE("end reasons speak HAProxy's letters", "[proxy]") {
  const auto text = [](EndReason reason) { return std::string{reason.who, reason.when}; };
  CHECK(text(kEndedNormally) == "--");
  CHECK(text(ended_by_client(Phase::kHeld)) == "CQ");
  CHECK(text(ended_by_node(Phase::kLastData)) == "SL");
  CHECK(text(refused_by_us(Phase::kHeld)) == "PQ");
  CHECK(text(node_timed_out(Phase::kHeld)) == "sQ");
  CHECK(text(idle_timed_out(Phase::kRelaying)) == "cD");
  CHECK(text(ended_by_us(Phase::kConnecting)) == "LC");
  CHECK(text(ended_by_us(Phase::kRequest)) == "LR");
  CHECK(text(node_lost(Phase::kHeaders)) == "DH");
  CHECK(text(cut_by(Cut::kDead, Phase::kRelaying)) == "DD");
  CHECK(text(cut_by(Cut::kAdmin, Phase::kRelaying)) == "KD");
}

TEST_CASE("a node that was replaced is dead once it has left its probes unanswered for the grace time", "[proxy]") {
  cluster::View view = led_by(kNew);
  view.nodes[0].silent_since = kNow - kGrace + 1ms;
  CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kDemoted);
  CHECK_FALSE(is_hung(view, kOld, kNow, kGrace));
  CHECK(hung_from(view, kOld, kNow, kGrace) == kNow + 1ms);
  CHECK(standing_of(view, kOld, kNow + 1ms, kGrace) == Standing::kDead);
  CHECK(is_hung(view, kOld, kNow + 1ms, kGrace));
  CHECK(hung_from(view, kOld, kNow + 1ms, kGrace) == kNever);
}

TEST_CASE("silence alone, without another leader, is no reason to end what runs on a node", "[proxy]") {
  for (const auto leader : {std::optional<NodeId>(), std::optional(kOld)}) {
    cluster::View view = led_by(leader);
    view.nodes[0].silent_since = kNow - 1min;
    CHECK(standing_of(view, kOld, kNow, kGrace) == Standing::kKeep);
    CHECK_FALSE(is_hung(view, kOld, kNow, kGrace));
    CHECK(hung_from(view, kOld, kNow, kGrace) == kNever);
  }
}

TEST_CASE("a node that was replaced and answers its probes is given its time", "[proxy]") {
  CHECK(standing_of(led_by(kNew), kOld, kNow, kGrace) == Standing::kDemoted);
  CHECK(hung_from(led_by(kNew), kOld, kNow, kGrace) == kNever);
}

}  // namespace bellwether::proxy
