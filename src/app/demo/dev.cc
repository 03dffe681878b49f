#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "app/process/exit_code.h"
#include "app/process/log.h"
#include "app/service/service.h"
#include "bellwether/net/process.h"
#include "bellwether/sim/cluster.h"
#include "demo.h"
#include "dev_director.h"
#include "fault_api.h"

namespace bellwether::app {
namespace {

constexpr const char* kFaultAddress = "127.0.0.1:8210";
constexpr const char* kLogLevel = "error";

// The simulated cluster on a loop and a thread of its own, so that the proxy in front of it cannot be held up by it.
class SimThread {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SimThread>> start(int nodes, net::Socket faults) {
    auto self = std::make_unique<SimThread>();
    Result<std::unique_ptr<net::Loop>> loop = net::Loop::create({.precise_timers = true});
    if (!loop) return tl::unexpected(loop.error());
    self->loop_ = std::move(*loop);
    sim::SimOptions options;
    options.nodes = nodes;
    options.wall_at_start = std::chrono::system_clock::now();
    options.seed = static_cast<std::uint64_t>(options.wall_at_start.time_since_epoch().count());
    Result<std::unique_ptr<sim::Cluster>> cluster = sim::Cluster::start(*self->loop_, std::move(options));
    if (!cluster) return tl::unexpected(cluster.error());
    self->cluster_ = std::move(*cluster);
    self->faults_ = std::make_unique<FaultApi>(*self->loop_, *self->cluster_, std::move(faults));
    self->fault_url_ = self->faults_->url();
    for (int i = 0; i < self->cluster_->size(); ++i) self->urls_.push_back(self->cluster_->url(i));
    self->thread_ = std::thread([raw = self.get()] { raw->loop_->run(); });
    return self;
  }
  SimThread() = default;
  ~SimThread() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
  }
  SimThread(const SimThread&) = delete;
  SimThread& operator=(const SimThread&) = delete;

  // `refused` is called on `caller`'s thread if the cluster would not do it.
  void inject(int node, std::string fault, Duration argument, net::Loop& caller,
              std::function<void(std::string)> refused) {
    loop_->post([this, node, fault = std::move(fault), argument, &caller, refused = std::move(refused)] {
      const Result<void> done = cluster_->inject(node, fault, argument);
      if (!done) caller.post([refused, reason = done.error().message] { refused(reason); });
    });
  }
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  [[nodiscard]] const std::string& fault_url() const { return fault_url_; }
  [[nodiscard]] std::string root_token() const { return cluster_->root_token(); }

 private:
  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<sim::Cluster> cluster_;
  std::unique_ptr<FaultApi> faults_;
  std::vector<std::string> urls_;
  std::string fault_url_;
  std::thread thread_;
};

// https://no-color.org: set and not empty.
bool no_color() {
  const char* value = std::getenv("NO_COLOR");
  return value != nullptr && *value != '\0';
}

// Bold on a terminal, plain elsewhere.
class Screen {
 public:
  [[nodiscard]] std::string bold(std::string_view text) const {
    return terminal_ ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
  }
  void line(std::string_view text) const {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  }
  void event(std::string_view text) const {
    const std::string now = format_utc(std::chrono::system_clock::now()).substr(11, 8);
    line(fmt::format("{}  {}", terminal_ ? fmt::format("\x1b[2m{}\x1b[0m", now) : now, text));
  }

 private:
  bool terminal_ = ::isatty(STDOUT_FILENO) == 1 && !no_color();
};

// That address if it is free, else any port on the same host, and says so.
Result<net::Socket> bind_or_any(const std::string& wanted, std::string_view what, const Screen& screen) {
  const Result<net::Address> address = net::Address::parse(wanted);
  if (!address) return tl::unexpected(address.error());
  Result<net::Socket> bound = net::bind_listener(*address, {});
  if (bound || address->is_unix() || address->port() == 0) return bound;
  screen.line(fmt::format("{} is taken; the {} gets a free port.", wanted, what));
  return net::bind_listener(address->with_port(0), {});
}

Result<std::string> free_address(const std::string& wanted, std::string_view what, const Screen& screen) {
  const Result<net::Socket> bound = bind_or_any(wanted, what, screen);
  if (!bound) return tl::unexpected(bound.error());
  const Result<net::Address> local = bound->local_address();
  return local ? Result<std::string>(local->to_string()) : tl::unexpected(local.error());
}

Result<config::Config> proxy_config(const DevOptions& options, const SimThread& cluster, const Screen& screen) {
  config::Config config;
  const Result<std::string> listen = free_address(options.listen, "proxy", screen);
  if (!listen) return tl::unexpected(listen.error());
  const Result<std::string> admin = free_address(options.admin, "status page", screen);
  if (!admin) return tl::unexpected(admin.error());
  const config::Mode mode = options.mode == "tcp" ? config::Mode::kTcp : config::Mode::kHttp;
  config::Listen& listener = config.listen.emplace_back();
  listener.address = *listen;
  listener.mode = mode;
  config.admin = *admin;
  config.control = "off";
  config.log_level = kLogLevel;
  for (const std::string& url : cluster.urls()) {
    const Result<net::Address> address = net::Address::parse(std::string_view(url).substr(url.find("//") + 2));
    if (!address) return tl::unexpected(address.error());
    config::Node node;
    node.name = fmt::format("n{}", config.nodes.size() + 1);
    node.url = url;
    node.tls = false;
    node.host = address->host();
    node.port = address->port();
    node.public_address = url;
    config.nodes.push_back(std::move(node));
  }
  return config;
}

void introduce(const Screen& screen, const SimThread& cluster, const Service& service, const DevOptions& options) {
  const std::string proxy = "http://" + service.listen_addresses().front();
  const std::string admin = "http://" + service.admin_address();
  const std::string token = cluster.root_token();
  screen.line(fmt::format("{}: {} pretended Vault nodes and the proxy in front of them, all on this machine.\n",
                          screen.bold("bellwether dev"), cluster.urls().size()));
  screen.line(fmt::format("  proxy        {}", screen.bold(proxy)));
  screen.line(fmt::format("  status page  {}/", screen.bold(admin)));
  screen.line(fmt::format("  metrics      {}/metrics", admin));
  screen.line(fmt::format("  faults       {}/nodes", cluster.fault_url()));
  for (std::size_t i = 0; i < cluster.urls().size(); ++i) {
    screen.line(fmt::format("  node n{}      {}", i + 1, cluster.urls()[i]));
  }
  screen.line(fmt::format("\n{}", screen.bold("Try")));
  screen.line(fmt::format("  export VAULT_ADDR={} VAULT_TOKEN={}", proxy, token));
  screen.line(
      "  vault kv put secret/hello who=world && vault kv get secret/hello      (or: bao, with BAO_ADDR, BAO_TOKEN)");
  screen.line(fmt::format(
      "  curl -H 'X-Vault-Token: {}' -d '{{\"data\":{{\"who\":\"world\"}}}}' {}/v1/secret/data/hello", token, proxy));
  screen.line(fmt::format("  curl -H 'X-Vault-Token: {}' {}/v1/secret/data/hello", token, proxy));
  screen.line(fmt::format("  curl -X POST '{}/node/leader/crash?for=5s'", cluster.fault_url()));
  screen.line(fmt::format("  other faults: {}\n", fmt::join(sim::Cluster::faults(), ", ")));
  screen.line(options.failover_every > Duration{}
                  ? fmt::format("A failover every {}; Ctrl-C ends it.\n", format_duration(options.failover_every))
                  : std::string("No failover unless you make one; Ctrl-C ends it.\n"));
}

Result<int> run_dev(const DevOptions& options) {
  const Screen screen;
  Result<std::unique_ptr<net::Loop>> control = net::Loop::create({.precise_timers = true});
  if (!control) return tl::unexpected(control.error());
  net::Loop& loop = **control;
  Result<net::Socket> faults = bind_or_any(kFaultAddress, "fault API", screen);
  if (!faults) return tl::unexpected(faults.error());
  const Result<std::unique_ptr<SimThread>> cluster = SimThread::start(options.nodes, std::move(*faults));
  if (!cluster) return tl::unexpected(cluster.error());
  const Result<config::Config> config = proxy_config(options, **cluster, screen);
  if (!config) return tl::unexpected(config.error());
  const Result<std::unique_ptr<Service>> started = Service::start(loop, *config);
  if (!started) return tl::unexpected(started.error());
  Service& service = **started;
  introduce(screen, **cluster, service, options);

  const Result<net::Address> proxy = net::Address::parse(service.listen_addresses().front());
  if (!proxy) return tl::unexpected(proxy.error());
  DevClient client(loop, *proxy, (*cluster)->root_token());
  // A demonstration does not wait for its guests as `run` does.
  const auto end = [&] {
    client.stop();
    loop.stop();
  };
  DevDirector* director_seen = nullptr;
  DevDirector director(loop, client,
                       {.view = [&] { return service.view(); },
                        .inject =
                            [&](int node, std::string fault, Duration argument) {
                              (*cluster)->inject(node, std::move(fault), argument, loop,
                                                 [&](const std::string& reason) { director_seen->on_refused(reason); });
                            },
                        .say = [&](const std::string& line) { screen.event(line); },
                        .done = end},
                       options.failover_every, options.failovers);
  director_seen = &director;
  const net::SignalWatch signals(loop, {SIGTERM, SIGINT, SIGQUIT}, [&](int) { end(); });
  loop.run();
  return director.failures() == 0 ? kExitFine : kExitFailed;
}

}  // namespace

int dev_command(const DevOptions& options) {
  net::block_signals({SIGTERM, SIGINT, SIGQUIT});
  if (const Result<void> logging = log::start(kLogLevel, config::LogFormat::kText); !logging) {
    fmt::print(stderr, "bellwether dev: {}\n", logging.error().message);
    return kExitFailed;
  }
  const Result<int> code = run_dev(options);
  log::stop();
  if (code) return *code;
  fmt::print(stderr, "bellwether dev: {}\n", code.error().message);
  return code.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace bellwether::app
