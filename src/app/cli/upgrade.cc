#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "answer_text.h"
#include "bellwether/base/percent.h"
#include "commands.h"
#include "control.h"

namespace bellwether::app {
namespace {

// The running process has limits of its own (upgrade_timeout), and says so; only one that hangs does not.
constexpr Duration kUpgradePatience = 11min;

std::string target_of(const std::string& program) {
  if (program.empty()) return "/upgrade";
  std::error_code unusable;
  const std::filesystem::path absolute = std::filesystem::absolute(program, unusable);
  return fmt::format("/upgrade?path={}", percent_encoded(unusable ? program : absolute.string()));
}

int failed(const UpgradeOptions& options, const std::string& why) {
  if (options.json) {
    const nlohmann::ordered_json json{{"upgraded", false}, {"error", why}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print(stderr, "bellwether upgrade: {}\n", why);
  }
  return kExitFailed;
}

}  // namespace

int upgrade_command(const UpgradeOptions& options) {
  const auto reply = post_order(options.control, target_of(options.program), kUpgradePatience);
  if (!reply) return failed(options, reply.error().message);
  if (reply->status != 200) return failed(options, refusal_of(*reply));
  if (options.json) {
    fmt::print("{}", reply->body);
  } else {
    const Json json = Json::parse(reply->body, nullptr, false);
    fmt::print("upgraded: process {} serves now; the one before ends when it has nothing left to do\n",
               number_of(json, "pid"));
  }
  return kExitFine;
}

}  // namespace bellwether::app
