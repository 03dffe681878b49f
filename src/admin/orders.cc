#include "orders.h"

#include <string>

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

void reload(const AdminSources& sources, const Respond& respond) {
  sources.reload([respond](const ReloadReport& report) {
    respond(json_response(report.problems.empty() ? 200 : 409, reload_json(report)));
  });
}

void set_node(const Target& target, const AdminSources& sources, const Respond& respond) {
  const cluster::ViewPtr view = sources.view();
  const auto order = parse_node_order(target, *view->topology);
  if (!order) {
    const int status = order.error().kind == ErrorKind::kUnavailable ? 404 : 400;
    return respond(error_response(status, order.error().message));
  }
  const std::string answer = node_json(view->name(order->node), order->state);
  sources.set_admin_state(order->node, order->state, order->force, [answer, respond](const Result<void>& done) {
    respond(done ? json_response(200, answer) : error_response(409, done.error().message));
  });
}

}  // namespace

void carry_out_order(std::string_view whole_target, const AdminSources& sources, const Respond& respond) {
  const Target target = split_target(whole_target);
  if (target.path == "/pause") return respond(pause(target, sources));
  if (target.path == "/resume") return respond(resume(sources));
  if (target.path == "/repin") return respond(repin(sources));
  if (target.path == "/reload") return reload(sources, respond);
  set_node(target, sources, respond);
}

}  // namespace bellwether::admin
