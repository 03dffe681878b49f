#include "orders.h"

#include "api.h"
#include "render.h"

namespace bellwether::admin {
namespace {

http::Response pause(const Target& target, const AdminSources& sources) {
  const auto at_most = parse_pause(target);
  if (!at_most) return error_response(400, at_most.error().message);
  sources.pause(*at_most);
  return json_response(200, pause_json(*at_most));
}

http::Response resume(const AdminSources& sources) {
  const bool was_paused = sources.view()->paused_until.has_value();
  sources.resume();
  return json_response(200, resume_json(was_paused));
}

http::Response repin(const AdminSources& sources) {
  const auto done = sources.repin();
  if (!done) return error_response(409, done.error().message);
  return json_response(200, "{\"done\": \"repin\"}\n");
}

http::Response set_node(const Target& target, const AdminSources& sources, const AdminOptions& options) {
  const auto order = parse_node_order(target, options.node_names);
  if (!order) return error_response(order.error().kind == ErrorKind::kUnavailable ? 404 : 400, order.error().message);
  const auto done = sources.set_admin_state(order->node, order->state, order->force);
  if (!done) return error_response(409, done.error().message);
  return json_response(200, node_json(options.node_names[order->node.index], order->state));
}

}  // namespace

http::Response carry_out_order(std::string_view whole_target, const AdminSources& sources,
                               const AdminOptions& options) {
  const Target target = split_target(whole_target);
  if (target.path == "/pause") return pause(target, sources);
  if (target.path == "/resume") return resume(sources);
  if (target.path == "/repin") return repin(sources);
  return set_node(target, sources, options);
}

}  // namespace bellwether::admin
