#include <algorithm>

#include "component/proxy/http_rig.h"
#include "support/first_nodes.h"
#include "support/gate.h"

namespace bellwether::proxy {

namespace {

// Of two workers the one that has answered a request of path /v1/stuck waits.
struct StuckRig {
  explicit StuckRig(Mode mode) : one(*loop), two(*loop) {
    options.threads = 2;
    options.log_requests = options.log_paths = true;
    options.listeners.push_back({});
    options.listeners.front().address = *net::Address::parse("127.0.0.1:0");
    options.listeners.front().mode = Mode::kHttp;
    options.listeners.push_back(options.listeners.front());
    options.listeners.back().mode = mode;
    options.nodes.add({0}, {"n1", one.backend.address(), ""});
    options.nodes.add({1}, {"n2", two.backend.address(), ""});
    ProxyCallbacks callbacks;
    callbacks.on_request_end = [this](const RequestRecord& record) {
      if (record.path == "/v1/stuck") gate.pass();
    };
    proxy = Proxy::start(*loop, options, std::move(callbacks)).value();
    lead(1, 0);
  }
  ~StuckRig() { gate.set_shut(false); }
  StuckRig(const StuckRig&) = delete;
  StuckRig& operator=(const StuckRig&) = delete;

  void lead(Epoch epoch, std::uint32_t node) {
    cluster::View view;
    view.epoch = view.serial = epoch;
    view.leader = NodeId{node};
    view.hold = cluster::HoldReason::kNone;
    view.nodes = bellwether::testing::first_nodes<cluster::NodeView>(2);
    for (auto& each : view.nodes) each.up = true;
    view.nodes[node].role = cluster::Role::kActive;
    proxy->publish(std::make_shared<const cluster::View>(view));
  }
  [[nodiscard]] bool until(const std::function<bool()>& done) {
    net::Timer nudge(*loop, [&] { nudge.arm_in(2ms); });
    nudge.arm_in(2ms);
    return loop->run_until(done, 20s);
  }
  [[nodiscard]] std::unique_ptr<Peer> client(std::size_t listener = 0) {
    return Peer::dial(*loop, proxy->addresses()[listener]);
  }
  [[nodiscard]] static bool has(const Peer& peer, std::string_view text) {
    return peer.received.find(text) != std::string::npos;
  }
  // Whichever worker the kernel gives this client to.
  void make_stuck() {
    auto sacrifice = client();
    sacrifice->send(get("/v1/stuck"));
    others.push_back(std::move(sacrifice));
    REQUIRE(until([&] { return gate.arrived() > 0; }));
  }

  std::unique_ptr<net::Loop> loop = net::Loop::create({.precise_timers = true}).value();
  HttpNode one, two;
  ProxyOptions options;
  bellwether::testing::Gate gate{true};
  std::unique_ptr<Proxy> proxy;
  std::vector<std::unique_ptr<Peer>> others;
};

std::size_t count(const HttpNode& node, std::string_view path) {
  return static_cast<std::size_t>(std::count_if(
      node.seen.begin(), node.seen.end(), [&](const Seen& seen) { return seen.line.find(path) != std::string::npos; }));
}

}  // namespace

TEST_CASE(
    "a worker that is stuck keeps no client of the others waiting for a new leader, and sends nothing to the old one",
    "[proxy][http][gate]") {
  const Mode mode = GENERATE(Mode::kHttp, Mode::kTcp);
  StuckRig it(mode);
  constexpr std::size_t kClients = 16;
  // Connected and served before, so that their workers have taken them.
  std::vector<std::unique_ptr<Peer>> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(it.client(1));
  for (auto& client : clients) client->send(get("/v1/before"));
  REQUIRE(it.until([&] {
    return std::all_of(clients.begin(), clients.end(), [&](const auto& each) { return it.has(*each, "/v1/before"); });
  }));
  it.make_stuck();

  it.lead(2, 1);
  // In tcp mode a session stays with its node; what counts there is that the free worker goes on.
  for (auto& client : clients) {
    client->received.clear();
    client->send(get("/v1/after"));
  }
  const auto answered = [&] {
    return std::count_if(clients.begin(), clients.end(), [&](const auto& each) { return it.has(*each, "/v1/after"); });
  };
  auto fresh = std::vector<std::unique_ptr<Peer>>();
  for (std::size_t i = 0; i < kClients; ++i) fresh.push_back(it.client(1));
  for (auto& client : fresh) client->send(get("/v1/fresh"));
  REQUIRE(it.until([&] { return count(it.two, "/v1/fresh") > 0; }));
  CHECK(answered() < static_cast<std::ptrdiff_t>(kClients));
  CHECK(count(it.one, "/v1/fresh") == 0);

  it.gate.set_shut(false);
  CHECK(it.until([&] { return count(it.two, "/v1/fresh") == kClients; }));
  CHECK(count(it.one, "/v1/fresh") == 0);
  if (mode == Mode::kTcp) return;
  CHECK(it.until([&] { return answered() == static_cast<std::ptrdiff_t>(kClients); }));
  CHECK(count(it.one, "/v1/after") == 0);
  CHECK(count(it.two, "/v1/after") == kClients);
}

}  // namespace bellwether::proxy
