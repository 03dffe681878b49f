#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "answer_text.h"
#include "ask.h"
#include "commands.h"

namespace bellwether::app {
namespace {

constexpr Duration kAskAgain = 100ms;

// The leader that clients may be sent to, or why there is none.
Result<std::string> settled_leader(net::Loop& loop, const WaitLeaderOptions& options) {
  const auto answer = ask_admin(loop, options.admin, "/status");
  if (!answer) return tl::unexpected(answer.error());
  const Json status = Json::parse(*answer, nullptr, false);
  if (!status.is_object()) return fail(ErrorKind::kProtocol, "the answer is not Bellwether's /status");
  const Json& leader = part_of(status, "leader");
  if (!leader.is_object()) {
    const std::string because = text_of(status, "leaderless_because");
    return fail(ErrorKind::kUnavailable, because.empty() ? "no node leads" : "no node leads: " + because);
  }
  if (flag_of(status, "suspect")) {
    return fail(ErrorKind::kUnavailable, fmt::format("{} has gone quiet", text_of(leader, "name")));
  }
  if (!text_of(status, "conflict").empty()) return fail(ErrorKind::kUnavailable, "two nodes claim to lead");
  std::string name = text_of(leader, "name");
  if (name == options.other_than) return fail(ErrorKind::kUnavailable, name + " leads still");
  return name;
}

}  // namespace

int wait_leader_command(const WaitLeaderOptions& options) {
  const auto loop = net::Loop::create({});
  if (!loop) {
    fmt::print(stderr, "bellwether wait-leader: {}\n", loop.error().message);
    return kExitFailed;
  }
  const TimePoint deadline = (*loop)->precise_now() + options.timeout;
  while (true) {
    const auto leader = settled_leader(**loop, options);
    const bool is_over = !leader && (*loop)->precise_now() + kAskAgain > deadline;
    if (options.json && (leader || is_over)) {
      nlohmann::ordered_json json{
          {"leader", leader ? nlohmann::ordered_json(*leader) : nlohmann::ordered_json(nullptr)}};
      if (!leader) json["error"] = leader.error().message;
      fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
      return leader ? kExitFine : kExitFailed;
    }
    if (leader) {
      fmt::print("{}\n", *leader);
      return kExitFine;
    }
    if (is_over) {
      fmt::print(stderr, "bellwether wait-leader: not within {}: {}\n", format_duration(options.timeout),
                 leader.error().message);
      return kExitFailed;
    }
    (void)(*loop)->run_until([] { return false; }, kAskAgain);
  }
}

}  // namespace bellwether::app
