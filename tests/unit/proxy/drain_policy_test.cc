#include "proxy/drain_policy.h"

#include "catch.hpp"
#include "proxy/end_reason.h"

namespace bellwether::proxy {

namespace {

constexpr NodeId kOld{0};
constexpr NodeId kNew{1};
constexpr DrainTimes kTimes{1s, 10s};

cluster::View led_by(std::optional<NodeId> leader) {
  cluster::View view;
  view.leader = leader;
  view.nodes.resize(2);
  for (auto& node : view.nodes) node.up = true;
  return view;
}

}  // namespace

TEST_CASE("the leader's sessions stay, whatever its probes do", "[proxy]") {
  cluster::View view = led_by(kOld);
  view.nodes[0].up = false;
  view.nodes[0].failure = cluster::ProbeFailure::kRefused;
  CHECK(standing_of(view, kOld) == Standing::kKeep);
}

TEST_CASE("a lost leader that has only gone silent keeps its sessions", "[proxy]") {
  cluster::View view = led_by(std::nullopt);
  view.nodes[0].role = cluster::Role::kSilent;
  view.nodes[0].up = false;
  CHECK(standing_of(view, kOld) == Standing::kKeep);
}

TEST_CASE("a node is demoted by its own word", "[proxy]") {
  cluster::View view = led_by(std::nullopt);
  view.nodes[0].role = cluster::Role::kStandby;
  CHECK(standing_of(view, kOld) == Standing::kDemoted);
}

TEST_CASE("a node is demoted when another has taken the epoch", "[proxy]") {
  CHECK(standing_of(led_by(kNew), kOld) == Standing::kDemoted);
}

TEST_CASE("a demoted node that refuses, resets or is down is dead", "[proxy]") {
  cluster::View view = led_by(kNew);
  view.nodes[0].failure = cluster::ProbeFailure::kReset;
  CHECK(standing_of(view, kOld) == Standing::kDead);
  view.nodes[0].failure = cluster::ProbeFailure::kAnswerTimeout;
  CHECK(standing_of(view, kOld) == Standing::kDemoted);
  view.nodes[0].up = false;
  CHECK(standing_of(view, kOld) == Standing::kDead);
}

TEST_CASE("maintenance empties even the leader", "[proxy]") {
  cluster::View view = led_by(kOld);
  view.nodes[0].admin = cluster::AdminState::kMaint;
  CHECK(standing_of(view, kOld) == Standing::kMaint);
}

TEST_CASE("a demoted session ends when quiet, or at the deadline", "[proxy]") {
  const TimePoint demoted{100s};
  CHECK(cut_now(Standing::kDemoted, demoted, demoted, demoted + 999ms, kTimes) == Cut::kNone);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted, demoted + 1s, kTimes) == Cut::kQuiet);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted + 9500ms, demoted + 9999ms, kTimes) == Cut::kNone);
  CHECK(cut_now(Standing::kDemoted, demoted, demoted + 9500ms, demoted + 10s, kTimes) == Cut::kDeadline);
  CHECK(cut_now(Standing::kMaint, demoted, demoted, demoted + 1s, kTimes) == Cut::kAdmin);
  CHECK(cut_now(Standing::kDead, demoted, demoted, demoted, kTimes) == Cut::kDead);
  CHECK(cut_now(Standing::kKeep, demoted, demoted, demoted + 1h, kTimes) == Cut::kNone);
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

}  // namespace bellwether::proxy
