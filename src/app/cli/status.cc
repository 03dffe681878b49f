#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

#include "answer_text.h"
#include "ask.h"
#include "bellwether/net/process.h"
#include "clusters_text.h"
#include "commands.h"
#include "status_text.h"

namespace bellwether::app {

namespace {

constexpr Duration kRefresh = 1s;

// What is shown, and whether a node leads, in each cluster that is shown.
struct Shown {
  std::string text;
  bool is_led = false;
};

bool has_leader(const Json& status) { return status.is_object() && part_of(status, "leader").is_object(); }

bool is_led_everywhere(const Json& status) {
  if (!has_several_clusters(status)) return has_leader(status);
  const Json& clusters = part_of(status, "clusters");
  return std::all_of(clusters.begin(), clusters.end(), &has_leader);
}

Result<Shown> status_now(net::Loop& loop, const StatusOptions& options) {
  auto answer = ask_admin(loop, options.admin, path_of(options.cluster, "/status"));
  if (!answer) return tl::unexpected(answer.error());
  const Json status = Json::parse(*answer, nullptr, false);
  const bool is_led = is_led_everywhere(status);
  if (options.json && options.watch) {  // one record a line
    return Shown{status.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", is_led};
  }
  if (options.json) return Shown{std::move(*answer), is_led};
  return status_text(*answer).map([&](std::string text) { return Shown{std::move(text), is_led}; });
}

// True: there is an answer, and a node leads in each cluster.
bool show(net::Loop& loop, const StatusOptions& options) {
  const auto text = status_now(loop, options);
  // One write per picture, over the one before: no flicker.
  if (options.watch && !options.json && ::isatty(STDOUT_FILENO) == 1) fmt::print("\x1b[H\x1b[2J");
  if (text) {
    fmt::print("{}", text->text);
  } else {
    fmt::print(stderr, "bellwether status: {}\n", text.error().message);
  }
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "cannot write the output");
  return text.has_value() && text->is_led;
}

}  // namespace

int status_command(const StatusOptions& options) {
  if (options.watch) net::block_signals({SIGINT, SIGTERM});
  auto loop = net::Loop::create({});
  if (!loop) {
    fmt::print(stderr, "bellwether status: {}\n", loop.error().message);
    return kExitFailed;
  }
  bool shown = show(**loop, options);
  if (!options.watch) return shown ? kExitFine : kExitFailed;
  bool interrupted = false;
  const net::SignalWatch signals(**loop, {SIGINT, SIGTERM}, [&](int) { interrupted = true; });
  while (!(*loop)->run_until([&] { return interrupted; }, kRefresh)) shown = show(**loop, options);
  return shown ? kExitFine : kExitFailed;
}

}  // namespace bellwether::app
