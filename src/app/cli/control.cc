#include "control.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "app/service/control_path.h"
#include "bellwether/base/visible.h"

namespace bellwether::app {
namespace {

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

}  // namespace

std::string refusal_of(const wire::Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    return for_people(json["error"].get<std::string>());
  return fmt::format("answered {}", reply.status);
}

Result<wire::Reply> post_order(const ControlChoice& choice, const std::string& target, Duration patience,
                               std::string body) {
  auto loop = net::Loop::create({});
  if (!loop) return tl::unexpected(loop.error());
  const auto path = find_control(**loop, choice);
  if (!path) return tl::unexpected(path.error());
  const auto address = net::Address::parse("unix:" + *path);
  if (!address) return tl::unexpected(address.error());
  auto reply = ask(**loop, *address, "POST", target, patience, std::move(body));
  if (!reply) return tl::unexpected(reply.error().within(*path));
  return reply;
}

Result<std::string> order(const ControlChoice& choice, const std::string& target) {
  const auto reply = post_order(choice, target);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return fail(ErrorKind::kUnavailable, refusal_of(*reply));
  return reply->body;
}

}  // namespace bellwether::app
