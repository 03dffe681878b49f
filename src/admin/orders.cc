#include "orders.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api.h"
#include "cluster_path.h"
#include "render.h"

namespace bellwether::admin {
namespace {

http::Response pause(const Target& target, const ClusterSources& cluster) {
  const auto at_most = parse_pause(target);
  if (!at_most) return error_response(400, at_most.error().message);
  cluster.pause(*at_most);
  return json_response(200, pause_json(*at_most));
}

http::Response resume(const ClusterSources& cluster) {
  const bool was_paused = cluster.view()->paused_until.has_value();
  cluster.resume();
  return json_response(200, resume_json(was_paused));
}

http::Response log_level(const Target& target, const AdminSources& sources, TimePoint now) {
  const auto order = parse_log_level(target);
  if (!order) return error_response(400, order.error().message);
  if (*order) {
    const auto ordered = sources.order_log_level((*order)->level, (*order)->lasts);
    if (!ordered) return error_response(400, ordered.error().message);
  }
  return json_response(200, log_level_json(sources.log_level(), now, sources.wall_clock()));
}

http::Response repin(const ClusterSources& cluster) {
  const auto done = cluster.repin();
  if (!done) return error_response(409, done.error().message);
  return json_response(200, "{\"done\": \"repin\"}\n");
}

std::function<void(const ReloadReport&)> respond_with_report(const Respond& respond) {
  return [respond](const ReloadReport& report) {
    respond(json_response(report.problems.empty() ? 200 : 409, reload_json(report)));
  };
}

void check(const Target& target, std::string text, const AdminSources& sources, const Respond& respond) {
  const auto name = parse_check(target);
  if (!name) return respond(error_response(400, name.error().message));
  if (!*name && !text.empty()) return respond(error_response(400, "a text needs the name of its file: name=FILE"));
  std::optional<ConfigText> instead;
  if (*name) instead = ConfigText{**name, std::move(text)};
  sources.try_reload(std::move(instead), respond_with_report(respond));
}

void upgrade(const Target& target, const AdminSources& sources, const Respond& respond) {
  const auto program = parse_upgrade(target);
  if (!program) return respond(error_response(400, program.error().message));
  if (!sources.upgrade) return respond(error_response(409, "this process cannot be replaced while it runs"));
  sources.upgrade(*program, [respond](const Result<pid_t>& done) {
    respond(done ? json_response(200, upgrade_json(*done)) : error_response(409, done.error().message));
  });
}

void set_node(const Target& target, const ClusterSources& cluster, const Respond& respond) {
  const cluster::ViewPtr view = cluster.view();
  const auto order = parse_node_order(target, *view->topology);
  if (!order) {
    const int status = order.error().kind == ErrorKind::kUnavailable ? 404 : 400;
    return respond(error_response(status, order.error().message));
  }
  const std::string answer = node_json(view->name(order->node), order->state);
  cluster.set_admin_state(order->node, order->state, order->force, [answer, respond](const Result<void>& done) {
    respond(done ? json_response(200, answer) : error_response(409, done.error().message));
  });
}

// The cluster that an order is for, or the refusal.
tl::expected<std::shared_ptr<const ClusterSources>, http::Response> cluster_of(const ClusterPath& path,
                                                                               const Clusters& clusters) {
  if (!path.cluster && clusters.size() == 1) return clusters.front();
  std::vector<std::string_view> names;
  for (const auto& each : clusters) {
    if (path.cluster && !each->name.empty() && each->name == *path.cluster) return each;
    names.push_back(each->name);
  }
  return tl::unexpected(path.cluster ? error_response(404, no_such_cluster(*path.cluster, names))
                                     : error_response(400, several_clusters(path.rest, names)));
}

// REQUIRES: is_process_path(target.path).
void carry_out_for_process(const Target& target, std::string body, const AdminSources& sources, TimePoint now,
                           const Respond& respond) {
  if (target.path == "/log-level") return respond(log_level(target, sources, now));
  if (target.path == "/reload") return sources.reload(respond_with_report(respond));
  if (target.path == "/upgrade") return upgrade(target, sources, respond);
  check(target, std::move(body), sources, respond);
}

void carry_out_for_cluster(const Target& target, const ClusterSources& cluster, const Respond& respond) {
  if (target.path == "/pause") return respond(pause(target, cluster));
  if (target.path == "/resume") return respond(resume(cluster));
  if (target.path == "/repin") return respond(repin(cluster));
  set_node(target, cluster, respond);
}

}  // namespace

bool is_order_path(std::string_view path) {
  constexpr std::array<std::string_view, 7> kOrders = {"/pause", "/resume",    "/repin",  "/reload",
                                                       "/check", "/log-level", "/upgrade"};
  return path.starts_with("/node/") || std::find(kOrders.begin(), kOrders.end(), path) != kOrders.end();
}

void carry_out_order(Order order, const AdminSources& sources, TimePoint now, const Respond& respond) {
  const Target whole = split_target(order.target);
  const auto path = parse_cluster_path(whole.path);
  if (!path) return respond(error_response(400, path.error().message));
  const Target target{path->rest, whole.query};
  if (is_process_path(path->rest)) {
    if (path->cluster) return respond(error_response(404, process_path_refusal(path->rest)));
    return carry_out_for_process(target, std::move(order.body), sources, now, respond);
  }
  const auto cluster = cluster_of(*path, sources.clusters());
  if (!cluster) return respond(cluster.error());
  carry_out_for_cluster(target, **cluster, respond);
}

}  // namespace bellwether::admin
