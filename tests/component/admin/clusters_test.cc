#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bellwether/admin/admin.h"
#include "component/admin/asking.h"
#include "support/first_nodes.h"

using namespace bellwether;
using admin::testing::error;
using nlohmann::json;

namespace {

cluster::ViewPtr led_by(NodeId leader, Epoch epoch) {
  auto made = std::make_shared<cluster::View>();
  made->leader = leader;
  made->epoch = epoch;
  made->hold = cluster::HoldReason::kNone;
  made->nodes = bellwether::testing::first_nodes<cluster::NodeView>(2);
  made->topology = cluster::first_topology({{"n1", "http://a:1"}, {"n2", "http://b:2"}});
  return made;
}

cluster::ViewPtr without_leader() {
  auto made = std::make_shared<cluster::View>(*led_by(NodeId{0}, 3));
  made->leader.reset();
  made->hold = cluster::HoldReason::kNoLeader;
  return made;
}

// An admin side over pretended clusters, each of n1 and n2, on an address and on a control socket.
class Desk {
 public:
  explicit Desk(const std::vector<std::string>& names) {
    for (const std::string& name : names) add(name);
    admin::AdminSources sources;
    sources.clusters = [this] { return clusters; };
    sources.metrics = [] { return [] { return std::string("up 1\n"); }; };
    sources.draining = [this] { return draining; };
    sources.wall_clock = [this] { return WallClock(loop->now(), WallTime{} + std::chrono::hours(1)); };
    sources.reload = [this](const std::function<void(const admin::ReloadReport&)>& on_done) {
      orders.emplace_back("reload");
      on_done({});
    };
    admin::AdminOptions options;
    options.version = "0.1.0";
    admin = std::make_unique<admin::Admin>(*loop, std::move(options), std::move(sources));
    auto read_only = admin->listen(*net::Address::parse("127.0.0.1:0"));
    REQUIRE(read_only);
    reading = *read_only;
    control = *net::Address::parse("unix:" + folder.file("control.sock"));
    REQUIRE(admin->listen_control(control));
  }

  void add(const std::string& name) {
    auto made = std::make_shared<admin::ClusterSources>();
    made->name = name;
    views[name] = led_by(NodeId{0}, 3);
    made->view = [this, name] { return views.at(name); };
    made->set_admin_state = [this, name](NodeId node, cluster::AdminState state, bool,
                                         const admin::ClusterSources::OnDone& on_done) {
      orders.push_back(fmt::format("{}: {} {}", name, node.number, to_text(state)));
      on_done({});
    };
    made->repin = [this, name]() -> Result<void> {
      orders.push_back(name + ": repin");
      return {};
    };
    made->pause = [this, name](Duration at_most) { orders.push_back(name + ": pause " + format_duration(at_most)); };
    made->resume = [this, name] { orders.push_back(name + ": resume"); };
    made->counters = [name] { return admin::Counters{{"of_" + name, 1}}; };
    made->ambiguous = [name] {
      admin::AmbiguousRequest one;
      one.id = "id-" + name;
      return std::vector<admin::AmbiguousRequest>{one};
    };
    made->failovers = [this, name] {
      cluster::Failover one;
      one.to_name = "n1 of " + name;
      one.first_sign = loop->now();
      return std::vector<cluster::Failover>{one};
    };
    clusters.push_back(std::move(made));
  }

  wire::Reply get(const std::string& target) { return admin::testing::ask(*loop, reading, "GET", target); }
  json get_json(const std::string& target) { return json::parse(get(target).body); }
  wire::Reply post(const std::string& target) { return admin::testing::ask(*loop, control, "POST", target); }

  admin::testing::Folder folder;
  std::unique_ptr<net::Loop> loop = net::testing::make_loop();
  std::map<std::string, cluster::ViewPtr> views;
  admin::Clusters clusters;
  bool draining = false;
  std::vector<std::string> orders;
  net::Address reading;
  net::Address control;
  std::unique_ptr<admin::Admin> admin;
};

cluster::Event election(const std::string& to) {
  cluster::Event event;
  event.kind = cluster::EventKind::kLeaderElected;
  event.node = NodeId{1};
  event.node_name = to;
  event.epoch = 4;
  return event;
}

}  // namespace

TEST_CASE("behind its prefix each cluster has its own answers", "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.views["west"] = led_by(NodeId{1}, 7);
  CHECK(desk.get_json("/clusters/east/leader")["name"] == "n1");
  CHECK(desk.get_json("/clusters/west/leader")["name"] == "n2");
  const json status = desk.get_json("/clusters/west/status");
  CHECK(status["cluster"] == "west");
  CHECK(status["version"] == "0.1.0");
  CHECK(status["epoch"] == 7);
  CHECK(status["counters"] == json{{"of_west", 1}});
  CHECK(status.contains("config"));
  CHECK(desk.get_json("/clusters/west/failovers")["failovers"][0]["to"] == "n1 of west");
  CHECK(desk.get_json("/clusters/west/ambiguous")["ambiguous"][0]["id"] == "id-west");
}

TEST_CASE("without a prefix status, failovers and ambiguous tell of all clusters", "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.views["west"] = without_leader();
  const json status = desk.get_json("/status");
  CHECK(status["version"] == "0.1.0");
  CHECK(status["ready"] == true);
  CHECK(status["draining"] == false);
  CHECK(status.contains("config"));
  CHECK(status.contains("log_level"));
  REQUIRE(status["clusters"].size() == 2);
  CHECK(status["clusters"][0]["cluster"] == "east");
  CHECK(status["clusters"][0]["leader"]["name"] == "n1");
  CHECK(status["clusters"][0]["counters"] == json{{"of_east", 1}});
  CHECK(status["clusters"][1]["cluster"] == "west");
  CHECK(status["clusters"][1]["state"] == "no_leader");
  CHECK_FALSE(status["clusters"][1].contains("version"));
  const json failovers = desk.get_json("/failovers")["clusters"];
  CHECK(failovers[0]["cluster"] == "east");
  CHECK(failovers[1]["failovers"][0]["to"] == "n1 of west");
  const json ambiguous = desk.get_json("/ambiguous")["clusters"];
  CHECK(ambiguous[1]["cluster"] == "west");
  CHECK(ambiguous[1]["ambiguous"][0]["id"] == "id-west");
}

TEST_CASE("the process is ready while any cluster is, and behind a prefix that cluster alone counts",
          "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.views["west"] = without_leader();
  const auto some = desk.get("/readyz");
  CHECK(some.status == 200);
  CHECK(json::parse(some.body)["clusters"][0] == json{{"cluster", "east"}, {"ready", true}, {"state", "leading"}});
  CHECK(json::parse(some.body)["clusters"][1]["ready"] == false);
  CHECK(desk.get("/clusters/east/readyz").status == 200);
  CHECK(desk.get("/clusters/west/readyz").status == 503);
  desk.views["east"] = without_leader();
  const auto none = desk.get("/readyz");
  CHECK(none.status == 503);
  CHECK_THAT(json::parse(none.body)["reason"].get<std::string>(), CATCH_CONTAINS("east: "));
  CHECK_THAT(json::parse(none.body)["reason"].get<std::string>(), CATCH_CONTAINS("; west: "));
}

TEST_CASE("a process that ends is not ready, whatever its clusters do", "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.draining = true;
  CHECK(desk.get("/readyz").status == 503);
  CHECK(desk.get_json("/readyz")["reason"] == "draining");
  CHECK(desk.get("/clusters/east/readyz").status == 503);
}

TEST_CASE("what concerns one of several clusters is refused until one is named", "[admin][clusters]") {
  Desk desk({"east", "west"});
  const auto leader = desk.get("/leader");
  CHECK(leader.status == 400);
  CHECK(error(leader) ==
        "there are several clusters (east, west): say which, with --cluster NAME (/clusters/NAME/leader)");
  for (const char* order : {"/pause", "/resume", "/repin", "/node/n2/drain"}) {
    INFO(order);
    const auto refused = desk.post(order);
    CHECK(refused.status == 400);
    CHECK_THAT(error(refused), CATCH_CONTAINS(fmt::format("(/clusters/NAME{})", order)));
  }
  CHECK(desk.orders.empty());
}

TEST_CASE("an order behind a prefix reaches that cluster alone", "[admin][clusters]") {
  Desk desk({"east", "west"});
  for (const char* order : {"/clusters/west/pause?for=90s", "/clusters/east/resume", "/clusters/west/repin",
                            "/clusters/east/node/n2/drain?force=1"}) {
    INFO(order);
    CHECK(desk.post(order).status == 200);
  }
  CHECK(desk.orders == std::vector<std::string>{"west: pause 90s", "east: resume", "west: repin", "east: 1 drain"});
}

TEST_CASE("an unknown cluster is 404 with those that there are", "[admin][clusters]") {
  Desk desk({"east", "west"});
  const auto read = desk.get("/clusters/wset/status");
  CHECK(read.status == 404);
  CHECK(error(read) == "no cluster is named \"wset\"; there are east, west; did you mean \"west\"?");
  const auto order = desk.post("/clusters/wset/pause");
  CHECK(order.status == 404);
  CHECK(error(order) == error(read));
  CHECK(desk.get("/clusters//status").status == 404);
  CHECK(desk.get("/clusters/%zz/status").status == 400);
  CHECK(desk.get("/clusters/east/nothing").status == 404);
  CHECK(desk.get("/clusters").status == 404);
}

TEST_CASE("what is of the whole process has no prefix", "[admin][clusters]") {
  Desk desk({"east", "west"});
  CHECK(desk.get("/metrics").body == "up 1\n");
  CHECK(desk.get("/healthz").status == 200);
  CHECK(desk.post("/reload").status == 200);
  for (const char* path : {"/metrics", "/healthz"}) {
    const auto refused = desk.get(fmt::format("/clusters/east{}", path));
    CHECK(refused.status == 404);
    CHECK(error(refused) ==
          fmt::format("{0} concerns the whole process, not one cluster: ask for {0} without /clusters/NAME", path));
  }
  for (const char* path : {"/reload", "/check", "/log-level", "/upgrade"}) {
    CHECK(desk.post(fmt::format("/clusters/east{}", path)).status == 404);
  }
  CHECK(desk.orders == std::vector<std::string>{"reload"});
}

TEST_CASE("the read-only address changes nothing of a cluster", "[admin][clusters]") {
  Desk desk({"east", "west"});
  CHECK(admin::testing::ask(*desk.loop, desk.reading, "POST", "/clusters/east/pause").status == 405);
  CHECK(admin::testing::ask(*desk.loop, desk.reading, "POST", "/clusters/east/status").status == 405);
  CHECK(desk.orders.empty());
}

TEST_CASE("the page of a cluster has a tab for each one, and links of its own", "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.views["west"] = without_leader();
  const std::string west = desk.get("/clusters/west/").body;
  CHECK_THAT(west, CATCH_CONTAINS("<a href=\"/clusters/east/\" data-cluster=\"east\" data-state=\"leading\">east"));
  CHECK_THAT(west, CATCH_CONTAINS("<a href=\"/clusters/west/\" aria-current=\"page\" data-cluster=\"west\" "
                                  "data-state=\"no_leader\">west <span class=\"mark\">no leader</span>"));
  CHECK_THAT(west, CATCH_CONTAINS("<body data-prefix=\"/clusters/west\">"));
  CHECK_THAT(west, CATCH_CONTAINS("<a href=\"/clusters/west/readyz\">"));
  CHECK_THAT(west, CATCH_CONTAINS("<a href=\"/metrics\">"));
  CHECK(desk.get("/clusters/west").body == west);
  CHECK_THAT(desk.get("/").body, CATCH_CONTAINS("<body data-prefix=\"/clusters/east\">"));
}

TEST_CASE("a cluster's name is percent-decoded in paths and encoded in links", "[admin][clusters]") {
  Desk desk({"eu/1 <a>", "west"});
  CHECK(desk.get_json("/clusters/eu%2F1%20%3Ca%3E/status")["cluster"] == "eu/1 <a>");
  const std::string page = desk.get("/").body;
  CHECK_THAT(page, CATCH_CONTAINS("href=\"/clusters/eu%2F1%20%3Ca%3E/\""));
  CHECK_THAT(page, CATCH_CONTAINS("data-cluster=\"eu/1 &lt;a&gt;\""));
  CHECK(page.find("<a>") == std::string::npos);
}

TEST_CASE("a change of leader shows in the status of its cluster only", "[admin][clusters]") {
  Desk desk({"east", "west"});
  desk.admin->record("west", {election("n2")});
  CHECK(desk.get_json("/clusters/east/status")["changes"].empty());
  CHECK(desk.get_json("/clusters/west/status")["changes"][0]["to"] == "n2");
  CHECK(desk.get_json("/status")["clusters"][1]["changes"][0]["to"] == "n2");
}

TEST_CASE("clusters come and go, and the changes of one that is gone are forgotten", "[admin][clusters]") {
  Desk desk({"east"});
  desk.admin->record("west", {election("n2")});
  desk.add("west");
  CHECK(desk.get_json("/clusters/west/status")["changes"].size() == 1);
  const auto west = desk.clusters.back();
  desk.clusters.pop_back();
  CHECK(desk.get("/clusters/west/status").status == 404);
  desk.clusters.push_back(west);
  CHECK(desk.get_json("/clusters/west/status")["changes"].empty());
}

TEST_CASE("a single cluster with a name is asked with and without its prefix", "[admin][clusters]") {
  Desk desk({"east"});
  CHECK(desk.get_json("/leader")["name"] == "n1");
  CHECK(desk.get_json("/status")["cluster"] == "east");
  CHECK_FALSE(desk.get_json("/status").contains("clusters"));
  CHECK(desk.get_json("/readyz") == json{{"ready", true}, {"state", "leading"}});
  CHECK(desk.get_json("/clusters/east/leader")["name"] == "n1");
  CHECK(error(desk.get("/clusters/northern/leader")) == "no cluster is named \"northern\"; there is east");
  CHECK(desk.post("/repin").status == 200);
  CHECK(desk.post("/clusters/east/repin").status == 200);
  CHECK(desk.get("/").body.find("<nav") == std::string::npos);
}

TEST_CASE("a single cluster without a name has no prefix and no name in its status", "[admin][clusters]") {
  Desk desk({""});
  CHECK_FALSE(desk.get_json("/status").contains("cluster"));
  CHECK_THAT(desk.get("/").body, CATCH_CONTAINS("<body data-prefix=\"\">"));
  const auto refused = desk.get("/clusters/east/status");
  CHECK(refused.status == 404);
  CHECK(error(refused) == "no cluster is named \"east\": this process has one cluster, without a name");
  CHECK(desk.get("/clusters//status").status == 404);
  CHECK(desk.post("/clusters//repin").status == 404);
}
