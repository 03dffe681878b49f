#include <algorithm>

#include "catch.hpp"
#include "component/proxy/http_rig.h"

// What nodes and elections do to the traffic between: see tests/README.md.
namespace bellwether::proxy {

TEST_CASE("a thousand that waited do not knock at a new leader all at once", "[proxy][traps]") {
  constexpr std::size_t kClients = 1000;
  Rig rig;
  rig.options.hold_max = kClients;
  Backend leader(*rig.loop);
  std::size_t unanswered = 0;
  std::size_t most = 0;
  leader.on_accept = [&](Peer& peer) {
    most = std::max(most, ++unanswered);
    peer.on_data = [&](Peer& self, std::string_view) {
      self.send("y");
      --unanswered;
    };
  };
  const NodeId n1 = rig.add_node(leader.address());
  rig.start();
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(rig.client());
    clients.back()->send("x");
  }
  // One that has said nothing yet waits for no word of the node's either.
  const auto have_spoken = [&] {
    return std::all_of(clients.begin(), clients.end(), [](const auto& each) { return each->unsent() == 0; });
  };
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == kClients && have_spoken(); }, 20s));
  rig.lead(1, n1);
  REQUIRE(rig.until(
      [&] {
        return std::all_of(clients.begin(), clients.end(), [](const auto& each) { return each->received == "y"; });
      },
      30s));
  CHECK(most <= 64);  // for none counts as late
  CHECK(rig.proxy->counts().held_now == 0);
}

TEST_CASE("a node that stands down and is elected again keeps its sessions, and serves what was held",
          "[proxy][traps]") {
  Rig rig;
  auto node = Backend::echo(*rig.loop);
  const NodeId n1 = rig.add_node(node->address());
  rig.options.drain_quiet = 300ms;
  rig.options.drain_deadline = 10s;
  rig.start();
  rig.lead(1, n1);
  auto kept = rig.client();
  kept->send("before ");
  REQUIRE(rig.until([&] { return kept->received == "before "; }));
  cluster::View lost = rig.view(1, std::nullopt, cluster::HoldReason::kNoLeader);
  lost.nodes[0].role = cluster::Role::kStandby;
  rig.publish(lost);
  auto held = rig.client();
  held->send("held");
  REQUIRE(rig.until([&] { return rig.proxy->counts().held_now == 1; }));
  rig.lead(2, n1);
  REQUIRE(rig.until([&] { return held->received == "held"; }));
  // Quiet for longer than drain_quiet, but no longer on a node that was demoted.
  rig.advance(600ms);
  CHECK_FALSE(kept->is_over());
  kept->send("after");
  CHECK(rig.until([&] { return kept->received == "before after"; }));
}

TEST_CASE("a leader whose address leads back to us is not followed: its 307 means that the request waits",
          "[proxy][http][traps]") {
  HttpRig it;
  it.start();
  const std::string ours = it.rig.proxy->addresses().front().to_string();
  it.one.answer = [&](const Seen& asked, Peer&) {
    const std::string path = asked.line.substr(4, asked.line.find(' ', 4) - 4);
    return "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://" + ours + path + "\r\nContent-Length: 0\r\n\r\n";
  };
  auto client = it.rig.client();
  client->send(get("/v1/secret/data/a"));
  REQUIRE(it.rig.until([&] { return it.rig.proxy->counts().held_now == 1; }));
  CHECK(it.one.seen.size() == 1);
  CHECK(it.counts().requests_total == 1);
  it.rig.lead(2, it.n2);
  CHECK(it.until_has(*client, "200 OK"));
  CHECK(it.counts().requests_total == 1);
}

}  // namespace bellwether::proxy
