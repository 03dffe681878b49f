#include "bellwether/admin/admin.h"

#include <utility>

#include "api.h"
#include "bellwether/net/listener.h"
#include "bellwether/wire/server.h"
#include "journal.h"

namespace bellwether::admin {

namespace {

enum class Rights : std::uint8_t { kRead, kChange };

}  // namespace

struct Admin::Impl {
  // One side: the address and what may be done there.
  struct Side {
    Side(Impl& admin, net::Socket socket, Rights r)
        : rights(r),
          server(admin.loop, server_options(),
                 [this, &admin](const wire::ServerRequest& request) {
                   server.respond(request.exchange, admin.answer(request, rights));
                 }),
          listener(admin.loop, std::move(socket), [this](net::Socket accepted, const net::Address& peer) {
            server.adopt(std::move(accepted), peer);
          }) {}

    static wire::Server::Options server_options() {
      wire::Server::Options options;
      options.max_body_bytes = 4096;
      options.max_connections = 256;
      return options;
    }

    Rights rights;
    wire::Server server;
    net::Listener listener;
  };

  Impl(net::Loop& l, AdminOptions o, AdminSources s) : loop(l), options(std::move(o)), sources(std::move(s)) {}

  [[nodiscard]] http::Response answer(const wire::ServerRequest& request, Rights rights) {
    const Target target = split_target(request.target);
    const cluster::ViewPtr view = sources.view();
    const Counters counters = sources.counters ? sources.counters() : Counters{};
    const bool tells_failovers = target.path == "/failovers" || target.path == "/status";
    const Snapshot snapshot{
        options,
        *view,
        journal,
        counters,
        sources.draining(),
        loop.now(),
        sources.wall_at,
        tells_failovers && sources.failovers ? sources.failovers() : std::vector<cluster::Failover>{}};
    auto read = answer_read(target.path, snapshot, sources.metrics_text);
    if (read) {
      if (request.method == "GET" || request.method == "HEAD") return std::move(*read);
      return method_not_allowed("GET, HEAD");
    }
    const bool changes = target.path == "/repin" || target.path == "/pause" || target.path == "/resume" ||
                         target.path.substr(0, 6) == "/node/";
    if (!changes)
      return error_response(404,
                            "no such page; there are /, /status, /failovers, /leader, /readyz, /healthz, /metrics");
    if (rights == Rights::kRead) {
      http::Response refusal = error_response(405, "this address only reads; changes go through the control socket");
      refusal.headers.push_back({"Allow", ""});
      return refusal;
    }
    if (request.method != "POST") return method_not_allowed("POST");
    if (target.path == "/pause") return pause(target);
    if (target.path == "/resume") return resume();
    return target.path == "/repin" ? repin() : order(target);
  }

  [[nodiscard]] http::Response pause(const Target& target) {
    const auto at_most = parse_pause(target);
    if (!at_most) return error_response(400, at_most.error().message);
    sources.pause(*at_most);
    return json_response(200, pause_json(*at_most));
  }

  [[nodiscard]] http::Response resume() {
    const bool was_paused = sources.view()->paused_until.has_value();
    sources.resume();
    return json_response(200, resume_json(was_paused));
  }

  [[nodiscard]] http::Response repin() {
    const auto done = sources.repin();
    if (!done) return error_response(409, done.error().message);
    return json_response(200, "{\"done\": \"repin\"}\n");
  }

  [[nodiscard]] http::Response order(const Target& target) {
    const auto order = parse_node_order(target, options.node_names);
    if (!order) return error_response(order.error().kind == ErrorKind::kUnavailable ? 404 : 400, order.error().message);
    const auto done = sources.set_admin_state(order->node, order->state, order->force);
    if (!done) return error_response(409, done.error().message);
    return json_response(200, node_json(options.node_names[order->node.index], order->state));
  }

  net::Loop& loop;
  AdminOptions options;
  AdminSources sources;
  Journal journal;
  std::unique_ptr<Side> reading;
  std::unique_ptr<Side> control;
};

Admin::Admin(net::Loop& loop, AdminOptions options, AdminSources sources)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(sources))) {}

Admin::~Admin() = default;

Result<net::Address> Admin::listen(const net::Address& address) {
  auto socket = net::bind_listener(address, {});
  if (!socket) return tl::unexpected(socket.error().within("admin address"));
  impl_->reading = std::make_unique<Impl::Side>(*impl_, std::move(*socket), Rights::kRead);
  return impl_->reading->listener.address();
}

Result<void> Admin::listen_control(const net::Address& unix_address) {
  net::ListenOptions options;
  options.unix_mode = 0660;
  auto socket = net::bind_listener(unix_address, options);
  if (!socket) return tl::unexpected(socket.error().within("control socket"));
  impl_->control = std::make_unique<Impl::Side>(*impl_, std::move(*socket), Rights::kChange);
  return {};
}

void Admin::record(const std::vector<cluster::Event>& events) {
  for (const auto& event : events) impl_->journal.record(event, impl_->sources.wall_at(impl_->loop.now()));
}

}  // namespace bellwether::admin
