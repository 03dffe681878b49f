#include "catch.hpp"
#include "component/net/stream_pair.h"
#include "component/proxy/two_nodes.h"

namespace bellwether::proxy {

TEST_CASE("sessions on a demoted node that is dead are closed at once", "[proxy]") {
  TwoNodes pair;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  cluster::View view = pair.moved();
  view.nodes[0].failure = cluster::ProbeFailure::kRefused;
  const TimePoint moved_at = pair.rig.loop->precise_now();
  pair.rig.publish(view);
  REQUIRE(pair.rig.until([&] { return client->is_over(); }));
  CHECK(pair.rig.loop->precise_now() - moved_at < 900ms);
  CHECK(pair.rig.proxy->counts().sessions_cut_dead == 1);
}

TEST_CASE("silence and suspicion alone close no session", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.drain_quiet = 20ms;
  pair.rig.options.drain_deadline = 50ms;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  cluster::View suspect = pair.rig.view(1, pair.n1, cluster::HoldReason::kSuspect);
  suspect.nodes[0].role = cluster::Role::kSilent;
  pair.rig.publish(suspect);
  cluster::View lost = pair.rig.view(1, std::nullopt, cluster::HoldReason::kNoLeader);
  lost.nodes[0].role = cluster::Role::kSilent;
  lost.nodes[0].up = false;
  pair.rig.publish(lost);
  pair.rig.advance(300ms);
  CHECK(!client->is_over());
  // Only a leader gets what the client says now.
  client->send("2");
  REQUIRE(pair.rig.until([&] { return pair.rig.proxy->counts().held_now == 1; }));
  CHECK(pair.first->peers.front()->received == "1");
  pair.rig.lead(1, pair.n1);
  CHECK(pair.rig.until([&] { return client->received == "12"; }));
  CHECK(pair.rig.proxy->counts().held_now == 0);
}

TEST_CASE("a node that leaves a client unanswered is hinted at, once until it answers", "[proxy]") {
  Rig rig;
  Backend mute(*rig.loop);
  const NodeId n1 = rig.add_node(mute.address());
  rig.start();
  rig.lead(3, n1);
  auto client = rig.client();
  client->send("a");
  REQUIRE(rig.until([&] { return !mute.peers.empty() && mute.peers.front()->received == "a"; }));
  CHECK(rig.hints.empty());
  REQUIRE(rig.advance_until([&] { return rig.hints.size() == 1; }));
  CHECK(rig.hints.front().kind == cluster::HintKind::kSlow);
  CHECK(rig.hints.front().node == n1);
  CHECK(rig.hints.front().epoch == 3);

  client->send("b");
  REQUIRE(rig.until([&] { return !mute.peers.empty() && mute.peers.front()->received == "ab"; }));
  mute.peers.front()->send("at last");
  REQUIRE(rig.until([&] { return client->received == "at last"; }));
  CHECK(rig.hints.size() == 1);

  client->send("c");
  CHECK(rig.advance_until([&] { return rig.hints.size() == 2; }));
}

TEST_CASE("a node in maintenance loses its quiet sessions, by the operator's will", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.drain_quiet = 50ms;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  cluster::View view = pair.rig.view(1, std::nullopt, cluster::HoldReason::kNoLeader);
  view.nodes[0].admin = cluster::AdminState::kMaint;
  pair.rig.publish(view);
  REQUIRE(pair.rig.advance_until([&] { return client->is_over(); }));
  CHECK(pair.rig.proxy->counts().sessions_cut_admin == 1);
  CHECK(pair.end_of_first() == "KD");
}

TEST_CASE("a node in drain keeps its sessions", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.drain_quiet = 20ms;
  pair.rig.options.drain_deadline = 50ms;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  cluster::View view = pair.rig.view(1, std::nullopt, cluster::HoldReason::kNoLeader);
  view.nodes[0].admin = cluster::AdminState::kDrain;
  view.nodes[0].role = cluster::Role::kActive;
  pair.rig.publish(view);
  pair.rig.advance(200ms);
  CHECK(!client->is_over());
  client->send("2");
  CHECK(pair.rig.until([&] { return client->received == "12"; }));
}

TEST_CASE("a session that was still connecting when the leader moved reaches the new leader", "[proxy]") {
  Rig rig;
  net::testing::FullListener hung(*rig.loop);
  auto backend = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(hung.address);
  const NodeId n2 = rig.add_node(backend->address());
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  client->send("x");
  REQUIRE(rig.until([&] { return rig.traffic > 0 && rig.proxy->counts().sessions_now == 1; }));
  rig.lead(2, n2);
  CHECK(rig.until([&] { return client->received == "x"; }));
  CHECK(rig.proxy->counts().nodes.at(n1).connect_failures == 0);
}

TEST_CASE("a session that was still connecting when its leader became suspect waits, and dials anew", "[proxy]") {
  Rig rig;
  net::testing::FullListener hidden(*rig.loop);
  const NodeId n1 = rig.add_node(hidden.address);
  rig.start();
  rig.lead(1, n1);
  auto client = rig.client();
  REQUIRE(rig.until([&] { return rig.proxy->counts().sessions_now == 1; }));
  CHECK(rig.proxy->counts().held_now == 0);
  rig.publish(rig.suspect(1, n1));
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));

  net::testing::MuteListener awake(*rig.loop, std::move(hidden.socket));
  REQUIRE(rig.until([&] { return awake.accepted.size() == 1; }));
  rig.lead(1, n1);
  REQUIRE(rig.until([&] { return rig.proxy->counts().nodes.at(n1).connects == 1; }));
  CHECK(rig.proxy->counts().nodes.at(n1).connect_failures == 0);
}

TEST_CASE("of two views that follow each other during the change only the last is used", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.threads = 2;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  pair.rig.lead(2, pair.n2);
  pair.rig.lead(3, pair.n1);
  auto next = pair.session();
  CHECK(pair.first->peers.size() == 2);
  CHECK(pair.second->peers.empty());
}

TEST_CASE("sessions on a node that hangs are closed with the change of leader", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.grace = 10s;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto client = pair.session();
  cluster::View view = pair.rig.view(2, pair.n2);
  view.nodes[pair.n1.number].silent_since = pair.rig.loop->precise_now() - 10s;
  pair.rig.publish(std::move(view));
  REQUIRE(pair.rig.until([&] { return client->is_over(); }));
  CHECK(pair.rig.proxy->counts().sessions_cut_dead == 1);
}

TEST_CASE("after the control thread stood still nothing is sent before a claim that was asked for since", "[proxy]") {
  TwoNodes pair;
  pair.rig.start();
  pair.rig.lead(1, pair.n1);
  auto kept = pair.session();
  const TimePoint stopped_until = pair.rig.loop->precise_now();
  pair.rig.proxy->require_claim_since(stopped_until);
  kept->send("2");
  auto fresh = pair.rig.client();
  fresh->send("1");
  REQUIRE(pair.rig.until([&] { return pair.rig.proxy->counts().held_now == 2; }));
  SECTION("the leader claims anew") {
    auto view = pair.rig.view(1, pair.n1);
    view.claim_asked = stopped_until;
    pair.rig.publish(std::move(view));
    REQUIRE(pair.rig.until([&] { return kept->received == "12" && fresh->received == "1"; }));
    CHECK(pair.second->peers.empty());
  }
  SECTION("an older claim of the same leader is not enough, and another node leads") {
    auto view = pair.rig.view(1, pair.n1);
    view.claim_asked = stopped_until - 1ms;
    pair.rig.publish(std::move(view));
    auto moved = pair.moved();
    moved.claim_asked = stopped_until;
    pair.rig.publish(std::move(moved));
    REQUIRE(pair.rig.until([&] { return kept->is_over() && fresh->received == "1"; }));
    CHECK(kept->received == "1");  // what it said meanwhile did not reach the former leader
    CHECK(pair.first->peers[0]->received == "1");
    CHECK(pair.second->peers.size() == 1);
  }
}

TEST_CASE("nothing is sent while the control thread is overdue", "[proxy]") {
  TwoNodes pair;
  pair.rig.options.suspect_after = 200ms;
  pair.rig.start();
  pair.rig.proxy->expect_control_by(pair.rig.loop->precise_now() - 1s);
  pair.rig.lead(1, pair.n1);
  auto client = pair.rig.client();
  client->send("1");
  REQUIRE(pair.rig.until([&] { return pair.rig.proxy->counts().held_now == 1; }));
  CHECK(pair.first->peers.empty());
  // It runs again, and has found nothing that was late for long.
  pair.rig.proxy->expect_control_by(kNever);
  auto view = pair.rig.view(1, pair.n1);
  view.claim_asked = pair.rig.loop->precise_now();
  pair.rig.publish(std::move(view));
  CHECK(pair.rig.until([&] { return client->received == "1"; }));
}

}  // namespace bellwether::proxy
