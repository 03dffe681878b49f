#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "answer_text.h"
#include "bellwether/base/percent.h"
#include "bellwether/cluster/observation.h"
#include "commands.h"
#include "control.h"

namespace bellwether::app {

int node_command(const NodeOptions& options) {
  if (!cluster::admin_state_from(options.state)) {
    fmt::print(stderr, "bellwether node: a node is set to ready, drain or maint, not to \"{}\"\n", options.state);
    return kExitUsage;
  }
  const std::string target =
      fmt::format("/node/{}/{}{}", percent_encoded(options.node), options.state, options.force ? "?force=1" : "");
  const auto done = order(options.control, path_of(options.cluster, target));
  if (options.json) {
    nlohmann::ordered_json json{{"node", options.node}, {"admin", options.state}, {"done", done.has_value()}};
    if (!done) json["error"] = done.error().message;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return done ? kExitFine : kExitFailed;
  }
  if (!done) {
    fmt::print(stderr, "bellwether node: {}\n", done.error().message);
    return kExitFailed;
  }
  fmt::print("{} is set to {}\n", options.node, options.state);
  return kExitFine;
}

int pause_command(const PauseOptions& options) {
  const std::string at_most = format_duration(options.at_most);
  if (const auto done = order(options.control, path_of(options.cluster, "/pause?for=" + at_most)); !done) {
    fmt::print(stderr, "bellwether pause: {}\n", done.error().message);
    return kExitFailed;
  }
  fmt::print("paused: new requests wait until `bellwether resume`, at most {}\n", at_most);
  return kExitFine;
}

int resume_command(const ControlChoice& control, const std::string& cluster) {
  const auto done = order(control, path_of(cluster, "/resume"));
  if (!done) {
    fmt::print(stderr, "bellwether resume: {}\n", done.error().message);
    return kExitFailed;
  }
  const auto json = nlohmann::json::parse(*done, nullptr, false);
  const bool was_paused = json.is_object() && json.value("was_paused", true);
  fmt::print("{}\n", was_paused ? "resumed: requests go to the leader" : "it was not paused, or no longer");
  return kExitFine;
}

int repin_command(const ControlChoice& control, const std::string& cluster) {
  if (const auto done = order(control, path_of(cluster, "/repin")); !done) {
    fmt::print(stderr, "bellwether repin: {}\n", done.error().message);
    return kExitFailed;
  }
  fmt::print("the cluster_id is learned anew from the nodes' next answers\n");
  return kExitFine;
}

int reload_command(const ControlChoice& control, bool json) {
  const auto reply = post_order(control, "/reload", kReloadPatience);
  if (!reply) {
    fmt::print(stderr, "bellwether reload: {}\n", reply.error().message);
    return kExitFailed;
  }
  const Json report = Json::parse(reply->body, nullptr, false);
  if (!report.is_object() || !report.contains("changes")) {
    fmt::print(stderr, "bellwether reload: {}\n", refusal_of(*reply));
    return kExitFailed;
  }
  if (json) {
    fmt::print("{}\n", report.dump(2, ' ', false, Json::error_handler_t::replace));
    return reply->status == 200 ? kExitFine : kExitFailed;
  }
  if (reply->status != 200) {
    fmt::print(stderr, "bellwether reload: the configuration is refused, and nothing was changed:\n");
    fmt::print(stderr, "{}", lines_of(report, "problems"));
    return kExitFailed;
  }
  fmt::print("{}\n", report["changes"].empty() ? "reloaded: nothing has changed" : "reloaded:");
  fmt::print("{}{}{}", lines_of(report, "changes"), lines_of(report, "needs_restart", "needs a restart: "),
             lines_of(report, "hints", "hint: "));
  return kExitFine;
}

}  // namespace bellwether::app
