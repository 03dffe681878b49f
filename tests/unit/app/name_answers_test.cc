#include "app/discovery/name_answers.h"

#include <algorithm>
#include <map>
#include <set>

#include "bellwether/base/prng.h"
#include "catch.hpp"

using namespace bellwether;
using app::NameAnswers;

namespace {

net::Address address(int number) { return *net::Address::parse("10.0.0." + std::to_string(number) + ":8200"); }

// One name, the nodes that follow its answers, and which of them are down.
struct Fixture {
  Fixture() {
    config::Node node;
    node.host = "bao";
    node.port = 8200;
    node.name = "bao:8200";
    nodes.push_back(node);
  }

  void answer(std::vector<int> numbers) {
    std::vector<net::Address> addresses;
    for (const int number : numbers) addresses.push_back(address(number));
    settle(app::ResolvedName(std::move(addresses)));
  }
  void fail_to_answer() { settle(fail(ErrorKind::kUnavailable, "cannot resolve \"bao\"")); }

  void settle(app::ResolvedName one) {
    now += step;
    std::vector<app::ResolvedName> answers;
    answers.push_back(std::move(one));
    NameAnswers::Settled settled = names.settle(nodes, present, std::move(answers), states(), now, 30s);
    moved = settled.moved;
    is_in_doubt = settled.is_in_doubt;
    (void)app::keep_known_addresses(nodes, present, settled.found);
    auto next = app::replan_nodes(nodes, settled.found, present, unused);
    REQUIRE(next);
    present = *next;
    for (const auto& [node, to] : moved) {
      for (app::NodePlan& plan : present) {
        if (plan.id == node) plan.resolved = plan.address = to;
      }
    }
  }

  [[nodiscard]] app::NodeStates states() const {
    return {[this](NodeId node) { return down.contains(node.number); },
            [this](NodeId node) { return held.contains(node.number); },
            [this](NodeId node) { return clusters.contains(node.number) ? clusters.at(node.number) : std::string(); },
            [this](NodeId node) { return leading.contains(node.number); },
            [this](NodeId node) { return leading.contains(node.number) && leading.size() == 1; },
            [this] { return is_cluster_given; }};
  }

  // The last parts of the addresses, in order.
  [[nodiscard]] std::vector<int> in_use() const {
    std::vector<int> numbers;
    for (const app::NodePlan& plan : present) {
      if (plan.resolved) numbers.push_back(std::stoi(plan.resolved->host().substr(7)));
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }
  [[nodiscard]] NodeId node_at(int number) const {
    for (const app::NodePlan& plan : present) {
      if (plan.resolved == address(number)) return plan.id;
    }
    return {};
  }
  void set_down(int number) { down.insert(node_at(number).number); }
  void state(const std::string& cluster_id, const std::vector<int>& numbers) {
    for (const int number : numbers) clusters[node_at(number).number] = cluster_id;
  }

  std::vector<config::Node> nodes;
  std::vector<app::NodePlan> present;
  NodeId unused;
  NameAnswers names;
  std::set<std::uint32_t> down;
  std::set<std::uint32_t> held;
  std::map<std::uint32_t, std::string> clusters;  // what nodes state
  std::set<std::uint32_t> leading;
  TimePoint now{};
  Duration step = 30s;
  std::vector<std::pair<NodeId, net::Address>> moved;
  bool is_in_doubt = false;
  bool is_cluster_given = false;
};

using Numbers = std::vector<int>;

}  // namespace

TEST_CASE("a name that grows has its new addresses at once", "[app][names]") {
  Fixture it;
  it.answer({1});
  const NodeId first = it.node_at(1);
  it.answer({1, 2, 3});
  CHECK(it.in_use() == Numbers{1, 2, 3});
  CHECK(it.node_at(1) == first);
}

TEST_CASE("the order of an answer changes nothing", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  const std::vector<app::NodePlan> before = it.present;
  it.answer({3, 1, 2});
  CHECK(app::node_changes(before, it.present).empty());
  it.answer({4, 3, 2, 1});
  CHECK(app::node_changes(before, it.present).size() == 1);
}

TEST_CASE("an address that is missing from an answer stays while its node answers, for fifteen answers",
          "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  for (int i = 1; i < NameAnswers::kAnswersToLeave; ++i) {
    it.answer({1, 2});
    CHECK(it.in_use() == Numbers{1, 2, 3});
  }
  it.answer({1, 2});
  CHECK(it.in_use() == Numbers{1, 2});
}

TEST_CASE("an address that comes back meanwhile has missed nothing", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  for (int round = 0; round < 5 * NameAnswers::kAnswersToLeave; ++round) {
    it.answer(round % 2 == 0 ? Numbers{1, 2} : Numbers{2, 3});
    CHECK(it.in_use() == Numbers{1, 2, 3});
  }
}

TEST_CASE("an address that is missing and whose node is down leaves at once", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.set_down(3);
  it.answer({1, 2, 4});
  CHECK(it.in_use() == Numbers{1, 2, 4});
}

TEST_CASE("a name that moved is followed when it has said so twice, though the old node answers", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
  it.answer({6, 5, 4});
  CHECK(it.in_use() == Numbers{4, 5, 6});
}

TEST_CASE("a name that moved is followed as soon as its new nodes state another cluster", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.state("old", {1, 2, 3});
  it.leading.insert(it.node_at(1).number);
  it.answer({4, 5, 6});
  CHECK(it.is_in_doubt);
  it.state("new", {5});
  it.step = 200ms;
  it.answer({4, 5, 6});
  CHECK_FALSE(it.is_in_doubt);
  CHECK(it.in_use() == Numbers{4, 5, 6});
}

TEST_CASE("a name that moved to a copy of the cluster is followed as soon as a new node says that it leads",
          "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.state("one", {1, 2, 3});
  it.leading.insert(it.node_at(1).number);
  it.answer({4, 5, 6});
  it.state("one", {4, 5, 6});
  it.leading.insert(it.node_at(4).number);
  it.step = 200ms;
  it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{4, 5, 6});
}

TEST_CASE("a name that goes back to the cluster of before is followed when it has said so twice", "[app][names]") {
  Fixture it;
  const auto say_whose_they_are = [&] {
    for (const int number : it.in_use()) it.state(number < 4 ? "old" : "new", {number});
  };
  it.answer({1, 2, 3});
  say_whose_they_are();
  it.answer({4, 5, 6});
  say_whose_they_are();
  it.answer({4, 5, 6});
  REQUIRE(it.in_use() == Numbers{4, 5, 6});
  it.answer({1, 2, 3});
  say_whose_they_are();
  SECTION("not by what its nodes say, as name servers may not agree") {
    it.step = 200ms;
    it.answer({1, 2, 3});
    CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
    it.answer({4, 5, 6});
    CHECK(it.in_use() == Numbers{4, 5, 6});
  }
  SECTION("by a second answer, an interval later") {
    it.answer({1, 2, 3});
    CHECK(it.in_use() == Numbers{1, 2, 3});
  }
  SECTION("at once by a reload") {
    std::vector<app::ResolvedName> answers;
    answers.emplace_back(std::vector{address(1), address(2), address(3)});
    const auto used = app::keep_missing_addresses(it.nodes, it.present, std::move(answers), it.states());
    CHECK(used[0].value() == std::vector{address(1), address(2), address(3)});
  }
}

TEST_CASE("where the cluster_id is configured, nodes of another cluster take nobody's place", "[app][names]") {
  Fixture it;
  it.is_cluster_given = true;
  it.answer({1, 2, 3});
  it.state("ours", {1, 2, 3});
  it.leading.insert(it.node_at(1).number);
  it.answer({4, 5, 6});
  it.state("other", {4, 5, 6});
  it.leading.insert(it.node_at(4).number);
  it.step = 200ms;
  it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("further nodes of the cluster move nothing, though an answer has them alone", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.state("one", {1, 2, 3});
  it.leading.insert(it.node_at(1).number);
  it.answer({4, 5, 6});
  it.state("one", {4, 5, 6});
  for (int i = 0; i < 5; ++i) {
    it.answer({4, 5, 6});
    CHECK_FALSE(it.is_in_doubt);
    CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
  }
  it.answer({1, 2, 3});
  CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("two answers that lead elsewhere count only in a row, and only if they are the same", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.answer({4, 5, 6});
  SECTION("one of before in between") { it.answer({1, 2, 3}); }
  SECTION("another in between") { it.answer({7}); }
  SECTION("a part of it in between") { it.answer({4, 5}); }
  it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
  it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{4, 5, 6});
}

TEST_CASE("the only node of a name that comes to stand for several is one of them", "[app][names]") {
  Fixture it;
  it.answer({1});
  it.set_down(1);
  it.answer({2, 3});
  CHECK(it.moved.empty());
  CHECK(it.in_use() == Numbers{2, 3});
}

TEST_CASE("another name of a server stays while that server answers", "[app][names]") {
  Fixture it;
  config::Node other = it.nodes[0];
  other.host = "vault";
  other.name = "vault:8200";
  app::NodePlan server;
  server.id = NodeId{10};
  server.name = other.name;
  server.host = other.host;
  server.port = other.port;
  server.resolved = server.address = address(1);
  app::NodePlan alias;
  alias.id = NodeId{11};
  alias.name = it.nodes[0].name;
  alias.host = it.nodes[0].host;
  alias.port = it.nodes[0].port;
  alias.resolved = address(1);
  alias.same_as = 0;
  it.present = {server, alias};
  it.down.insert(alias.id.number);  // nobody probes it by itself
  std::vector<app::ResolvedName> answers;
  answers.emplace_back(std::vector{address(2)});
  const auto settled = it.names.settle(it.nodes, it.present, std::move(answers), it.states(), it.now + 30s, 30s);
  CHECK(settled.moved.empty());
  REQUIRE(settled.found.size() == 1);
  CHECK(settled.found[0].value() == std::vector{address(1), address(2)});
}

TEST_CASE("a cache that repeats an answer neither moves a name nor takes a node away", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  it.step = 1s;
  for (int i = 0; i < 25; ++i) it.answer({4, 5, 6});
  CHECK(it.in_use() == Numbers{1, 2, 3, 4, 5, 6});
  for (int i = 0; i < 60; ++i) it.answer({1, 2});
  CHECK(it.in_use() == Numbers{1, 2, 3});
}

TEST_CASE("a name that leads somewhere else each time is not followed while its node answers", "[app][names]") {
  Fixture it;
  it.answer({1});
  for (const int number : {2, 3, 2, 3, 4, 2}) {
    it.answer({number});
    CHECK(it.in_use() == Numbers{1, number});
  }
}

TEST_CASE("a name that gives one of its addresses at a time comes to stand for all of them", "[app][names]") {
  Prng prng(3);
  Fixture it;
  bool do_nodes_state_their_cluster = false;
  SECTION("nodes of one cluster") { do_nodes_state_their_cluster = true; }
  SECTION("nodes that do not say whose they are") {}
  const auto answer_one = [&] {
    it.answer({static_cast<int>(prng.below(3)) + 1});
    for (const int number : it.in_use()) it.state(do_nodes_state_their_cluster ? "one" : "", {number});
  };
  for (int i = 0; i < 200; ++i) answer_one();
  CHECK(it.in_use() == Numbers{1, 2, 3});
  int changes = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<int> before = it.in_use();
    answer_one();
    changes += it.in_use() != before;
  }
  CHECK(changes <= 4);
}

TEST_CASE("an answer of the other family alone takes no node away that answers", "[app][names]") {
  Fixture it;
  it.answer({1, 2});
  for (int i = 0; i < 40; ++i) it.settle(app::ResolvedName(std::vector{*net::Address::parse("[fd00::1]:8200")}));
  CHECK(it.in_use() == Numbers{1, 2});
  it.set_down(1);
  it.set_down(2);
  it.settle(app::ResolvedName(std::vector{*net::Address::parse("[fd00::1]:8200")}));
  REQUIRE(it.present.size() == 1);
  CHECK(it.present[0].resolved == net::Address::parse("[fd00::1]:8200").value());
}

TEST_CASE("a host whose IPv4 address is dead is served at its IPv6 address", "[app][names]") {
  Fixture it;
  const net::Address v6 = *net::Address::parse("[fd00::1]:8200");
  const auto answer_both = [&] { it.settle(app::ResolvedName(std::vector{address(1), v6})); };
  const auto addresses = [&] {
    std::vector<net::Address> all;
    for (const app::NodePlan& plan : it.present) all.push_back(*plan.resolved);
    return all;
  };
  it.answer({1});
  answer_both();
  CHECK(addresses() == std::vector{address(1)});
  it.set_down(1);
  answer_both();
  CHECK(addresses() == std::vector{address(1)});  // it may come back
  answer_both();
  CHECK(addresses() == std::vector{address(1), v6});
  SECTION("IPv6 answers") {
    answer_both();
    CHECK(addresses() == std::vector{v6});
    answer_both();
    CHECK(addresses() == std::vector{v6});
  }
  SECTION("IPv4 answers again") {
    it.down.clear();
    answer_both();
    CHECK(addresses() == std::vector{address(1)});
  }
  SECTION("both answer, and that of IPv6 leads") {
    it.down.clear();
    it.leading.insert(it.present[1].id.number);
    answer_both();
    CHECK(addresses() == std::vector{v6});
  }
}

TEST_CASE("a service is each address of its SRV records, with their ports", "[app][names]") {
  Fixture it;
  it.nodes[0].is_service = true;
  it.nodes[0].host = it.nodes[0].name = "_vault._tcp.example.com";
  it.nodes[0].port = 0;
  it.nodes[0].server_name = "example.com";
  const auto at = [](const char* text) { return *net::Address::parse(text); };
  it.settle(app::ResolvedName(std::vector{at("10.0.0.1:8200")}));
  REQUIRE(it.present.size() == 1);
  const NodeId first = it.present[0].id;
  it.settle(app::ResolvedName(std::vector{at("10.0.0.1:8200"), at("10.0.0.1:8300")}));
  REQUIRE(it.present.size() == 2);
  CHECK(it.present[0].id == first);
  CHECK(it.present[1].name == "_vault._tcp.example.com/10.0.0.1:8300");
  CHECK(it.present[1].url == "https://10.0.0.1:8300");
  CHECK(it.present[1].host_header == "10.0.0.1:8300");
  CHECK(it.present[1].server_name == "example.com");
  CHECK(it.present[1].address == at("10.0.0.1:8300"));
}

TEST_CASE("a node that an operator holds is found again when its address comes back", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  const NodeId held = it.node_at(3);
  it.held.insert(held.number);
  it.set_down(3);
  for (int i = 0; i < 40; ++i) it.answer({1, 2});
  it.answer({1, 2, 3});
  CHECK(it.node_at(3) == held);
}

TEST_CASE("a node with a name of its own stays one node when its host has a second address", "[app][names]") {
  Fixture it;
  it.nodes[0].name = "first";
  it.answer({2});
  it.answer({1, 2});
  CHECK(it.in_use() == Numbers{2});
}

TEST_CASE("a reload keeps what an answer leaves out, and follows a name that leads elsewhere", "[app][names]") {
  Fixture it;
  it.answer({1, 2, 3});
  const auto used = [&](std::vector<int> numbers) {
    std::vector<net::Address> addresses;
    for (const int number : numbers) addresses.push_back(address(number));
    std::vector<app::ResolvedName> answers;
    answers.emplace_back(std::move(addresses));
    return app::keep_missing_addresses(it.nodes, it.present, std::move(answers), it.states())[0].value().size();
  };
  CHECK(used({1, 2}) == 3);
  CHECK(used({4, 5}) == 2);
  it.set_down(3);
  CHECK(used({1, 2}) == 2);
}

TEST_CASE("a name whose nodes are all down is followed at once", "[app][names]") {
  Fixture it;
  it.answer({1, 2});
  it.set_down(1);
  it.set_down(2);
  it.answer({3});
  CHECK(it.in_use() == Numbers{3});
}

TEST_CASE("a name without an answer keeps its addresses and says since when", "[app][names]") {
  Fixture it;
  it.answer({1, 2});
  const TimePoint answered = it.now;
  it.fail_to_answer();
  it.answer({});
  CHECK(it.in_use() == Numbers{1, 2});
  REQUIRE(it.names.reports().size() == 1);
  CHECK(it.names.reports()[0].answered == answered);
  CHECK_FALSE(it.names.reports()[0].problem.empty());
  CHECK(it.names.failures() == 2);
  it.answer({1, 2});
  CHECK(it.names.reports()[0].answered == it.now);
  CHECK(it.names.reports()[0].problem.empty());
  CHECK(it.names.answers() == 2);
}

TEST_CASE("a node that has no address yet, or is down, is told where its name leads, and stays the same",
          "[app][names]") {
  Fixture it;
  it.fail_to_answer();
  REQUIRE(it.present.size() == 1);
  CHECK(it.in_use().empty());
  const NodeId only = it.present[0].id;
  it.answer({7});
  CHECK(it.moved == std::vector{std::pair(only, address(7))});
  CHECK(it.in_use() == Numbers{7});
  it.answer({8});
  CHECK(it.moved.empty());
  it.answer({7});
  it.set_down(7);
  it.answer({9});
  it.answer({9});
  CHECK(it.in_use() == Numbers{9});
  REQUIRE(it.present.size() == 1);
  CHECK(it.present[0].id == only);
}

// What must hold whatever the answers are: a node that both the last answer and its health speak for is there; one that
// neither speaks for is not; there is always a node.
TEST_CASE("10,000 random answers leave no node out that name and health agree on", "[app][names]") {
  Prng prng(7);
  Fixture it;
  it.answer({1, 2, 3});
  for (int round = 0; round < 10'000; ++round) {
    it.down.clear();
    for (const app::NodePlan& plan : it.present) {
      if (prng.below(3) == 0) it.down.insert(plan.id.number);
    }
    const std::vector<int> before = it.in_use();
    const auto was_down = [&](int number) { return it.down.contains(it.node_at(number).number); };
    std::set<int> up_before;
    for (const int number : before) {
      if (!was_down(number)) up_before.insert(number);
    }
    std::vector<int> numbers;
    for (int number = 1; number <= 8; ++number) {
      if (prng.below(3) == 0) numbers.push_back(number);
    }
    const bool fails = prng.below(5) == 0;
    fails ? it.fail_to_answer() : it.answer(numbers);
    const std::vector<int> after = it.in_use();
    REQUIRE_FALSE(after.empty());
    const auto is_in = [](const std::vector<int>& all, int one) {
      return std::find(all.begin(), all.end(), one) != all.end();
    };
    if (fails || numbers.empty()) {
      CHECK(after == before);
      continue;
    }
    for (const int number : numbers) {
      const bool agree = up_before.contains(number);
      if (agree) CHECK(is_in(after, number));
    }
    const bool overlaps = std::any_of(numbers.begin(), numbers.end(), [&](int each) { return is_in(before, each); });
    for (const int number : after) {
      const bool neither = !is_in(numbers, number) && !up_before.contains(number);
      if (overlaps) CHECK_FALSE(neither);
    }
  }
}
