#include <algorithm>

#include "catch.hpp"
#include "component/proxy/stuck_worker.h"
#include "component/proxy/two_nodes.h"

// Sessions in tcp mode whose node takes no requests: src/proxy/session_leave.cc. Where the outcome must not be that of
// drain_quiet or drain_deadline, both are far beyond the time that a test waits.
namespace bellwether::proxy {
namespace {

struct LeaveFixture : TwoNodes {
  explicit LeaveFixture(RigTime time = RigTime::kManual) : TwoNodes(time) {
    rig.options.drain_quiet = 1h;
    rig.options.drain_deadline = 1h;
  }
  void start() {
    rig.start();
    rig.lead(1, n1);
  }
  [[nodiscard]] ProxyCounts counts() const { return rig.proxy->counts(); }
  Peer& node_end() { return *first->peers.front(); }
  // The node keeps what it reads and says nothing of its own accord.
  void mute_first() {
    first->on_accept = [](Peer&) {};
  }
  // A client that has asked such a node, which has the request.
  std::unique_ptr<Peer> waiting_client(const std::string& request) {
    auto client = rig.client();
    client->send(request);
    REQUIRE(rig.until([&] { return !first->peers.empty() && node_end().received == request; }));
    return client;
  }
  // A client whose bytes look like TLS and that has had one answer: the node's words end no request for sure.
  std::unique_ptr<Peer> handshaking_client() {
    auto client = rig.client();
    client->send("\x16\x03\x01 and no hello");
    REQUIRE(rig.until([&] { return client->received == "\x16\x03\x01 and no hello"; }));
    return client;
  }
  void pass(Duration time) { rig.advance(time); }
};

std::string tls_record(std::size_t size) {
  return std::string("\x17\x03\x03", 3) + '\0' + static_cast<char>(size) + std::string(size, 'x');
}

}  // namespace

TEST_CASE("after a demotion a session with nothing under way ends, and the client reaches the new leader", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.session();
  fixture.rig.publish(fixture.moved());
  REQUIRE(fixture.rig.advance_until([&] { return client->saw_end; }));
  CHECK(fixture.counts().sessions_cut_quiet == 1);
  CHECK(fixture.end_of_first() == "DD");
  auto next = fixture.session();
  CHECK(fixture.second->peers.size() == 1);
}

TEST_CASE("a request that begins after the demotion ends its session, and the node gets nothing of it", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.handshaking_client();
  const std::string before = fixture.node_end().received;
  fixture.rig.publish(fixture.moved());
  fixture.pass(30ms);
  CHECK(!client->is_over());
  client->send("GET /v1/secret/data/k HTTP/1.1\r\n" + std::string(100'000, 'x'));
  REQUIRE(fixture.rig.until([&] { return client->saw_end; }));
  CHECK(!client->saw_reset);
  CHECK(fixture.counts().sessions_cut_request == 1);
  REQUIRE(fixture.rig.until([&] { return fixture.node_end().is_over(); }));
  CHECK(fixture.node_end().received == before);
  CHECK(fixture.end_of_first() == "DD");
  // What it says until it notices is discarded; then the session's place is free again.
  client->send(std::string(100'000, 'x'));
  client->finish();
  REQUIRE(fixture.rig.until([&] { return fixture.counts().sessions_now == 0; }));
  CHECK(!client->saw_reset);
}

TEST_CASE("a client that goes on talking after its session has ended is closed after 2 s", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.handshaking_client();
  fixture.rig.publish(fixture.moved());
  client->send(std::string(50, 'x'));
  REQUIRE(fixture.rig.until([&] { return client->saw_end; }));
  fixture.pass(2s - Duration(1));
  CHECK(fixture.counts().sessions_now == 1);
  fixture.pass(Duration(1));
  CHECK(fixture.counts().sessions_now == 0);
}

TEST_CASE("the answer that a client waits for reaches it whole, and the session ends right behind it", "[proxy]") {
  LeaveFixture fixture;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("ask");
  // A client in a closed loop asks again as soon as it has its answer.
  client->on_data = [](Peer& self, std::string_view) { self.send("again"); };
  fixture.rig.publish(fixture.moved());
  fixture.pass(30ms);
  CHECK(!client->is_over());
  fixture.node_end().send("the ");
  fixture.node_end().send("answer");
  REQUIRE(fixture.rig.advance_until([&] { return client->saw_end; }));
  CHECK(client->received == "the answer");
  CHECK(!client->saw_reset);
  CHECK(fixture.counts().sessions_cut_answer == 1);
  CHECK(fixture.counts().sessions_cut_request == 0);
  CHECK(fixture.node_end().received == "ask");
}

TEST_CASE("a long answer goes on until the deadline", "[proxy]") {
  LeaveFixture fixture;
  fixture.rig.options.drain_deadline = 300ms;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("ask");
  const TimePoint moved_at = fixture.rig.loop->precise_now();
  fixture.rig.publish(fixture.moved());
  net::Timer more(*fixture.rig.loop, [&] {
    if (fixture.node_end().is_over()) return;
    fixture.node_end().send(std::string(70'000, 'x'));
    more.arm_in(10ms);
  });
  more.arm_in(10ms);
  REQUIRE(fixture.rig.advance_until([&] { return client->is_over(); }));
  CHECK(fixture.rig.loop->precise_now() - moved_at >= 300ms);
  CHECK(fixture.counts().sessions_cut_deadline == 1);
  CHECK(client->received_bytes > 70'000);
}

TEST_CASE("an answer that its client does not read keeps the session until the deadline, and no longer", "[proxy]") {
  LeaveFixture fixture;
  fixture.rig.options.drain_quiet = 20ms;
  fixture.rig.options.drain_deadline = 300ms;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("ask");
  client->pause_reading(true);
  std::string much;
  much.resize(32'000'000, 'x');
  fixture.node_end().send(much);
  std::uint64_t taken = 0;
  REQUIRE(fixture.rig.until([&] { return std::exchange(taken, fixture.counts().bytes_down) == taken && taken > 0; }));
  const TimePoint moved_at = fixture.rig.loop->precise_now();
  fixture.rig.publish(fixture.moved());
  REQUIRE(fixture.rig.advance_until([&] { return fixture.counts().sessions_now == 0; }));
  CHECK(fixture.rig.loop->precise_now() - moved_at >= 300ms);
  CHECK(fixture.counts().sessions_cut_deadline == 1);
}

TEST_CASE("a client does not wait for a node that blocks once another leads", "[proxy]") {
  LeaveFixture fixture;
  fixture.rig.options.grace = 10s;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("ask");
  const TimePoint asked = fixture.rig.loop->precise_now();
  fixture.rig.publish(fixture.rig.suspect(1, fixture.n1));
  fixture.pass(120ms);
  CHECK(!client->is_over());
  cluster::View view = fixture.moved();
  view.nodes[0].role = cluster::Role::kActive;  // it has said nothing else yet
  view.nodes[0].silent_since = asked;
  fixture.rig.publish(view);
  REQUIRE(fixture.rig.advance_until([&] { return client->is_over(); }));
  CHECK(fixture.counts().sessions_cut_silent == 1);
}

TEST_CASE("while the leader is suspect a new request stays unread, until the leader is confirmed", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.session();
  fixture.rig.publish(fixture.rig.suspect(1, fixture.n1));
  client->send("2");
  REQUIRE(fixture.rig.until([&] { return fixture.counts().held_now == 1; }));
  CHECK(fixture.node_end().received == "1");
  fixture.rig.lead(1, fixture.n1);
  REQUIRE(fixture.rig.until([&] { return client->received == "12"; }));
  CHECK(fixture.counts().held_now == 0);
  CHECK(fixture.counts().held_total == 1);
}

TEST_CASE("a request that began while the leader was suspect never reaches it once it is demoted", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.session();
  fixture.rig.publish(fixture.rig.suspect(1, fixture.n1));
  client->send("2");
  REQUIRE(fixture.rig.until([&] { return fixture.counts().held_now == 1; }));
  fixture.rig.publish(fixture.moved());
  REQUIRE(fixture.rig.until([&] { return client->saw_end; }));
  CHECK(fixture.counts().sessions_cut_request == 1);
  CHECK(fixture.counts().held_now == 0);
  CHECK(fixture.node_end().received == "1");
}

TEST_CASE("a request that no leader comes for ends its session at the hold's timeout", "[proxy]") {
  LeaveFixture fixture;
  fixture.rig.options.hold_timeout_tcp = 100ms;
  fixture.start();
  auto client = fixture.session();
  fixture.rig.no_leader(1);
  client->send("2");
  REQUIRE(fixture.rig.until([&] { return fixture.counts().held_now == 1; }));
  fixture.pass(100ms - Duration(1));
  CHECK_FALSE(client->saw_end);
  fixture.pass(Duration(1));
  REQUIRE(fixture.rig.until([&] { return client->saw_end; }));
  CHECK(fixture.counts().hold_timeouts == 1);
  CHECK(fixture.end_of_first() == "sQ");
  CHECK(fixture.node_end().received == "1");
}

TEST_CASE("after a time without traffic a new request waits for a claim asked for since", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.session();
  cluster::View idle = fixture.rig.view(1, fixture.n1, cluster::HoldReason::kIdle);
  idle.idle = true;
  fixture.rig.publish(idle);
  fixture.pass(30ms);
  const int traffic = fixture.rig.traffic;
  client->send("2");
  REQUIRE(fixture.rig.until([&] { return fixture.rig.traffic > traffic; }));
  CHECK(fixture.node_end().received == "1");
  fixture.rig.lead(1, fixture.n1);
  CHECK(fixture.rig.until([&] { return client->received == "12"; }));
}

TEST_CASE("an answer that comes when the leader has blocked waits a moment for the truth about it", "[proxy]") {
  LeaveFixture fixture;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("ask");
  client->on_data = [](Peer& self, std::string_view) { self.send("again"); };
  fixture.rig.publish(fixture.rig.suspect(1, fixture.n1));
  fixture.pass(110ms);

  SECTION("and ends the session, if that is a demotion") {
    fixture.node_end().send("the answer");
    fixture.rig.publish(fixture.moved());
    REQUIRE(fixture.rig.advance_until([&] { return client->saw_end; }));
    CHECK(client->received == "the answer");
    CHECK(fixture.node_end().received == "ask");
    CHECK(fixture.counts().sessions_cut_answer == 1);
  }
  SECTION("and is passed on at once, if the leader is confirmed") {
    fixture.node_end().send("the answer");
    fixture.rig.lead(1, fixture.n1);
    REQUIRE(fixture.rig.until([&] { return fixture.node_end().received == "askagain"; }));
  }
  SECTION("and is passed on, if the truth does not come") {
    fixture.node_end().send("the answer");
    REQUIRE(fixture.rig.advance_until([&] { return client->received == "the answer"; }));
    CHECK(!client->is_over());
  }
}

TEST_CASE("a client that has said nothing yet moves to the new leader unnoticed", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.rig.client();
  REQUIRE(fixture.rig.until([&] { return fixture.first->peers.size() == 1; }));
  fixture.rig.publish(fixture.moved());
  REQUIRE(fixture.rig.until([&] { return fixture.second->peers.size() == 1; }));
  client->send("1");
  CHECK(fixture.rig.until([&] { return client->received == "1"; }));
  CHECK(fixture.node_end().received.empty());
  CHECK(fixture.counts().hello_replays == 0);
}

TEST_CASE("an HTTP/2 aside of the client's does not look like a request that waits", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  auto client = fixture.handshaking_client();
  std::string answers = client->received;
  for (int turn = 0; turn < 2; ++turn) {
    client->send(tls_record(100));
    answers += tls_record(100);
    REQUIRE(fixture.rig.until([&] { return client->received == answers; }));
  }
  fixture.node_end().on_data = {};  // it does not answer an aside
  client->send(tls_record(26));
  REQUIRE(fixture.rig.until([&] { return fixture.node_end().received == answers + tls_record(26); }));
  fixture.rig.publish(fixture.moved());
  CHECK(fixture.rig.advance_until([&] { return client->saw_end; }));
  CHECK(fixture.counts().sessions_cut_quiet == 1);
}

TEST_CASE("an upload that runs when the leader is demoted gets the node's answer", "[proxy]") {
  LeaveFixture fixture;
  fixture.mute_first();
  fixture.start();
  auto client = fixture.waiting_client("a");
  fixture.rig.publish(fixture.rig.suspect(1, fixture.n1));
  client->send("b");  // within the pause after which it would be another message
  client->send("c");
  REQUIRE(fixture.rig.until([&] { return fixture.node_end().received == "abc" || fixture.counts().held_now == 1; }));
  fixture.rig.publish(fixture.moved());
  fixture.node_end().send("the answer");
  REQUIRE(fixture.rig.advance_until([&] { return client->saw_end; }));
  CHECK(client->received == "the answer");
}

TEST_CASE("many sessions with nothing under way leave at a pace", "[proxy]") {
  LeaveFixture fixture;
  fixture.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(fixture.session());
  fixture.rig.publish(fixture.moved());
  const auto over = [&] {
    return std::count_if(clients.begin(), clients.end(), [](const auto& client) { return client->is_over(); });
  };
  REQUIRE(fixture.rig.advance_until([&] { return over() > 0; }));
  CHECK(over() < 40);
  CHECK(fixture.rig.advance_until([&] { return over() == 40; }));
  CHECK(fixture.counts().sessions_cut_quiet == 40);
}

namespace {

// More than the event loop hands out at a time. In real time: a worker that stands still cannot follow another clock.
struct Crowd : LeaveFixture {
  static constexpr int kSize = 120;

  Crowd() : LeaveFixture(RigTime::kReal), worker(rig) {
    rig.options.grace = 10s;
    second->on_accept = [](Peer& peer) { peer.on_end = [](Peer& self) { self.close(); }; };
  }
  void gather() {
    start();
    for (int i = 0; i < kSize; ++i) {
      clients.push_back(rig.client());
      REQUIRE(rig.until([&] { return counts().nodes.at(n1).sessions_now == static_cast<std::uint64_t>(i + 1); }));
    }
  }
  void pass_for_real(Duration time) {
    CHECK_FALSE(rig.until([] { return false; }, time));
  }
  [[nodiscard]] std::ptrdiff_t count(const std::function<bool(const Peer&)>& is_it) const {
    return std::count_if(clients.begin(), clients.end(), [&](const auto& client) { return is_it(*client); });
  }
  void until_all_over() {
    REQUIRE(rig.until([this] { return count([](const Peer& client) { return client.is_over(); }) == kSize; }, 20s));
  }

  StuckWorker worker;
  std::vector<std::unique_ptr<Peer>> clients;
};

}  // namespace

TEST_CASE("what a blocked node has answered at last is passed on, though a stop of ours kept us from reading it",
          "[proxy]") {
  Crowd crowd;
  crowd.mute_first();
  crowd.gather();
  auto& peers = crowd.first->peers;
  const auto asked_so_far = [&peers] {
    return std::count_if(peers.begin(), peers.end(), [](const auto& peer) { return peer->received == "ask"; });
  };
  // One by one: of a loop that has met a crowd at once libevent takes more at a time.
  for (int i = 0; i < Crowd::kSize; ++i) {
    crowd.clients[static_cast<std::size_t>(i)]->send("ask");
    REQUIRE(crowd.rig.until([&] { return asked_so_far() == i + 1; }));
  }
  const TimePoint asked = crowd.rig.loop->precise_now();
  cluster::View view = crowd.moved();
  crowd.rig.publish(view);
  crowd.worker.make_stuck();
  view.serial += 1;
  SECTION("before another leads") { view.nodes[0].silent_since = asked; }
  SECTION("before it dies") {
    view.nodes[0].up = false;
    view.nodes[0].failure = cluster::ProbeFailure::kRefused;
  }
  crowd.rig.publish(view);
  for (const auto& peer : peers) peer->send("answer");
  crowd.pass_for_real(120ms);
  crowd.worker.release();
  crowd.until_all_over();
  CHECK(crowd.count([](const Peer& client) { return client.received == "answer" && !client.saw_reset; }) ==
        Crowd::kSize);
}

TEST_CASE("a client that speaks in the moment in which its idle session ends reads an end, not a reset", "[proxy]") {
  Crowd crowd;
  crowd.start();
  for (int i = 0; i < Crowd::kSize; ++i) crowd.clients.push_back(crowd.session());
  crowd.rig.publish(crowd.moved());
  crowd.worker.make_stuck();
  for (const auto& client : crowd.clients) client->send("2");
  crowd.pass_for_real(20ms);
  crowd.worker.release();
  crowd.until_all_over();
  CHECK(crowd.count([](const Peer& client) { return client.saw_reset; }) == 0);
}

}  // namespace bellwether::proxy
