#include "component/net/stream_pair.h"
#include "component/probe/fake_node.h"
#include "component/probe/watch.h"

// Nodes that come and go while the prober asks them.
using namespace bellwether;
using probe::testing::FakeNode;
using probe::testing::pass;
using probe::testing::Watch;

namespace {

// Node i has the id ids[i] and is at addresses[i].
void reconfigure(Watch& watch, const std::vector<NodeId>& ids, const std::vector<net::Address>& addresses) {
  auto topology = std::make_shared<cluster::Topology>();
  probe::ProberOptions options = watch.options;
  options.targets.clear();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string name = "n" + std::to_string(ids[i].number + 1);
    topology->nodes.add(ids[i], {name, "http://" + name});
    options.targets.push_back({name, addresses[i], nullptr, "", "vault.test"});
  }
  options.tracker.topology = topology;
  bool is_done = false;
  watch.prober->reconfigure(options, [&is_done](const Result<void>& done) { is_done = done.has_value(); });
  REQUIRE(watch.until([&] { return is_done; }));
}

}  // namespace

TEST_CASE("a node that is added is asked, and leads if it claims", "[probe][nodes]") {
  const net::testing::ManualLoop loop;
  FakeNode first(*loop, 429);
  FakeNode second(*loop, 200);
  Watch watch(*loop);
  watch.add(first.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.prober->view()->nodes[0].up; }));
  reconfigure(watch, {{0}, {1}}, {first.address(), second.address()});
  REQUIRE(watch.until([&] { return watch.leader_is(1); }));
  CHECK(watch.prober->view()->nodes.ids() == std::vector<NodeId>{{0}, {1}});
  CHECK(watch.prober->counts({0}).probes > 0);
}

TEST_CASE("a node that is removed is asked no more, and its answers mean nothing", "[probe][nodes]") {
  const net::testing::ManualLoop loop;
  FakeNode first(*loop, 200);
  FakeNode second(*loop, 429);
  Watch watch(*loop);
  watch.options.timeout_check = 10s;
  watch.add(first.address());
  watch.add(second.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  first.hangs = true;
  REQUIRE(watch.until([&] { return !first.waiting.empty(); }));  // the answer comes when the node is gone
  reconfigure(watch, {{1}}, {second.address()});
  CHECK_FALSE(watch.prober->view()->leader);
  first.wake();
  pass(*loop, 200ms);
  CHECK_FALSE(watch.prober->view()->leader);
  CHECK(first.waiting.empty());
  second.status = 200;
  REQUIRE(watch.until([&] { return watch.leader_is(1); }));
}

TEST_CASE("a node that stays is asked over the connection that it has", "[probe][nodes]") {
  const net::testing::ManualLoop loop;
  FakeNode first(*loop, 200);
  FakeNode second(*loop, 429);
  Watch watch(*loop);
  watch.add(first.address());
  watch.start();
  REQUIRE(watch.until([&] { return watch.leader_is(0); }));
  const int connections = first.connections;
  reconfigure(watch, {{0}, {1}}, {first.address(), second.address()});
  const std::uint64_t asked = watch.prober->counts({0}).probes;
  REQUIRE(watch.until([&] { return watch.prober->counts({0}).probes >= asked + 3; }));
  CHECK(first.connections == connections);
  CHECK(watch.prober->view()->epoch == 1);
}

TEST_CASE("all nodes may be replaced again and again while their probes are under way", "[probe][nodes]") {
  const net::testing::ManualLoop loop;
  FakeNode first(*loop, 200);
  FakeNode second(*loop, 200);
  Watch watch(*loop);
  watch.add(first.address());
  watch.start();
  for (std::uint32_t i = 1; i <= 50; ++i) {
    reconfigure(watch, {{i}}, {i % 2 == 0 ? first.address() : second.address()});
    REQUIRE(watch.until([&] { return watch.leader_is(static_cast<int>(i)); }));
  }
  CHECK(watch.prober->view()->epoch >= 50);
}
