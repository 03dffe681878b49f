#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "answer_text.h"
#include "app/service/control_path.h"
#include "ask.h"
#include "bellwether/base/visible.h"
#include "bellwether/cluster/observation.h"
#include "commands.h"

namespace bellwether::app {

namespace {

// A node's name may hold anything: all but RFC 3986's unreserved characters are escaped.
std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string refusal(const wire::Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return for_people(json["error"].get<std::string>());
  return fmt::format("answered {}", reply.status);
}

// Those of ended processes stay as files; nobody answers there.
std::vector<ControlSocket> live_controls(net::Loop& loop) {
  std::vector<ControlSocket> found = control_sockets();
  std::erase_if(found, [&loop](const ControlSocket& each) {
    const auto address = net::Address::parse("unix:" + each.path);
    return !address || !ask(loop, *address, "GET", "/healthz");
  });
  return found;
}

Result<std::string> find_control(net::Loop& loop, const ControlChoice& choice) {
  if (choice.control == "off") return fail(ErrorKind::kUnavailable, "the control socket is off (BELLWETHER_CONTROL)");
  if (!is_automatic(choice.control)) return choice.control;
  return choose_control(live_controls(loop), choice.admin);
}

// POSTs to the control socket of a running Bellwether, and gives its answer, whatever it is.
Result<wire::Reply> post(const ControlChoice& choice, const std::string& target, Duration patience = kUsualPatience) {
  auto loop = net::Loop::create({});
  if (!loop) return tl::unexpected(loop.error());
  const auto path = find_control(**loop, choice);
  if (!path) return tl::unexpected(path.error());
  const auto address = net::Address::parse("unix:" + *path);
  if (!address) return tl::unexpected(address.error());
  auto reply = ask(**loop, *address, "POST", target, patience);
  if (!reply) return tl::unexpected(reply.error().within(*path));
  return reply;
}

// The same, where a refusal is an error.
Result<std::string> order(const ControlChoice& choice, const std::string& target) {
  const auto reply = post(choice, target);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return fail(ErrorKind::kUnavailable, refusal(*reply));
  return reply->body;
}

}  // namespace

int node_command(const NodeOptions& options) {
  if (!cluster::admin_state_from(options.state)) {
    fmt::print(stderr, "bellwether node: a node is set to ready, drain or maint, not to \"{}\"\n", options.state);
    return kExitUsage;
  }
  const std::string target =
      fmt::format("/node/{}/{}{}", percent_encode(options.node), options.state, options.force ? "?force=1" : "");
  const auto done = order(options.control, target);
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
  if (const auto done = order(options.control, "/pause?for=" + at_most); !done) {
    fmt::print(stderr, "bellwether pause: {}\n", done.error().message);
    return kExitFailed;
  }
  fmt::print("paused: new requests wait until `bellwether resume`, at most {}\n", at_most);
  return kExitFine;
}

int resume_command(const ControlChoice& control) {
  const auto done = order(control, "/resume");
  if (!done) {
    fmt::print(stderr, "bellwether resume: {}\n", done.error().message);
    return kExitFailed;
  }
  const auto json = nlohmann::json::parse(*done, nullptr, false);
  const bool was_paused = json.is_object() && json.value("was_paused", true);
  fmt::print("{}\n", was_paused ? "resumed: requests go to the leader" : "it was not paused, or no longer");
  return kExitFine;
}

int repin_command(const ControlChoice& control) {
  if (const auto done = order(control, "/repin"); !done) {
    fmt::print(stderr, "bellwether repin: {}\n", done.error().message);
    return kExitFailed;
  }
  fmt::print("the cluster_id is learned anew from the nodes' next answers\n");
  return kExitFine;
}

int reload_command(const ControlChoice& control, bool json) {
  // A file system and a name server that do not answer are waited for, for the reload before this one too.
  constexpr Duration kReloadPatience = 20s;
  const auto reply = post(control, "/reload", kReloadPatience);
  if (!reply) {
    fmt::print(stderr, "bellwether reload: {}\n", reply.error().message);
    return kExitFailed;
  }
  const Json report = Json::parse(reply->body, nullptr, false);
  if (!report.is_object() || !report.contains("changes")) {
    fmt::print(stderr, "bellwether reload: {}\n", refusal(*reply));
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
