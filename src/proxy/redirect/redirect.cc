#include "redirect.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/http/serialize.h"
#include "bellwether/http/target.h"
#include "location.h"
#include "proxy/core/failure_text.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

Redirector::Redirector(WorkerCore& worker) : worker_(worker) {}

Redirector::~Redirector() = default;

wire::Server& Redirector::server(std::size_t listener) {
  if (listener >= servers_.size()) servers_.resize(listener + 1);
  if (!servers_[listener]) {
    wire::Server::Options options;
    options.tls = worker_.listeners().tls(listener);
    options.head = worker_.options().head_limits;
    options.on_handshake_failure = [this](net::HandshakeFailure failure) {
      worker_.counters().count_handshake_failure(failure);
    };
    options.max_connections = static_cast<std::size_t>(std::max(1, worker_.options().maxconn));
    options.bodies = wire::Server::Bodies::kDiscard;
    options.head_timeout = options.body_timeout = worker_.options().timeout_header;
    options.on_connection_end = [this](wire::Server::End why) { on_connection_end(why); };
    servers_[listener] = std::make_unique<wire::Server>(
        worker_.loop(), options,
        [this, listener](wire::ServerRequest request) { on_request(listener, std::move(request)); },
        [this, listener](wire::ExchangeId exchange) { on_gone(listener, exchange); });
  }
  return *servers_[listener];
}

void Redirector::on_client_tls() {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i]) servers_[i]->set_tls(worker_.listeners().tls(i));
  }
}

void Redirector::on_connection_end(wire::Server::End why) {
  if (why == wire::Server::End::kSilent) worker_.counters().sessions_cut_no_first_byte.add();
  if (why == wire::Server::End::kMadeRoom) worker_.counters().sessions_cut_for_room.add();
  --connections_;
  worker_.shared().release_session();
  worker_.check_idle();
}

void Redirector::collect_idle(std::vector<wire::IdleConnection>& into) {
  for (auto& server : servers_) {
    if (server) server->collect_idle(into);
  }
}

void Redirector::adopt(Accepted accepted) {
  ++connections_;
  server(accepted.listener).adopt(std::move(accepted.socket), accepted.client);
}

void Redirector::on_request(std::size_t listener, wire::ServerRequest request) {
  worker_.note_traffic();
  worker_.check_idle();
  Asked asked{listener, request.exchange, std::move(request.target), std::move(request.host), std::move(request.method),
              {},       worker_.now()};
  if (worker_.options().log_requests) asked.client = request.peer.to_string();
  if (const auto target = worker_.target()) return answer(asked, *target);
  if (!take_hold_place(asked)) {
    if (const auto suspect = worker_.target_if_hold_is_full()) return answer(asked, *suspect);
    worker_.counters().hold_overflows.add();
    return refuse(asked, fmt::format("{}, and too many requests wait", worker_.why_held()),
                  refused_by_us(Phase::kHeld));
  }
  waiting_.push_back(std::move(asked));
}

bool Redirector::take_hold_place(Asked& asked) const {
  constexpr std::size_t kOverhead = 1024;
  const std::size_t bytes =
      kOverhead + asked.target.capacity() + asked.host.capacity() + asked.method.capacity() + asked.client.capacity();
  auto place = HoldPlace::take(worker_, bytes, true);
  if (place) asked.hold_place = std::move(*place);
  return place.has_value();
}

void Redirector::on_gone(std::size_t listener, wire::ExchangeId exchange) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Asked& asked) {
    return asked.listener == listener && asked.exchange == exchange;
  });
  if (found == waiting_.end()) return;
  found->hold_place.end();
  worker_.counters().client_gone_while_held.add();
  tell(*found, {0, Outcome::kClientGone, ended_by_client(Phase::kHeld), std::nullopt, {}});
  waiting_.erase(found);
}

void Redirector::release() {
  const auto target = waiting_.empty() ? std::nullopt : worker_.target();
  if (!target) return;
  // An answer may end its connection, and that must not touch the list we walk.
  for (Asked& asked : std::exchange(waiting_, {})) {
    asked.hold_place.end();
    answer(asked, *target);
  }
}

void Redirector::tick(TimePoint now) {
  while (!waiting_.empty() && now - waiting_.front().since >= worker_.options().hold_timeout_http) {
    Asked asked = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    asked.hold_place.end();
    worker_.counters().hold_timeouts.add();
    refuse(
        asked,
        fmt::format("it waited for {}: {}", format_duration(worker_.options().hold_timeout_http), worker_.why_held()),
        node_timed_out(Phase::kHeld));
  }
}

void Redirector::answer(const Asked& asked, NodeId node) {
  const std::string& public_url = worker_.nodes().options(node).public_url;
  auto location = location_for(public_url, asked.target);
  if (!location || public_url.empty()) {
    worker_.counters().rejected_requests.add();
    return respond(asked, http::vault_error(400, "this request cannot be redirected"),
                   {400, Outcome::kRejected, refused_by_us(Phase::kRequest), node, "no_target"});
  }
  if (is_loop(asked, *location)) return answer_loop(asked, node, *location);
  http::Response response;
  response.status = 307;
  response.headers.push_back({"Location", std::move(*location)});
  worker_.counters().redirects_total.add();
  respond(asked, response, {307, Outcome::kOk, kEndedNormally, node, {}});
}

bool Redirector::is_loop(const Asked& asked, const std::string& location) const {
  const auto target = host_port_of_url(location);
  if (!target) return false;
  const bool tls = worker_.listeners().tls(asked.listener) != nullptr;
  return points_to_us(*target, parse_host_port(asked.host, tls ? 443 : 80), worker_.listeners().own_addresses());
}

void Redirector::answer_loop(const Asked& asked, NodeId node, const std::string& location) {
  worker_.counters().redirect_loops.add();
  const std::string target = location.substr(0, location.find('/', location.find("://") + 3));
  if (loops_epoch_ != worker_.view()->epoch) loops_told_.clear();
  loops_epoch_ = worker_.view()->epoch;
  if (loops_told_.insert(node).second && worker_.shared().callbacks.on_redirect_loop) {
    worker_.shared().callbacks.on_redirect_loop(worker_.listeners().address(asked.listener).to_string(), target);
  }
  const std::string why =
      fmt::format("the leader {} is known as {}, which leads back to this redirector; set the node's public address",
                  worker_.nodes().options(node).name, target);
  respond(asked, http::vault_error(508, why),
          {508, Outcome::kRejected, refused_by_us(Phase::kRequest), node, "redirect_loop"});
}

void Redirector::refuse(const Asked& asked, std::string_view why, EndReason reason) {
  std::string id = worker_.request_ids().next();
  http::Response response = http::vault_error(503, unserved_text(why, id));
  response.headers.push_back({"Retry-After", "1"});
  response.headers.push_back({std::string(kRequestIdHeader), id});
  respond(asked, response, {503, Outcome::kUnserved, reason, std::nullopt, {}, std::move(id), std::string(why)});
}

void Redirector::respond(const Asked& asked, const http::Response& response, const Told& told) {
  server(asked.listener).respond(asked.exchange, response, worker_.is_shutting_down());
  tell(asked, told);
}

void Redirector::tell(const Asked& asked, const Told& told) const {
  const ProxySettings& options = worker_.options();
  const auto& on_request_end = worker_.shared().callbacks.on_request_end;
  if ((!options.log_requests && !is_failure(told.outcome)) || !on_request_end) return;
  const std::string listener = worker_.listeners().address(asked.listener).to_string();
  const std::string_view path = http::path_of(asked.target);
  RequestRecord record;
  record.listener = listener;
  record.client = asked.client;
  record.method = asked.method;
  if (options.log_paths) record.path = path;
  record.rejected = told.rejected;
  record.request_id = told.id;
  record.why = told.why;
  record.status = told.status;
  record.outcome = told.outcome;
  record.request_class = vault::classify(asked.method, path);
  record.node = told.node;
  record.node_name = worker_.nodes().name(told.node);
  if (told.node) record.epoch = worker_.view()->epoch;
  record.held = record.total = worker_.now() - asked.since;
  record.end[0] = told.end.who;
  record.end[1] = told.end.when;
  on_request_end(record);
}

bool Redirector::is_answering() const {
  return std::any_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server && server->is_answering(); });
}

}  // namespace bellwether::proxy
