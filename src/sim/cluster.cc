#include "bellwether/sim/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/net/listener.h"
#include "bellwether/wire/server.h"
#include "sim/model/model.h"

namespace bellwether::sim {
namespace {

constexpr std::size_t kMaxNodes = 64;
constexpr Duration kListenAgain = 100ms;  // a restarted node whose port is still taken tries again

ModelOptions model_options(const SimOptions& options, std::vector<std::string> urls) {
  ModelOptions result;
  result.urls = std::move(urls);
  result.election = options.election;
  result.demotion_block = options.demotion_block;
  result.crash_election = options.crash_election;
  result.unseal_after = options.unseal_after;
  result.lease = options.lease;
  result.replication_lag = options.replication_lag;
  result.standby_reads = options.standby_reads;
  result.openbao = options.openbao;
  result.consistency_headers = options.consistency_headers;
  result.missing_header_forward = options.missing_header_forward;
  result.names_itself = options.names_itself;
  result.seed = options.seed;
  result.wall_at_start = options.wall_at_start;
  return result;
}

// api_addr: where peers and clients find the node that listens there.
std::string url_of(const net::Address& listening, bool tls) {
  const bool is_everywhere = listening.host() == "0.0.0.0" || listening.host() == "::";
  const std::string authority = is_everywhere ? fmt::format("127.0.0.1:{}", listening.port()) : listening.to_string();
  return (tls ? "https://" : "http://") + authority;
}

std::string state_text(const NodeState& state) {
  switch (state.process) {
    case Process::kStopped:
      return "stopped";
    case Process::kFrozen:
      return "frozen";
    case Process::kRunning:
      break;
  }
  if (state.blocked) return "blocked";
  switch (state.role) {
    case NodeRole::kActive:
      return "active";
    case NodeRole::kSealed:
      return "sealed";
    case NodeRole::kStandby:
      break;
  }
  return "standby";
}

}  // namespace

struct Cluster::Impl {
  struct Door {
    net::Address address;
    std::unique_ptr<net::Listener> listener;  // null: refuses
    std::unique_ptr<wire::Server> server;
  };

  Impl(net::Loop& loop_in, SimOptions options_in, std::vector<std::string> urls)
      : loop(loop_in),
        options(std::move(options_in)),
        model(model_options(options, std::move(urls)), loop.precise_now()),
        timer(loop, [this] { run_until_now(); }),
        listen_again(loop, [this] { open_missing_doors(); }) {}

  void add_door(net::Socket listening, const net::Address& address) {
    const int node = static_cast<int>(doors.size());
    wire::Server::Options server;
    server.tls = options.tls;
    doors.push_back(
        {address, nullptr,
         std::make_unique<wire::Server>(
             loop, std::move(server), [this, node](wire::ServerRequest request) { receive(node, std::move(request)); },
             [this, node](wire::ExchangeId exchange) {
               model.forget({node, exchange});
             })});
    listen(node, std::move(listening));
  }

  void listen(int node, net::Socket listening) {
    door(node).listener = std::make_unique<net::Listener>(loop, std::move(listening),
                                                          [this, node](net::Socket socket, const net::Address& peer) {
                                                            door(node).server->adopt(std::move(socket), peer);
                                                          });
  }

  void receive(int node, wire::ServerRequest request) {
    model.receive(
        {node, request.exchange},
        {std::move(request.method), std::move(request.target), std::move(request.headers), std::move(request.body)},
        loop.precise_now());
    run_actions();
  }

  void run_until_now() {
    model.tick(loop.precise_now());
    run_actions();
  }

  // An answer may let the next request of its connection in, and so call receive() from within.
  void run_actions() {
    if (std::exchange(running_actions, true)) return;
    for (auto actions = model.take_actions(); !actions.empty(); actions = model.take_actions()) {
      for (const Action& action : actions) {
        if (const auto* answer = std::get_if<Answer>(&action)) {
          door(answer->id.node).server->respond(answer->id.exchange, answer->response);
        } else {
          change_process(std::get<ChangeProcess>(action));
        }
      }
    }
    running_actions = false;
    timer.arm_at(model.next_due());
  }

  void change_process(ChangeProcess change) {
    Door& d = door(change.node);
    switch (change.change) {
      case ProcessChange::kStop:
        d.listener.reset();
        d.server->drop_all(false);  // as the kernel does for a killed process
        d.server->set_frozen(false);
        break;
      case ProcessChange::kStart:
        open_missing_doors();
        break;
      case ProcessChange::kFreeze:
        d.server->set_frozen(true);
        d.listener->pause();
        break;
      case ProcessChange::kThaw:
        d.server->set_frozen(false);
        d.listener->resume();
        break;
    }
  }

  void open_missing_doors() {
    for (int node = 0; node < static_cast<int>(doors.size()); ++node) {
      if (door(node).listener || model.state(node).process == Process::kStopped) continue;
      Result<net::Socket> listening = net::bind_listener(door(node).address, {});
      if (listening) {
        listen(node, std::move(*listening));
      } else {
        listen_again.arm_in(kListenAgain);
      }
    }
  }

  [[nodiscard]] Door& door(int node) { return doors[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const Door& door(int node) const { return doors[static_cast<std::size_t>(node)]; }

  net::Loop& loop;
  SimOptions options;
  Model model;
  net::Timer timer;
  net::Timer listen_again;
  std::vector<Door> doors;
  bool running_actions = false;
};

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

Result<std::unique_ptr<Cluster>> Cluster::start(net::Loop& loop, SimOptions options) {
  if (options.addresses.empty()) {
    const Result<net::Address> any = net::Address::parse("127.0.0.1:0");
    if (!any) return tl::unexpected(any.error());
    options.addresses.assign(static_cast<std::size_t>(std::max(options.nodes, 0)), *any);
  }
  if (options.addresses.empty() || options.addresses.size() > kMaxNodes) {
    return fail(ErrorKind::kInvalid, fmt::format("a simulated cluster has 1 to {} nodes", kMaxNodes));
  }
  std::vector<std::pair<net::Socket, net::Address>> bound;
  std::vector<std::string> urls;
  for (const net::Address& address : options.addresses) {
    Result<net::Socket> socket = net::bind_listener(address, {});
    if (!socket) return tl::unexpected(socket.error());
    const Result<net::Address> local = socket->local_address();
    if (!local) return tl::unexpected(local.error());
    urls.push_back(url_of(*local, options.tls != nullptr));
    bound.emplace_back(std::move(*socket), *local);
  }
  auto impl = std::make_unique<Impl>(loop, std::move(options), std::move(urls));
  for (auto& [socket, address] : bound) impl->add_door(std::move(socket), address);
  return std::make_unique<Cluster>(std::move(impl));
}

int Cluster::size() const { return static_cast<int>(impl_->doors.size()); }

std::string Cluster::url(int node) const { return impl_->model.url(node); }

net::Address Cluster::address(int node) const { return impl_->door(node).address; }

int Cluster::leader() const { return impl_->model.leader(); }

SimNode Cluster::node(int node) const {
  const NodeState state = impl_->model.state(node);
  return {fmt::format("n{}", node + 1), url(node), state_text(state), state.partitioned,
          state.knows_leader < 0 ? std::string() : url(state.knows_leader)};
}

std::string Cluster::root_token() const { return ModelOptions{}.root_token; }

Result<void> Cluster::inject(int node, std::string_view fault, Duration argument) {
  const TimePoint now = impl_->loop.precise_now();
  impl_->model.tick(now);
  const Result<void> done = impl_->model.inject(node, fault, argument, now);
  impl_->run_actions();
  return done;
}

const std::vector<std::string_view>& Cluster::faults() { return Model::faults(); }

std::uint64_t Cluster::writes() const { return impl_->model.store().puts(); }

std::uint64_t Cluster::radius_calls(const std::string& user) const { return impl_->model.auth().radius_calls(user); }

std::uint64_t Cluster::writes(const std::string& key) const { return impl_->model.store().puts(key); }

}  // namespace bellwether::sim
