#include <array>

#include "bellwether/base/prng.h"
#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

namespace {

// Clients that come, talk, half-close, leave and reset at random, while the leader moves, is lost and refuses.
class Storm {
 public:
  explicit Storm(std::uint64_t seed) : prng_(seed), dice_(*rig.loop, [this] { step(); }) {
    for (auto& backend : backends_) {
      backend = Backend::echo(*rig.loop);
      nodes_.push_back(rig.add_node(backend->address()));
    }
    Backend gone(*rig.loop);
    nodes_.push_back(rig.add_node(gone.address()));  // refuses
    rig.options.threads = 2;
    rig.options.maxconn = 40;
    rig.options.hold_max = 20;
    rig.options.hold_timeout_tcp = 200ms;
    rig.options.drain_quiet = 20ms;
    rig.options.drain_deadline = 60ms;
    rig.start();
    dice_.arm_in(1ms);
  }

  void run(int steps) {
    steps_left_ = steps;
    REQUIRE(rig.until([this] { return steps_left_ == 0; }, 30s));
    dice_.cancel();
    clients_.clear();
  }

  Rig rig{RigTime::kReal};  // steps come while others are under way

 private:
  void step() {
    if (steps_left_ > 0) --steps_left_;
    dice_.arm_in(1ms);
    if (clients_.size() < 60) clients_.push_back(rig.client());
    Peer& one = *clients_[prng_.below(clients_.size())];
    switch (prng_.below(8)) {
      case 0:
        return one.finish();
      case 1:
        return one.abort();
      case 2:
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(prng_.below(clients_.size())));
        return;
      case 3:
        return move();
      case 4:
        return one.send(std::string(200'000, 'b'));
      default:
        return one.send("small");
    }
  }

  void move() {
    if (prng_.chance(0.3)) return rig.no_leader(epoch_);
    const NodeId leader = nodes_[prng_.below(nodes_.size())];
    cluster::View view = rig.view(++epoch_, leader);
    if (prng_.chance(0.3)) view.hold = cluster::HoldReason::kSuspect;
    for (auto& node : view.nodes) {
      if (node.role == cluster::Role::kUnknown && prng_.chance(0.2)) node.failure = cluster::ProbeFailure::kReset;
    }
    rig.publish(view);
  }

  Prng prng_;
  std::array<std::unique_ptr<Backend>, 2> backends_;
  std::vector<NodeId> nodes_;
  std::vector<std::unique_ptr<Peer>> clients_;
  net::Timer dice_;
  Epoch epoch_ = 0;
  int steps_left_ = 0;
};

}  // namespace

TEST_CASE("after a storm of clients and failovers nothing is left and nothing was miscounted", "[proxy]") {
  Storm storm(GENERATE(1, 2));
  storm.run(800);
  const auto counts = [&] { return storm.rig.proxy->counts(); };
  REQUIRE(storm.rig.until([&] { return counts().sessions_now == 0; }));
  CHECK(counts().held_now == 0);
  CHECK(counts().sessions_total > 100);
  for (const NodeCounts& node : counts().nodes) CHECK(node.sessions_now == 0);
  bool idle = false;
  storm.rig.proxy->shut_down([&] { idle = true; });
  CHECK(storm.rig.until([&] { return idle; }));
}

}  // namespace bellwether::proxy
