#include "endpoints.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "api.h"
#include "cluster_path.h"
#include "reads.h"

namespace bellwether::admin {
namespace {

// A flood of connections must not become a flood of posts.
constexpr Duration kMinTellInterval = 100ms;

// Of an order that is no /check; nobody reads them.
constexpr std::size_t kMaxOrderBody = 4096;

http::Response control_hangs() {
  return error_response(503, fmt::format("the control thread has not answered for {}: this process hangs",
                                         format_duration(StateFeed::kControlPatience)));
}

// Why a path is answered with 404, whatever clusters there are; empty: it may be that of a read or an order.
std::string why_not_found(const ClusterPath& path) {
  if (path.cluster && is_process_path(path.rest)) return process_path_refusal(path.rest);
  if (is_read_path(path.rest) || is_order_path(path.rest)) return {};
  if (path.cluster) {
    return "a cluster has no such page; behind /clusters/NAME there are /, /status, /failovers, /ambiguous, /leader, "
           "/readyz";
  }
  return "no such page; there are /, /status, /failovers, /ambiguous, /leader, /readyz, /healthz, /metrics";
}

}  // namespace

// One address and what may be done there.
struct Endpoints::Side {
  Side(Endpoints& endpoints, net::Socket socket, Rights r)
      : rights(r),
        server(
            endpoints.loop_, server_options(endpoints, r),
            [this, &endpoints](const wire::ServerRequest& request) { endpoints.on_request(*this, request); },
            [this, &endpoints](wire::ExchangeId exchange) { endpoints.feed_.on_gone(server, exchange); }),
        listener(std::in_place, endpoints.loop_, std::move(socket),
                 [this](net::Socket accepted, const net::Address& peer) { server.adopt(std::move(accepted), peer); }) {}

  static wire::Server::Options server_options(Endpoints& endpoints, Rights rights) {
    wire::Server::Options options;
    options.max_body_bytes = rights == Rights::kRead ? kMaxOrderBody : kMaxConfigText;
    options.max_connections = rights == Rights::kRead ? kMaxReadConnections : kMaxControlConnections;
    options.when_full = wire::Server::WhenFull::kEndLongestIdle;
    options.on_room_made = [&endpoints] { endpoints.on_room_made(); };
    return options;
  }

  Rights rights;
  wire::Server server;
  std::optional<net::Listener> listener;  // none: another process accepts
};

Endpoints::Endpoints(net::Loop& loop, const AdminOptions& options, ToControl to_control)
    : loop_(loop),
      options_(options),
      access_(options.access),
      to_control_(std::move(to_control)),
      feed_(loop, to_control_.ask_state,
            [this](const std::vector<PendingRead>& reads, const StatePtr& state) { answer_all(reads, state); }),
      accepts_(!options.waits_to_accept),
      tell_room_timer_(loop, [this] { tell_room(); }) {}

Endpoints::~Endpoints() = default;

void Endpoints::listen(net::Socket socket, Rights rights) {
  Side& side = *sides_.emplace_back(std::make_unique<Side>(*this, std::move(socket), rights));
  if (!accepts_) side.listener->pause();
}

void Endpoints::begin_accepting() {
  if (std::exchange(accepts_, true)) return;
  for (const auto& side : sides_) {
    if (side->listener) side->listener->resume();
  }
}

void Endpoints::leave() {
  for (const auto& side : sides_) {
    if (side->listener) side->listener->keep_file();
    side->listener.reset();
  }
}

void Endpoints::on_request(Side& side, const wire::ServerRequest& request) {
  const Target target = split_target(request.target);
  const auto respond = [&](const http::Response& response) { side.server.respond(request.exchange, response); };
  const auto path = parse_cluster_path(target.path);
  if (side.rights == Rights::kRead) {
    if (const auto refusal = access_.refuse(request, path ? path->rest : target.path)) return respond(*refusal);
  }
  if (!path) return respond(error_response(400, path.error().message));
  if (const std::string why = why_not_found(*path); !why.empty()) return respond(error_response(404, why));
  if (is_read_path(path->rest)) {
    if (request.method != "GET" && request.method != "HEAD") return respond(method_not_allowed("GET, HEAD"));
    return feed_.add({&side.server, request.exchange, *path});
  }
  if (side.rights == Rights::kRead) {
    http::Response refusal = error_response(405, "this address only reads; changes go through the control socket");
    refusal.headers.push_back({"Allow", ""});
    return respond(refusal);
  }
  if (request.method != "POST") return respond(method_not_allowed("POST"));
  if (request.body.size() > kMaxOrderBody && target.path != "/check")
    return respond(error_response(413, fmt::format("the body of an order has at most {} bytes", kMaxOrderBody)));
  to_control_.carry_out({&side.server, request.exchange}, {request.target, request.body});
}

// Each path is rendered once, however many wait for it.
void Endpoints::answer_all(const std::vector<PendingRead>& reads, const StatePtr& state) {
  std::map<ClusterPath, http::Response> rendered;
  for (const PendingRead& read : reads) {
    auto found = rendered.find(read.path);
    if (found == rendered.end()) {
      found = rendered.emplace(read.path, state ? read_answer(read.path, *state, options_) : control_hangs()).first;
    }
    read.server->respond(read.exchange, found->second);
  }
}

void Endpoints::on_room_made() {
  ++made_room_untold_;
  if (!tell_room_timer_.is_armed()) tell_room();
}

void Endpoints::tell_room() {
  if (made_room_untold_ == 0) return;
  to_control_.on_room_made(std::exchange(made_room_untold_, 0));
  tell_room_timer_.arm_in(kMinTellInterval);
}

void Endpoints::on_carried_out(const OrderPlace& place, const http::Response& response) {
  place.server->respond(place.exchange, response);
}

}  // namespace bellwether::admin
