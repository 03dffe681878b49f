#include "redirect.h"

#include <fmt/format.h>

#include <utility>

#include "location.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

Responder::Reply Redirector::respond(const RequestTarget& target, std::uint16_t listener, NodeId leader) {
  const std::string& public_url = worker_.nodes().options(leader).public_url;
  auto location = location_for(public_url, target.target);
  if (!location || public_url.empty()) {
    worker_.counters().rejected_requests.add();
    return {http::vault_error(400, "this request cannot be redirected"), "no_target"};
  }
  if (is_loop(*location, target, listener)) return refuse_loop(*location, listener, leader);
  worker_.counters().redirects_total.add();
  return {{.status = 307, .headers = {{"Location", std::move(*location)}}, .body = {}}};
}

bool Redirector::is_loop(const std::string& location, const RequestTarget& target, std::uint16_t listener) const {
  const auto named = host_port_of_url(location);
  if (!named) return false;
  const bool tls = worker_.listeners().speaks_tls(listener);
  return points_to_us(*named, parse_host_port(target.host, tls ? 443 : 80), worker_.listeners().own_addresses());
}

Responder::Reply Redirector::refuse_loop(const std::string& location, std::uint16_t listener, NodeId leader) {
  worker_.counters().redirect_loops.add();
  const std::string named = location.substr(0, location.find('/', location.find("://") + 3));
  if (loops_epoch_ != worker_.view()->epoch) loops_told_.clear();
  loops_epoch_ = worker_.view()->epoch;
  if (loops_told_.insert(leader).second && worker_.shared().callbacks.on_redirect_loop) {
    worker_.shared().callbacks.on_redirect_loop(worker_.listeners().address(listener).to_string(), named);
  }
  const std::string why =
      fmt::format("the leader {} is known as {}, which leads back to this redirector; set the node's public address",
                  worker_.nodes().options(leader).name, named);
  return {http::vault_error(508, why), "redirect_loop"};
}

}  // namespace bellwether::proxy
