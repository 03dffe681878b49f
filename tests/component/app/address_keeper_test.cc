#include "app/discovery/nodes.h"
#include "component/net/stream_pair.h"

using namespace bellwether;
using namespace bellwether::net::testing;

namespace {

net::Address address(const std::string& text) { return *net::Address::parse(text); }

// Looks all the time at two nodes whose names lead to 127.0.0.1 and 127.0.0.2.
struct Kept {
  Kept() {
    for (const char* host : {"127.0.0.1", "127.0.0.2"}) {
      app::NodePlan plan;
      plan.name = plan.host = host;
      plan.port = 8200;
      plan.address = address(plan.name + ":8200");
      plan.id = {static_cast<std::uint32_t>(plans.size())};
      plans.push_back(std::move(plan));
    }
  }
  void start() {
    app::AddressKeeper::Callbacks callbacks;
    callbacks.on_address = [this](NodeId, const net::Address& offered) {
      offers.push_back(offered.to_string());
      return takes;
    };
    callbacks.on_same_server = [](NodeId, NodeId, const net::Address&) {};
    callbacks.on_unresolved = [](NodeId, const std::string&) {};
    keeper.emplace(
        *loop, resolver, plans,
        [this](NodeId node) {
          looks += node.number == 0 ? 1 : 0;
          return true;
        },
        std::move(callbacks), 1ms);
  }
  bool until(const std::function<bool()>& done) { return loop->run_until(done, 20s); }
  bool look_a_few_times() {
    return until([this, enough = looks + 20] { return looks >= enough; });
  }

  std::unique_ptr<net::Loop> loop = make_loop();
  net::Resolver resolver{*loop};
  std::vector<app::NodePlan> plans;
  bool takes = true;
  int looks = 0;
  std::vector<std::string> offers;
  std::optional<app::AddressKeeper> keeper;
};

}  // namespace

TEST_CASE("a node that is down gets the address that its name leads to now", "[app]") {
  Kept kept;
  kept.plans[0].address = address("127.0.0.9:8200");
  kept.start();
  REQUIRE(kept.until([&] { return !kept.offers.empty(); }));
  CHECK(kept.offers.front() == "127.0.0.1:8200");
  CHECK(kept.plans[0].address == address("127.0.0.1:8200"));
}

TEST_CASE("a refused address is no node's, is offered once, and again after the name has led elsewhere", "[app]") {
  Kept kept;
  kept.takes = false;
  kept.plans[0].address = address("127.0.0.9:8200");
  kept.start();
  REQUIRE(kept.until([&] { return !kept.offers.empty(); }));
  REQUIRE(kept.look_a_few_times());
  CHECK(kept.offers == std::vector<std::string>{"127.0.0.1:8200"});
  CHECK(kept.plans[0].address == address("127.0.0.9:8200"));
  kept.plans[0].host = "127.0.0.3";
  REQUIRE(kept.until([&] { return kept.offers.size() == 2; }));
  kept.plans[0].host = "127.0.0.1";
  REQUIRE(kept.until([&] { return kept.offers.size() == 3; }));
  CHECK(kept.offers.back() == "127.0.0.1:8200");
  CHECK(kept.plans[0].address == address("127.0.0.9:8200"));
}
