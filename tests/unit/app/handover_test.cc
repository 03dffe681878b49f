// What a process hands over to the one that takes its place, and what is made of texts that nobody should have written.
#include "app/report/handover.h"

#include <nlohmann/json.hpp>

#include "catch.hpp"

namespace bellwether::app {
namespace {

using cluster::FailoverCause;
using cluster::Role;
using Json = nlohmann::json;

constexpr TimePoint kNow{10'000s};
constexpr NodeId kSomewhere{42};

cluster::Failover ended_one() {
  cluster::Failover one;
  one.cause = FailoverCause::kStepDown;
  one.is_open = false;
  one.epoch_from = 3;
  one.epoch_to = 4;
  one.from = kSomewhere;
  one.to = kSomewhere;
  one.from_name = "n1";
  one.to_name = "n2";
  one.last_good = kNow - 100s;
  one.first_sign = kNow - 99s;
  one.sign = "n1: it says standby";
  one.demoted = kNow - 98s;
  one.demoted_to = Role::kStandby;
  one.elected = kNow - 97s;
  one.first_success = kNow - 96s;
  one.heard_again = kNow - 95s;
  one.leaderless = 2s;
  one.traffic = {1, 2, 3, 4, 5, 6, 7, 8};
  return one;
}

cluster::OpenFailover watched_one() {
  cluster::OpenFailover open;
  open.failover = ended_one();
  open.failover.is_open = true;
  open.failover.epoch_from = 4;
  open.failover.epoch_to = 5;
  open.evidence.was_taken_out = true;
  open.evidence.was_cut = true;
  open.evidence.had_no_route = true;
  open.evidence.peers_were_gone = true;
  open.evidence.voters_missing_since = kNow - 94s;
  open.evidence.voters_were_missing = true;
  open.evidence.voters_are_back = true;
  open.evidence.knows_successor = true;
  open.evidence.claimed_on_since = kNow - 93s;
  open.evidence.claimed_on = true;
  open.evidence.named_at_first = "https://n1:8200";
  open.evidence.went_away = true;
  open.evidence.questions = 2;
  open.evidence.next_question = kNow + 1s;
  return open;
}

cluster::OpenFailover going_on() {
  cluster::OpenFailover open;
  open.failover.epoch_from = 5;
  open.failover.from = kSomewhere;
  open.failover.from_name = "n2";
  open.failover.first_sign = kNow - 1s;
  open.failover.sign = "n2: refused";
  return open;
}

Handover full() {
  ClusterHandover one;
  one.name = "east";
  one.epoch = 5;
  one.leader = "n2";
  one.leader_url = "https://n2:8200";
  one.since = kNow - 90s;
  one.is_over = true;
  one.tally = {4, 1, 2, 17s, kSomewhere, "n2"};
  one.failovers.ended = {ended_one(), ended_one()};
  one.failovers.open = {going_on(), watched_one()};
  one.failovers.counts.record(ended_one());
  one.taken_out = {{"n1", cluster::AdminState::kMaint}, {"n3", cluster::AdminState::kDrain}};
  one.paused_until = kNow + 24h;
  return {.process = 4711, .written = kNow - 1s, .clusters = {one, {}}};
}

cluster::Topology topology() {
  cluster::Topology topology;
  topology.nodes.add(NodeId{0}, {"n1", "https://n1:8200"});
  topology.nodes.add(NodeId{7}, {"n2", "https://n2:8200"});
  return topology;
}

std::string why_refused(const std::string& text) {
  const auto read = parse_handover(text, kNow);
  return read ? "" : read.error().message;
}

// The text of a handover in which something was changed.
template <typename Change>
std::string changed(Change change) {
  Json json = Json::parse(handover_text(full()));
  change(json);
  return json.dump();
}

}  // namespace

TEST_CASE("what is handed over is read as it was written", "[handover]") {
  const auto read = parse_handover(handover_text(full()), kNow);
  REQUIRE(read);
  CHECK(read->process == 4711);
  CHECK(read->written == kNow - 1s);
  REQUIRE(read->clusters.size() == 2);
  CHECK(read->find("") == &read->clusters[1]);
  CHECK(read->find("west") == nullptr);
  const ClusterHandover* const east = read->find("east");
  REQUIRE(east != nullptr);
  const ClusterHandover here = east->placed_in(topology());
  const ClusterHandover wanted = full().clusters[0].placed_in(topology());
  CHECK(here.epoch == 5);
  CHECK(here.leader == "n2");
  CHECK(here.leader_url == "https://n2:8200");
  CHECK(here.since == kNow - 90s);
  CHECK(here.is_over);
  CHECK(here.tally.leader_changes == 4);
  CHECK(here.tally.two_leaders == 1);
  CHECK(here.tally.foreign_nodes == 2);
  CHECK(here.tally.leaderless == 17s);
  CHECK(here.tally.led_before == NodeId{7});
  CHECK(here.tally.led_before_name == "n2");
  CHECK(here.failovers.ended == wanted.failovers.ended);
  CHECK(here.failovers.ended[0].from == NodeId{0});
  CHECK(here.failovers.ended[0].to == NodeId{7});
  CHECK(here.failovers.counts == wanted.failovers.counts);
  CHECK(here.admin_state_of("n1") == cluster::AdminState::kMaint);
  CHECK(here.admin_state_of("n2") == cluster::AdminState::kReady);
  CHECK(here.admin_state_of("n3") == cluster::AdminState::kDrain);
  CHECK(here.paused_until == kNow + 24h);
  REQUIRE(here.failovers.open.going_on);
  CHECK(here.failovers.open.going_on->failover == wanted.failovers.open.going_on->failover);
  CHECK(here.failovers.open.going_on->evidence == wanted.failovers.open.going_on->evidence);
  REQUIRE(here.failovers.open.watched);
  CHECK(here.failovers.open.watched->failover == wanted.failovers.open.watched->failover);
  CHECK(here.failovers.open.watched->evidence == wanted.failovers.open.watched->evidence);
}

TEST_CASE("nodes that are not there any more are told apart, and lead no more", "[handover]") {
  cluster::Topology others;
  others.nodes.add(NodeId{0}, {"n2", "https://elsewhere:8200"});
  ClusterHandover one = full().clusters[0];
  one.failovers.ended[0].to_name = "n3";
  const ClusterHandover here = one.placed_in(others);
  REQUIRE(here.failovers.ended[0].from);
  REQUIRE(here.failovers.ended[0].to);
  CHECK(here.failovers.ended[0].from != here.failovers.ended[0].to);
  CHECK_FALSE(others.nodes.has(*here.failovers.ended[0].from));
  CHECK_FALSE(others.nodes.has(*here.failovers.ended[0].to));
  CHECK(here.failovers.ended[1].to == NodeId{0});
  // The same name, and another address.
  const auto former = one.former_lead(others);
  REQUIRE(former);
  CHECK_FALSE(former->node);
  CHECK(former->name == "n2");
  CHECK(one.former_lead(topology())->node == NodeId{7});
  CHECK_FALSE(ClusterHandover{}.former_lead(topology()));
}

TEST_CASE("fields and words of another version do no harm", "[handover]") {
  const std::string text = changed([](Json& json) {
    json["of_tomorrow"] = {{"a", 1}};
    json["clusters"][0]["of_tomorrow"] = "b";
    json["clusters"][0]["failovers"][0]["of_tomorrow"] = Json::array({1, 2});
    json["clusters"][0]["failovers"][0]["cause"] = "of_tomorrow";
    json["clusters"][0]["failovers"][0]["demoted_to"] = "of_tomorrow";
    json["clusters"][0]["taken_out"][0]["admin"] = "of_tomorrow";
    json["clusters"][0].erase("tally");
    json["clusters"][0].erase("failover_counts");
  });
  const auto read = parse_handover(text, kNow);
  REQUIRE(read);
  CHECK(read->clusters[0].failovers.ended[0].cause == FailoverCause::kUnknown);
  CHECK(read->clusters[0].failovers.ended[0].demoted_to == Role::kUnknown);
  CHECK(read->clusters[0].admin_state_of("n1") == cluster::AdminState::kReady);
  CHECK(read->clusters[0].tally.leader_changes == 0);
}

TEST_CASE("a text that breaks off anywhere is refused", "[handover]") {
  const std::string text = handover_text(full());
  for (std::size_t length = 0; length < text.size(); ++length) {
    INFO(length);
    REQUIRE_FALSE(parse_handover(text.substr(0, length), kNow));
  }
}

TEST_CASE("a value of another type, or out of bounds, is refused wherever it stands", "[handover]") {
  const Json whole = Json::parse(handover_text(full()));
  const Json flat = whole.flatten();
  const std::vector<Json> hostile = {-1,
                                     nullptr,
                                     Json::object({{"x", 1}}),
                                     Json::array({Json::array()}),
                                     1e300,
                                     std::numeric_limits<std::uint64_t>::max(),
                                     0.5};
  for (const auto& [pointer, value] : flat.items()) {
    for (const Json& each : hostile) {
      Json json = whole;
      json[Json::json_pointer(pointer)] = each;
      const bool is_sum = pointer.ends_with("/sum_seconds") && each == 0.5;
      INFO(pointer << " = " << each.dump());
      REQUIRE(parse_handover(json.dump(), kNow).has_value() == is_sum);
    }
  }
}

TEST_CASE("records that cannot be are refused", "[handover]") {
  const auto refuses = [](auto change) {
    return !why_refused(changed([&](Json& json) { change(json["clusters"][0]); })).empty();
  };
  CHECK(refuses([](Json& one) { one["failovers"][0]["is_open"] = true; }));
  CHECK(refuses([](Json& one) { one["failovers"][0].erase("elected"); }));
  CHECK(refuses([](Json& one) { one["failovers"][0]["epoch_to"] = 6; }));
  CHECK(refuses([](Json& one) { one["going_on"]["failover"].erase("from"); }));
  CHECK(refuses([](Json& one) { one["going_on"]["failover"]["to"] = "n1"; }));
  CHECK(refuses([](Json& one) { one["going_on"]["failover"]["elected"] = 1; }));
  CHECK(refuses([](Json& one) { one["going_on"]["failover"]["epoch_to"] = 5; }));
  CHECK(refuses([](Json& one) { one["going_on"]["failover"]["epoch_from"] = 6; }));
  CHECK(refuses([](Json& one) { one["watched"]["failover"].erase("to"); }));
  CHECK(refuses([](Json& one) { one["watched"]["failover"].erase("elected"); }));
  CHECK(refuses([](Json& one) { one["watched"]["failover"]["is_open"] = false; }));
  CHECK(refuses([](Json& one) { one["leader"] = ""; }));
  CHECK(refuses([](Json& one) { one["epoch"] = 0; }));
  CHECK_FALSE(refuses([](Json& one) { one["watched"]["failover"].erase("from"); }));
}

TEST_CASE("lists have bounds", "[handover]") {
  const Json record = Json::parse(handover_text(full()))["clusters"][0]["failovers"][0];
  const auto with = [&](std::size_t count) {
    return changed([&](Json& json) { json["clusters"][0]["failovers"] = Json(count, record); });
  };
  CHECK(why_refused(with(Timeline::kMost)).empty());
  CHECK(why_refused(with(Timeline::kMost + 1)).find("clusters[0].failovers is no list of 100 at most") !=
        std::string::npos);
  CHECK_FALSE(why_refused(changed([](Json& json) { json["clusters"] = Json(1025, Json::object()); })).empty());
}

TEST_CASE("texts are cut, and made visible", "[handover]") {
  const auto read = parse_handover(changed([](Json& json) {
                                     Json& one = json["clusters"][0]["failovers"][0];
                                     one["sign"] = std::string(100'000, 'x');
                                     one["from"] = "n1\n\x1b[31m";
                                   }),
                                   kNow);
  REQUIRE(read);
  CHECK(read->clusters[0].failovers.ended[0].sign.size() == 1024);
  CHECK(read->clusters[0].failovers.ended[0].from_name.find('\n') == std::string::npos);
  CHECK(read->clusters[0].failovers.ended[0].from_name.find('\x1b') == std::string::npos);
}

TEST_CASE("moments of the future and texts of yesterday are refused", "[handover]") {
  const std::string text = handover_text(full());
  CHECK_FALSE(parse_handover(text, kNow - 2s));
  CHECK(parse_handover(text, kNow + 3500s));
  CHECK_FALSE(parse_handover(text, kNow + 3700s));
}

TEST_CASE("what is no handover at all is refused", "[handover]") {
  CHECK_FALSE(why_refused("").empty());
  CHECK_FALSE(why_refused("[]").empty());
  CHECK_FALSE(why_refused("{}").empty());
  CHECK_FALSE(why_refused(std::string(1'000'000, '[')).empty());
  CHECK_FALSE(why_refused(std::string(1'000'000, '\0')).empty());
  CHECK(why_refused(changed([](Json& json) { json["format"] = "bellwether-handover-2"; })).find("format") !=
        std::string::npos);
  CHECK_FALSE(why_refused(changed([](Json& json) { json["process"] = -1; })).empty());
  CHECK_FALSE(why_refused(changed([](Json& json) { json.erase("process"); })).empty());
}

TEST_CASE("a tally goes on from that of the process before", "[handover]") {
  const auto elected = [](NodeId node, std::string name) {
    cluster::Event event;
    event.kind = cluster::EventKind::kLeaderElected;
    event.node = node;
    event.node_name = std::move(name);
    event.unsettled = 1s;
    return event;
  };
  Tally tally;
  tally.take_over({4, 1, 2, 17s, NodeId{0}, "n1"});
  tally.record(elected(NodeId{0}, "n1"));
  CHECK(tally.leader_changes() == 4);
  CHECK(tally.two_leaders() == 1);
  CHECK(tally.foreign_nodes() == 2);
  CHECK(tally.leaderless(kNow) == 18s);
  tally.record(elected(NodeId{1}, "n2"));
  CHECK(tally.leader_changes() == 5);
  // It has seen the same change: that is counted once.
  tally.take_over({5, 1, 2, 18s, NodeId{1}, "n2"});
  CHECK(tally.leader_changes() == 5);
  CHECK(tally.leaderless(kNow) == 18s);
  // It has not seen the last one.
  tally.take_over({5, 1, 2, 18s, NodeId{0}, "n1"});
  CHECK(tally.leader_changes() == 6);
  CHECK(tally.hand_over().led_before == NodeId{1});
  CHECK(tally.hand_over().led_before_name == "n2");
}

}  // namespace bellwether::app
