#include "control.h"

#include <utility>
#include <vector>

#include "app/service/control_path.h"

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
