#include "admin/render.h"

#include <nlohmann/json.hpp>

#include "admin/api.h"
#include "catch.hpp"
#include "support/first_nodes.h"

using namespace bellwether;
using nlohmann::json;

namespace {

const TimePoint kNow = TimePoint{} + 1h;
const WallTime kWallNow = WallTime{} + std::chrono::hours(24 * 365);

cluster::View led_view() {
  cluster::View view;
  view.leader = NodeId{1};
  view.epoch = 4;
  view.leader_since = kNow - 90s;
  view.hold = cluster::HoldReason::kNone;
  view.nodes = bellwether::testing::first_nodes<cluster::NodeView>(3);
  view.topology = cluster::first_topology({{"n1", "http://a:1"}, {"n2", "http://b:2"}, {"n3:8200", "http://c:3"}});
  view.nodes[1].role = cluster::Role::kActive;
  view.nodes[1].up = true;
  view.nodes[1].answered_at = kNow - 250ms;
  view.nodes[1].latency = 3ms;
  view.nodes[1].facts.status = 200;
  view.nodes[1].facts.version = "2.6.2";
  view.nodes[2].failure = cluster::ProbeFailure::kRefused;
  return view;
}

struct Desk {
  admin::AdminOptions options{.version = "0.1.0", .started = kNow - 1h};
  cluster::View view = led_view();
  admin::Journal journal{};
  admin::Counters counters{{"sessions_now", 7}};
  bool draining = false;
  admin::ConfigState config{};
  admin::LogLevelState log_level{"info", "info", std::nullopt};
  std::function<WallTime(TimePoint)> wall_at = [](TimePoint moment) { return kWallNow + (moment - kNow); };

  [[nodiscard]] admin::Snapshot snapshot() const {
    return {options,
            view,
            journal,
            counters,
            draining,
            kNow,
            wall_at,
            {},
            {},
            config,
            log_level,
            {},
            {"127.0.0.1:8200 tcp"}};
  }
  [[nodiscard]] json status() const { return json::parse(admin::status_json(snapshot())); }
  [[nodiscard]] int code(std::string_view path) const {
    auto response = admin::answer_process_read(path, [] { return std::string("up 1\n"); });
    if (!response) response = admin::answer_read(path, snapshot());
    return response ? response->status : 404;
  }
};

cluster::Event event(cluster::EventKind kind, TimePoint at, std::optional<NodeId> node, std::string why = {}) {
  cluster::Event made;
  made.kind = kind;
  made.at = at;
  made.node = node;
  if (node) made.node_name = "n" + std::to_string(node->number + 1);
  made.why = std::move(why);
  return made;
}

}  // namespace

TEST_CASE("the status names the leader, its epoch and since when", "[admin]") {
  const json status = Desk{}.status();
  CHECK(status["state"] == "leading");
  CHECK(status["leader"]["name"] == "n2");
  CHECK(status["leader"]["url"] == "http://b:2");
  CHECK(status["epoch"] == 4);
  CHECK(status["leader"]["since"] == "1970-12-31T23:58:30.000Z");
  CHECK(status["uptime_seconds"] == 3600.0);
  CHECK(status["counters"]["sessions_now"] == 7);
}

TEST_CASE("the status tells of each node what it said and when", "[admin]") {
  const json nodes = Desk{}.status()["nodes"];
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[1]["leader"] == true);
  CHECK(nodes[1]["role"] == "active");
  CHECK(nodes[1]["last_answer_age_ms"] == 250.0);
  CHECK(nodes[1]["latency_ms"] == 3.0);
  CHECK(nodes[1]["version"] == "2.6.2");
  CHECK(nodes[0]["last_answer"].is_null());
  CHECK(nodes[2]["failure"] == "refused");
}

TEST_CASE("text that is not UTF-8 does not break the status", "[admin]") {
  Desk desk;
  desk.view.nodes[1].facts.version = "2\xff";
  CHECK(desk.status()["nodes"][1]["version"].get<std::string>() == "2\xef\xbf\xbd");
}

TEST_CASE("a loss and the election that ends it are one change", "[admin]") {
  Desk desk;
  desk.journal.record(event(cluster::EventKind::kLeaderLost, kNow - 2s, NodeId{0}, "n1 says standby"), kWallNow - 2s);
  CHECK(desk.status()["changes"][0]["to"].is_null());
  cluster::Event elected = event(cluster::EventKind::kLeaderElected, kNow - 1500ms, NodeId{1});
  elected.other = NodeId{0};
  elected.other_name = "n1";
  elected.epoch = 4;
  elected.unsettled = 500ms;
  desk.journal.record(elected, kWallNow - 1500ms);
  const json changes = desk.status()["changes"];
  REQUIRE(changes.size() == 1);
  CHECK(changes[0]["from"] == "n1");
  CHECK(changes[0]["to"] == "n2");
  CHECK(changes[0]["epoch"] == 4);
  CHECK(changes[0]["leaderless_ms"] == 500.0);
  CHECK(changes[0]["why"] == "n1 says standby");
}

TEST_CASE("the last hundred changes are kept, the newest first", "[admin]") {
  Desk desk;
  for (int i = 0; i < 150; ++i) {
    cluster::Event elected = event(cluster::EventKind::kLeaderElected, kNow, NodeId{1});
    elected.epoch = static_cast<Epoch>(i);
    desk.journal.record(elected, kWallNow);
  }
  const json changes = desk.status()["changes"];
  CHECK(changes.size() == 100);
  CHECK(changes[0]["epoch"] == 149);
}

TEST_CASE("readyz says yes while there is a leader, idle and suspect included", "[admin]") {
  Desk desk;
  CHECK(desk.code("/readyz") == 200);
  desk.view.hold = cluster::HoldReason::kIdle;
  CHECK(desk.code("/readyz") == 200);
  desk.view.hold = cluster::HoldReason::kSuspect;
  CHECK(desk.code("/readyz") == 200);
}

TEST_CASE("a pause is told with its end, and does not make us unready", "[admin]") {
  Desk desk;
  CHECK(desk.status()["paused_until"].is_null());
  desk.view.hold = cluster::HoldReason::kPaused;
  desk.view.paused_until = kNow + 30s;
  CHECK(desk.code("/readyz") == 200);
  CHECK(desk.status()["state"] == "paused");
  CHECK(desk.status()["paused_until"] == "1971-01-01T00:00:30.000Z");
  CHECK(desk.status()["paused_seconds_left"] == 30.0);
  desk.view.leader.reset();
  desk.view.hold = cluster::HoldReason::kNoLeader;
  CHECK(desk.status()["state"] == "no_leader");
  CHECK(desk.status()["paused_seconds_left"] == 30.0);
}

TEST_CASE("readyz says why not without a leader and while draining", "[admin]") {
  Desk desk;
  desk.draining = true;
  CHECK(desk.code("/readyz") == 503);
  CHECK(json::parse(admin::ready_json(desk.snapshot()))["reason"] == "draining");
  desk.draining = false;
  desk.view.leader.reset();
  desk.view.hold = cluster::HoldReason::kNoLeader;
  desk.view.hold_why = "n2 sealed itself";
  CHECK(desk.code("/readyz") == 503);
  CHECK(desk.code("/leader") == 503);
  CHECK(json::parse(admin::ready_json(desk.snapshot()))["reason"] == "1 of 3 nodes answers: no quorum");
}

TEST_CASE("healthz says yes whatever the cluster does", "[admin]") {
  Desk desk;
  desk.view = cluster::View{};
  desk.draining = true;
  CHECK(desk.code("/healthz") == 200);
  CHECK(desk.code("/nothing") == 404);
}

TEST_CASE("a node order is read with its name unescaped", "[admin]") {
  const cluster::TopologyPtr nodes = cluster::first_topology({{"n1", "1"}, {"vault/10.0.0.1:8200", "2"}});
  const auto order = admin::parse_node_order(admin::split_target("/node/vault%2F10.0.0.1:8200/maint?force=1"), *nodes);
  REQUIRE(order);
  CHECK(order->node == NodeId{1});
  CHECK(order->state == cluster::AdminState::kMaint);
  CHECK(order->force);
}

TEST_CASE("a node order with an unknown name, state or query says which", "[admin]") {
  const cluster::TopologyPtr nodes = cluster::first_topology({{"vault1", "1"}, {"vault2", "2"}});
  const auto message = [&](std::string_view target) {
    const auto order = admin::parse_node_order(admin::split_target(target), *nodes);
    return order ? std::string("accepted") : order.error().message;
  };
  CHECK_THAT(message("/node/vautl1/ready"), CATCH_CONTAINS("vault1"));
  CHECK_THAT(message("/node/vault1/off"), CATCH_CONTAINS("off"));
  CHECK_THAT(message("/node/vault1/ready?now"), CATCH_CONTAINS("now"));
  CHECK_THAT(message("/node/vault1"), CATCH_CONTAINS("expected"));
  CHECK_THAT(message("/node/%zz/ready"), CATCH_CONTAINS("escape"));
  CHECK_THAT(message("/node//ready"), CATCH_CONTAINS("no node is named \"\""));
}

TEST_CASE("a failover is told with its cause, its moments and what became of clients", "[admin]") {
  Desk desk;
  cluster::Failover failover;
  failover.cause = cluster::FailoverCause::kStepDown;
  failover.is_open = false;
  failover.epoch_from = 3;
  failover.epoch_to = 4;
  failover.from = NodeId{0};
  failover.to = NodeId{1};
  failover.from_name = "n1";
  failover.to_name = "n2";
  failover.first_sign = kNow - 10s;
  failover.sign = "n1's probe is late";
  failover.last_good = kNow - 10500ms;
  failover.elected = kNow - 9s;
  failover.leaderless = 1s;
  failover.traffic = {5, 4, 3, 2};
  auto snapshot = desk.snapshot();
  snapshot.failovers.assign(11, failover);
  const auto answer = admin::answer_read("/failovers", snapshot);
  REQUIRE(answer);
  const json all = json::parse(answer->body)["failovers"];
  REQUIRE(all.size() == 11);
  CHECK(all[0]["cause"] == "step_down");
  CHECK(all[0]["open"] == false);
  CHECK(all[0]["from"] == "n1");
  CHECK(all[0]["to"] == "n2");
  CHECK(all[0]["changed_leader"] == true);
  CHECK(all[0]["ms_from_sign"]["last_good"] == -500.0);
  CHECK(all[0]["ms_from_sign"]["elected"] == 1000.0);
  CHECK(all[0]["ms_from_sign"]["first_success"].is_null());
  CHECK(all[0]["demoted_to"].is_null());
  CHECK(all[0]["held"] == 5);
  CHECK(all[0]["cut"] == 2);
  CHECK(json::parse(admin::status_json(snapshot))["failovers"].size() == 10);
}

TEST_CASE("the page needs nothing from elsewhere and has the marks that tests look for", "[admin]") {
  const Desk desk;
  const auto page = admin::answer_read("/", desk.snapshot());
  REQUIRE(page);
  CHECK(page->headers[0].value == "text/html; charset=utf-8");
  for (const char* id : {"leader-name", "epoch", "state", "nodes", "failovers"}) {
    CHECK_THAT(page->body, CATCH_CONTAINS("id=\"" + std::string(id) + "\""));
  }
  CHECK(page->body.find("https://") == std::string::npos);
  CHECK(page->body.find("innerHTML") == std::string::npos);
}

TEST_CASE("the status tells when the configuration was read, and what came of the last reload", "[admin][reload]") {
  Desk desk;
  desk.config.read = kWallNow - 1min;
  desk.config.last_reload.changes = {"+node n4"};
  desk.config.last_reload.needs_restart = {"maxconn 1 -> 2"};
  const json fine = desk.status()["config"];
  CHECK(fine["read"] == "1970-12-31T23:59:00.000Z");
  CHECK(fine["current"] == true);
  CHECK(fine["last_reload"]["changes"][0] == "+node n4");
  CHECK(fine["last_reload"]["needs_restart"][0] == "maxconn 1 -> 2");
  desk.config.last_reload = {.problems = {"c.json:1:1: no"}};
  CHECK(desk.status()["config"]["current"] == false);
  CHECK(json::parse(admin::reload_json(desk.config.last_reload))["error"] ==
        "the configuration is refused; nothing was changed");
}

TEST_CASE("the status tells the level of the log, the configured one and how long they differ", "[admin]") {
  Desk desk;
  CHECK(desk.status()["log_level"] ==
        json{{"level", "info"}, {"configured", "info"}, {"until", nullptr}, {"seconds_left", nullptr}});
  desk.log_level = {"debug", "info", kNow + 90s};
  CHECK(
      desk.status()["log_level"] ==
      json{{"level", "debug"}, {"configured", "info"}, {"until", "1971-01-01T00:01:30.000Z"}, {"seconds_left", 90.0}});
}

TEST_CASE("the name of a cluster stands between what is of the process and what is of the cluster",
          "[admin][clusters]") {
  const Desk desk;
  auto snapshot = desk.snapshot();
  const auto unnamed = nlohmann::ordered_json::parse(admin::status_json(snapshot));
  CHECK_FALSE(unnamed.contains("cluster"));
  snapshot.cluster = "east";
  auto named = nlohmann::ordered_json::parse(admin::status_json(snapshot));
  CHECK(std::next(named.begin(), 4).key() == "cluster");
  named.erase("cluster");
  CHECK(named == unnamed);
}

TEST_CASE("a process with several clusters says why none of them is ready", "[admin][clusters]") {
  Desk desk;
  desk.view.leader.reset();
  desk.view.hold = cluster::HoldReason::kNoLeader;
  std::vector<admin::Snapshot> all;
  for (const char* name : {"east", "west"}) {
    all.push_back(desk.snapshot());
    all.back().cluster = name;
  }
  CHECK(admin::readiness(all).reason == "east: 1 of 3 nodes answers: no quorum; west: 1 of 3 nodes answers: no quorum");
  Desk led;
  all.push_back(led.snapshot());
  CHECK(admin::readiness(all).ready);
  led.draining = true;
  all.pop_back();
  all.push_back(led.snapshot());
  CHECK(admin::readiness(all).reason == "draining");
}
