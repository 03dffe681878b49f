#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "answer_text.h"
#include "ask.h"
#include "bellwether/base/visible.h"
#include "commands.h"

namespace bellwether::app {
namespace {

// Why the answer is no: /readyz says it in JSON, and so does a refusal.
std::string why_not(const wire::Reply& reply) {
  const Json said = Json::parse(reply.body, nullptr, false);
  if (!said.is_object()) return fmt::format("the answer is {}", reply.status);
  std::string reason = text_of(said, reply.status == 404 ? "error" : "reason");
  return reason.empty() ? fmt::format("the answer is {}", reply.status) : reason;
}

Result<std::string_view> health(const HealthcheckOptions& options) {
  auto loop = net::Loop::create({});
  if (!loop) return tl::unexpected(loop.error());
  const auto address = find_address(**loop, options.admin);
  if (!address) return tl::unexpected(address.error());
  // Half of it for the connection, half for the answer.
  const std::string path = options.live ? "/healthz" : path_of(options.cluster, "/readyz");
  const auto reply = ask(**loop, *address, "GET", path, options.timeout / 2);
  if (!reply) {
    return fail(ErrorKind::kUnavailable, fmt::format("{} does not answer: {}", options.admin, reply.error().message));
  }
  if (reply->status != 200) return fail(ErrorKind::kUnavailable, why_not(*reply));
  return options.live ? "alive" : "ready";
}

}  // namespace

int healthcheck_command(const HealthcheckOptions& options) {
  const auto said = health(options);
  if (said) {
    fmt::print("{}\n", *said);
    return kExitFine;
  }
  fmt::print(stderr, "bellwether healthcheck: {}\n", for_people(said.error().message));
  return kExitFailed;
}

}  // namespace bellwether::app
