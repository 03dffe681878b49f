#include "app/discovery/nodes.h"

#include "app/report/tally.h"
#include "app/service/plan.h"
#include "bellwether/admin/admin.h"
#include "catch.hpp"

using namespace bellwether;

namespace {

config::Node node(std::string name, std::string host) {
  config::Node made;
  made.name = std::move(name);
  made.url = "https://" + host + ":8200";
  made.host = std::move(host);
  return made;
}

net::Address address(std::string_view text) { return *net::Address::parse(text); }

std::vector<app::ResolvedName> found(std::vector<net::Address> addresses) {
  return {app::ResolvedName(std::move(addresses))};
}

}  // namespace

TEST_CASE("a name with several addresses becomes several nodes that keep its server name", "[app]") {
  const auto plans =
      app::plan_nodes({node("vault:8200", "vault")}, found({address("10.0.0.1:8200"), address("10.0.0.2:8200")}));
  REQUIRE(plans);
  REQUIRE(plans->size() == 2);
  CHECK((*plans)[1].name == "vault:8200/10.0.0.2");
  CHECK((*plans)[1].url == "https://10.0.0.2:8200");
  CHECK((*plans)[1].server_name == "vault");
  CHECK((*plans)[1].host_header == "vault:8200");
}

TEST_CASE("a node with a name of its own and several addresses is an error", "[app]") {
  const auto plans =
      app::plan_nodes({node("first", "vault")}, found({address("10.0.0.1:8200"), address("10.0.0.2:8200")}));
  REQUIRE_FALSE(plans);
  CHECK_THAT(plans.error().message, CATCH_CONTAINS("vault has 2 addresses"));
}

TEST_CASE("a host with IPv4 and IPv6 is one node", "[app]") {
  const auto plans =
      app::plan_nodes({node("first", "vault")}, found({address("[fd00::1]:8200"), address("10.0.0.1:8200")}));
  REQUIRE(plans);
  REQUIRE(plans->size() == 1);
  CHECK(plans->front().address == address("10.0.0.1:8200"));
}

TEST_CASE("a name that does not resolve is a node without an address", "[app]") {
  const auto plans = app::plan_nodes({node("first", "vault")},
                                     {app::ResolvedName(fail(ErrorKind::kUnavailable, "cannot resolve \"vault\""))});
  REQUIRE(plans);
  CHECK_FALSE(plans->front().address);
  CHECK(plans->front().unresolved == "cannot resolve \"vault\"");
}

TEST_CASE("of two names that lead to one address the first has it, and the other is marked", "[app]") {
  const auto plans = app::plan_nodes({node("first", "vault"), node("second", "10.0.0.1")},
                                     {app::ResolvedName(std::vector{address("10.0.0.1:8200")}),
                                      app::ResolvedName(std::vector{address("10.0.0.1:8200")})});
  REQUIRE(plans);
  CHECK(plans->at(0).address == address("10.0.0.1:8200"));
  CHECK_FALSE(plans->at(0).same_as);
  CHECK_FALSE(plans->at(1).address);
  CHECK(plans->at(1).same_as == 0);
  CHECK(plans->at(1).unresolved == "both names lead to 10.0.0.1:8200");
}

TEST_CASE("a node whose name leads to one of our listeners is an error that names both", "[app]") {
  std::vector<config::Listen> listen(1);
  const auto plans = *app::plan_nodes({node("first", "vault")}, found({address("127.0.0.1:8200")}));
  const auto refused = [&](std::string ours) {
    listen.front().address = std::move(ours);
    return !app::check_no_loop(plans, listen);
  };
  CHECK(refused("127.0.0.1:8200"));
  CHECK(refused("0.0.0.0:8200"));
  CHECK(refused(":8200"));
  CHECK_FALSE(refused("127.0.0.1:8201"));
  CHECK_FALSE(refused("127.0.0.2:8200"));
  CHECK_FALSE(refused("unix:/run/bw.sock"));
  listen.front().address = "127.0.0.1:8200";
  CHECK_THAT(app::check_no_loop(plans, listen).error().message,
             CATCH_CONTAINS("\"first\": vault leads to 127.0.0.1:8200"));
}

TEST_CASE("another machine's address does not lead back, though we listen on all of ours", "[app]") {
  std::vector<config::Listen> listen(1);
  listen.front().address = "0.0.0.0:8200";
  CHECK_FALSE(app::leads_back(address("192.0.2.1:8200"), listen));
}

TEST_CASE("too few file descriptors for maxconn is an error with both numbers and the way out", "[app]") {
  config::Config config;
  config.maxconn = 100'000;
  CHECK(app::check_descriptors(config, 1'000'000));
  const auto refused = app::check_descriptors(config, 4096);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, CATCH_CONTAINS("maxconn 100000") && CATCH_CONTAINS("4096"));
  CHECK_THAT(refused.error().message, CATCH_CONTAINS("lower maxconn to"));
  // No maxconn is small enough where what is needed beside it is too much already.
  const auto hopeless = app::check_descriptors(config, 128);
  REQUIRE_FALSE(hopeless);
  CHECK_THAT(hopeless.error().message, CATCH_CONTAINS("of them whatever maxconn is; raise the limit"));
  CHECK_THAT(hopeless.error().message, !CATCH_CONTAINS("lower maxconn"));
}

TEST_CASE("http listeners keep idle connections to nodes, and these need file descriptors too", "[app]") {
  config::Config config;
  config.threads = 2;
  config.nodes.resize(3);
  config.listen.emplace_back().address = "127.0.0.1:8200";
  const auto without = app::descriptors_needed(config);
  config.listen.front().mode = config::Mode::kHttp;
  CHECK(app::descriptors_needed(config) == without + 2 * 3 * proxy::kMostIdleUpstreams);
}

TEST_CASE("connections to the admin address and the control socket need file descriptors too", "[app]") {
  config::Config config;
  const auto with = app::descriptors_needed(config);
  config.admin = config.control = "off";
  CHECK(with == app::descriptors_needed(config) + admin::Admin::max_descriptors());
}

TEST_CASE("two that claim to lead, and cluster_ids without a majority, are counted apart", "[app]") {
  app::Tally tally;
  cluster::Event event;
  event.kind = cluster::EventKind::kConflict;
  tally.record(event);
  CHECK(tally.two_leaders() == 0);
  CHECK(tally.foreign_nodes() == 1);
  event.node = NodeId{0};
  event.other = NodeId{1};
  tally.record(event);
  CHECK(tally.two_leaders() == 1);
  CHECK(tally.foreign_nodes() == 1);
}

TEST_CASE("the tally counts changes of leader and the time without one", "[app]") {
  app::Tally tally;
  const TimePoint start = TimePoint{} + 1h;
  const auto elect = [&](int index, TimePoint at, Duration unsettled = {}) {
    cluster::Event event;
    event.kind = cluster::EventKind::kLeaderElected;
    event.at = at;
    event.unsettled = unsettled;
    event.node = NodeId{static_cast<std::uint32_t>(index)};
    tally.record(event);
  };
  const auto publish = [&](TimePoint at, std::optional<TimePoint> leaderless_since) {
    cluster::View view;
    view.at = at;
    view.leaderless_since = leaderless_since;
    tally.on_view(view);
  };
  publish(start, start);
  CHECK(tally.leaderless(start + 1s) == 1s);
  publish(start + 2s, std::nullopt);
  elect(0, start + 2s, 2s);
  CHECK(tally.leader_changes() == 0);
  CHECK(tally.leaderless(start + 10s) == 2s);
  elect(0, start + 3s);
  elect(1, start + 4s);
  CHECK(tally.leader_changes() == 1);
}

namespace {

// Hosts and where they lead; "": nowhere.
struct Named {
  std::string name, host, address;
};

std::vector<config::Node> nodes_of(const std::vector<Named>& named) {
  std::vector<config::Node> nodes;
  for (const Named& each : named) {
    config::Node& node = nodes.emplace_back();
    node.name = each.name;
    node.host = each.host;
    node.port = 8200;
    node.url = "https://" + each.host + ":8200";
  }
  return nodes;
}

std::vector<app::ResolvedName> found_for(const std::vector<Named>& named) {
  std::vector<app::ResolvedName> found;
  for (const Named& each : named) {
    if (each.address.empty()) {
      found.emplace_back(fail(ErrorKind::kUnavailable, "no such name"));
    } else {
      found.emplace_back(std::vector{*net::Address::parse(each.address + ":8200")});
    }
  }
  return found;
}

std::vector<app::NodePlan> first(const std::vector<Named>& named) {
  return *app::plan_nodes(nodes_of(named), found_for(named));
}

std::vector<app::NodePlan> then(const std::vector<Named>& named, const std::vector<app::NodePlan>& present) {
  NodeId unused{static_cast<std::uint32_t>(present.size())};
  return *app::replan_nodes(nodes_of(named), found_for(named), present, unused);
}

std::vector<std::uint32_t> ids_of(const std::vector<app::NodePlan>& plans) {
  std::vector<std::uint32_t> ids;
  for (const app::NodePlan& plan : plans) ids.push_back(plan.id.number);
  return ids;
}

}  // namespace

TEST_CASE("a node is the one that has its address, whatever it is called", "[app][reload]") {
  const auto present = first({{"n1", "a", "10.0.0.1"}, {"n2", "b", "10.0.0.2"}, {"n3", "c", ""}});
  const auto next = then({{"n2", "b", "10.0.0.2"},
                          {"new", "d", ""},
                          {"n1", "a", "10.0.0.9"},    // its name leads to another machine now
                          {"n3", "c", "10.0.0.3"},    // its address was not known before
                          {"one", "e", "10.0.0.1"}},  // n1's machine under another name
                         present);
  CHECK(ids_of(next) == std::vector<std::uint32_t>{1, 3, 4, 2, 0});
}

TEST_CASE("two names that change places follow their machines", "[app][reload]") {
  const auto present = first({{"n1", "a", "10.0.0.1"}, {"n2", "b", "10.0.0.2"}});
  CHECK(ids_of(then({{"n1", "a", "10.0.0.2"}, {"n2", "b", "10.0.0.1"}}, present)) == std::vector<std::uint32_t>{1, 0});
}

TEST_CASE("a name that leads to several addresses, and then to one again, keeps its nodes", "[app][reload]") {
  std::vector<config::Node> nodes = nodes_of({{"vault:8200", "vault", ""}});
  const auto address = [](const char* text) { return *net::Address::parse(text); };
  const std::vector<app::ResolvedName> one = {std::vector{address("10.0.0.1:8200")}};
  const std::vector<app::ResolvedName> two = {std::vector{address("10.0.0.2:8200"), address("10.0.0.1:8200")}};
  NodeId unused{1};
  const auto present = *app::plan_nodes(nodes, one);
  const auto grown = *app::replan_nodes(nodes, two, present, unused);
  CHECK(ids_of(grown) == std::vector<std::uint32_t>{1, 0});
  CHECK(ids_of(*app::replan_nodes(nodes, one, grown, unused)) == std::vector<std::uint32_t>{0});
}

TEST_CASE("a node does not lose its address to another name of it, wherever that stands", "[app][reload]") {
  const auto present = first({{"n1", "a", "10.0.0.1"}, {"n2", "b", "10.0.0.2"}});
  const auto next = then({{"alias", "z", "10.0.0.1"}, {"n1", "a", "10.0.0.1"}, {"n2", "b", "10.0.0.2"}}, present);
  CHECK(ids_of(next) == std::vector<std::uint32_t>{2, 0, 1});
  CHECK_FALSE(next[0].address);
  CHECK(next[0].same_as == 1);
  CHECK(next[1].address == present[0].address);
  const auto reordered = then({{"n1", "a", "10.0.0.1"}, {"alias", "z", "10.0.0.1"}}, next);
  CHECK(reordered[0].address == present[0].address);
  CHECK(reordered[1].same_as == 0);
  CHECK(app::node_changes(present, next) == std::vector<std::string>{"+node alias (https://z:8200, 10.0.0.1:8200)"});
  // Its name leads to that of another node now: that one keeps the address, and it has none.
  const auto moved = then({{"n1", "a", "10.0.0.2"}, {"n2", "b", "10.0.0.2"}}, present);
  CHECK(ids_of(moved) == std::vector<std::uint32_t>{2, 1});
  CHECK_FALSE(moved[0].address);
  CHECK(moved[1].address == present[1].address);
}

TEST_CASE("what is left of two names is the node that has the address", "[app][reload]") {
  const auto present = first({{"n1", "a", "10.0.0.1"}, {"alias", "z", "10.0.0.1"}});
  for (const auto& next : {then({{"alias", "z", "10.0.0.1"}}, present),
                           then({{"alias", "z", "10.0.0.1"}, {"n1", "a", "10.0.0.9"}}, present)}) {
    CHECK(next[0].id == present[0].id);
    CHECK(next[0].address == present[0].address);
    CHECK_FALSE(next[0].same_as);
  }
  const auto next = then({{"alias", "z", "10.0.0.1"}}, present);
  CHECK(app::node_changes(present, next) ==
        std::vector<std::string>{"-node alias (https://z:8200, 10.0.0.1:8200)", "node n1 is called alias",
                                 "node alias: url https://a:8200 -> https://z:8200", "node alias: server_name a -> z",
                                 "node alias: public_address https://a:8200 -> https://z:8200"});
}

TEST_CASE("names may not lead to more nodes than there may be", "[app][reload]") {
  std::vector<net::Address> many;
  for (std::size_t i = 0; i <= config::kMaxNodes; ++i) {
    many.push_back(*net::Address::parse("10.0.1." + std::to_string(i + 1) + ":8200"));
  }
  const auto plans = app::plan_nodes(nodes_of({{"vault:8200", "vault", ""}}), {many});
  REQUIRE_FALSE(plans);
  CHECK(plans.error().message == "nodes: their names lead to 65 addresses, and there may be 64 nodes");
}

TEST_CASE("a change of nodes is told in words", "[app][reload]") {
  const auto present = first({{"n1", "a", "10.0.0.1"}, {"n2", "b", "10.0.0.2"}});
  auto next = then({{"vault2", "b", "10.0.0.2"}, {"n3", "c", "10.0.0.3"}}, present);
  next[0].server_name = "vault.test";
  CHECK(app::node_changes(present, next) == std::vector<std::string>{"-node n1 (https://a:8200, 10.0.0.1:8200)",
                                                                     "node n2 is called vault2",
                                                                     "node vault2: server_name b -> vault.test",
                                                                     "+node n3 (https://c:8200, 10.0.0.3:8200)"});
  CHECK(app::node_changes(present, present).empty());
  CHECK(app::node_changes(present, {present[1], present[0]}) ==
        std::vector<std::string>{"the nodes have another order"});
}

TEST_CASE("a name without an answer keeps the addresses that it had", "[app][reload]") {
  std::vector<config::Node> several = nodes_of({{"vault:8200", "vault", ""}});
  const std::vector<app::ResolvedName> two = {
      std::vector{*net::Address::parse("10.0.0.1:8200"), *net::Address::parse("10.0.0.2:8200")}};
  const auto present = *app::plan_nodes(several, two);
  std::vector<config::Node> nodes = nodes_of({{"a", "vault", ""}, {"b", "vault", ""}, {"c", "other", ""}});
  nodes[1].port = 8300;
  std::vector<app::ResolvedName> found(3, fail(ErrorKind::kUnavailable, "no such name"));
  CHECK(app::keep_known_addresses(nodes, present, found) == std::vector<std::string>{"vault"});
  REQUIRE(found[0]);
  CHECK(found[0]->size() == 2);
  CHECK_FALSE(found[1]);
  CHECK_FALSE(found[2]);
}
