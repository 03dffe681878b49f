#include "bellwether/admin/admin.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "component/admin/asking.h"
#include "support/first_nodes.h"

using namespace bellwether;
using admin::testing::error;
using admin::testing::Folder;
using admin::testing::header;

namespace {

// An admin side over a pretended cluster of n1 (leader) and n2, on an address and on a control socket.
struct Desk {
  Desk() {
    auto made = std::make_shared<cluster::View>();
    made->leader = NodeId{0};
    made->epoch = 3;
    made->hold = cluster::HoldReason::kNone;
    made->nodes = bellwether::testing::first_nodes<cluster::NodeView>(2);
    made->topology = cluster::first_topology({{"n1", "http://a:1"}, {"n2", "http://b:2"}});
    view = made;
    auto one = std::make_shared<admin::ClusterSources>();
    one->view = [this] {
      ++views;
      return view;
    };
    one->set_admin_state = [this](NodeId node, cluster::AdminState state, bool force,
                                  const admin::ClusterSources::OnDone& on_done) {
      if (node.number == 0 && !force) return on_done(fail(ErrorKind::kInvalid, "n1 is the only leader"));
      orders.push_back(fmt::format("{} {}", node.number, to_text(state)));
      on_done({});
    };
    one->repin = [this]() -> Result<void> {
      orders.emplace_back("repin");
      return {};
    };
    one->pause = [this](Duration at_most) { orders.push_back("pause " + format_duration(at_most)); };
    one->resume = [this] { orders.emplace_back("resume"); };
    admin::AdminSources sources;
    sources.clusters = [all = admin::Clusters{one}] { return all; };
    sources.metrics = [this, one] {
      scraped = one->view();
      return [] { return std::string("# TYPE up gauge\nup 1\n"); };
    };
    sources.draining = [this] { return draining; };
    sources.wall_clock = [this] { return WallClock(loop->now(), WallTime{} + std::chrono::hours(1)); };
    admin::AdminOptions options;
    admin = std::make_unique<admin::Admin>(*loop, std::move(options), std::move(sources));
    auto read_only = admin->listen(*net::Address::parse("127.0.0.1:0"));
    REQUIRE(read_only);
    reading = *read_only;
    control = *net::Address::parse("unix:" + folder.file("control.sock"));
    REQUIRE(admin->listen_control(control));
  }

  wire::Reply ask(const net::Address& address, std::string_view method, const std::string& target) {
    return admin::testing::ask(*loop, address, method, target);
  }
  wire::Reply get(const std::string& target) { return ask(reading, "GET", target); }
  wire::Reply post(const std::string& target) { return ask(control, "POST", target); }

  Folder folder;
  std::unique_ptr<net::Loop> loop = net::testing::make_loop();
  cluster::ViewPtr view;
  bool draining = false;
  int views = 0;             // that were asked for
  cluster::ViewPtr scraped;  // the one that metrics were last made of
  std::vector<std::string> orders;
  net::Address reading;
  net::Address control;
  std::unique_ptr<admin::Admin> admin;
};

}  // namespace

TEST_CASE("the page comes as HTML that may load nothing from elsewhere", "[admin]") {
  Desk desk;
  const auto page = desk.get("/");
  CHECK(page.status == 200);
  CHECK(header(page, "Content-Type") == "text/html; charset=utf-8");
  CHECK_THAT(header(page, "Content-Security-Policy"), CATCH_CONTAINS("default-src 'none'"));
  CHECK_THAT(page.body, CATCH_CONTAINS("id=\"leader-name\""));
}

TEST_CASE("each endpoint answers in its own type", "[admin]") {
  Desk desk;
  CHECK(header(desk.get("/metrics"), "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(header(desk.get("/status"), "Content-Type") == "application/json");
  CHECK(nlohmann::json::parse(desk.get("/leader").body)["name"] == "n1");
  CHECK(desk.get("/healthz").status == 200);
  CHECK(desk.get("/readyz").status == 200);
}

TEST_CASE("a scrape takes one picture of the cluster", "[admin]") {
  Desk desk;
  REQUIRE(desk.get("/metrics").status == 200);
  CHECK(desk.views == 1);
  CHECK(desk.scraped == desk.view);
}

TEST_CASE("readyz turns to 503 with the reason while draining", "[admin]") {
  Desk desk;
  desk.draining = true;
  const auto reply = desk.get("/readyz");
  CHECK(reply.status == 503);
  CHECK(nlohmann::json::parse(reply.body)["reason"] == "draining");
}

TEST_CASE("HEAD gets the head of what GET gets", "[admin]") {
  Desk desk;
  const auto reply = desk.ask(desk.reading, "HEAD", "/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.body.empty());
}

TEST_CASE("an unknown path is 404 and a wrong method 405, both in JSON", "[admin]") {
  Desk desk;
  CHECK(desk.get("/nothing").status == 404);
  CHECK_FALSE(error(desk.get("/nothing")).empty());
  const auto wrong = desk.ask(desk.reading, "DELETE", "/status");
  CHECK(wrong.status == 405);
  CHECK(header(wrong, "Allow") == "GET, HEAD");
}

TEST_CASE("the read-only address changes nothing", "[admin]") {
  Desk desk;
  CHECK(desk.ask(desk.reading, "POST", "/node/n2/maint").status == 405);
  CHECK(desk.ask(desk.reading, "POST", "/repin").status == 405);
  CHECK(desk.ask(desk.reading, "POST", "/pause").status == 405);
  CHECK(desk.ask(desk.reading, "POST", "/resume").status == 405);
  CHECK(desk.orders.empty());
}

TEST_CASE("the control socket takes orders and reads", "[admin]") {
  Desk desk;
  CHECK(desk.post("/node/n2/drain").status == 200);
  CHECK(desk.post("/node/n1/maint?force=1").status == 200);
  CHECK(desk.post("/repin").status == 200);
  CHECK(desk.orders == std::vector<std::string>{"1 drain", "0 maint", "repin"});
  CHECK(desk.ask(desk.control, "GET", "/leader").status == 200);
  CHECK(desk.ask(desk.control, "GET", "/node/n2/drain").status == 405);
}

TEST_CASE("the control socket pauses for 60 s or as long as is said, and resumes", "[admin]") {
  Desk desk;
  CHECK(desk.post("/pause").status == 200);
  CHECK(desk.post("/pause?for=90s").status == 200);
  const auto in_vain = desk.post("/resume");
  CHECK(in_vain.status == 200);
  CHECK(nlohmann::json::parse(in_vain.body)["was_paused"] == false);
  CHECK(desk.orders == std::vector<std::string>{"pause 1m", "pause 90s", "resume"});
  auto paused = std::make_shared<cluster::View>(*desk.view);
  paused->paused_until = desk.loop->now() + 1s;
  desk.view = paused;
  CHECK(nlohmann::json::parse(desk.post("/resume").body)["was_paused"] == true);
}

TEST_CASE("a pause of no time, of more than an hour, or of what is no time is refused", "[admin]") {
  Desk desk;
  for (const char* query : {"for=0s", "for=2h", "for=soon", "for=", "until=60s"}) {
    INFO(query);
    CHECK(desk.post(std::string("/pause?") + query).status == 400);
  }
  CHECK(desk.orders.empty());
}

TEST_CASE("the control socket refuses unknown nodes, unknown states and outages", "[admin]") {
  Desk desk;
  const auto unknown = desk.post("/node/n9/drain");
  CHECK(unknown.status == 404);
  CHECK_THAT(error(unknown), CATCH_CONTAINS("n9"));
  CHECK(desk.post("/node/n2/off").status == 400);
  const auto outage = desk.post("/node/n1/maint");
  CHECK(outage.status == 409);
  CHECK_THAT(error(outage), CATCH_CONTAINS("only leader"));
  CHECK(desk.orders.empty());
}

TEST_CASE("the control socket is for its owner and group only", "[admin]") {
  const Desk desk;
  const auto permissions = std::filesystem::status(desk.folder.file("control.sock")).permissions();
  CHECK((permissions & std::filesystem::perms::others_all) == std::filesystem::perms::none);
}

TEST_CASE("a change of leader shows in the next status", "[admin]") {
  Desk desk;
  cluster::Event event;
  event.kind = cluster::EventKind::kLeaderElected;
  event.node = NodeId{1};
  event.node_name = "n2";
  event.other = NodeId{0};
  event.other_name = "n1";
  event.epoch = 4;
  event.why = "n1 says standby";
  desk.admin->record("", {event});
  const auto status = nlohmann::json::parse(desk.get("/status").body);
  REQUIRE(status["changes"].size() == 1);
  CHECK(status["changes"][0]["from"] == "n1");
  CHECK(status["changes"][0]["to"] == "n2");
  CHECK(status["changes"][0]["time"] == "1970-01-01T01:00:00.000Z");
}
