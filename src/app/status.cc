#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "ask.h"
#include "bellwether/net/process.h"
#include "commands.h"
#include "status_text.h"

namespace bellwether::app {

namespace {

constexpr Duration kRefresh = 1s;

Result<std::string> status_now(net::Loop& loop, const StatusOptions& options) {
  auto answer = ask_admin(loop, options.admin, "/status");
  if (!answer || options.json) return answer;
  return status_text(*answer);
}

bool show(net::Loop& loop, const StatusOptions& options) {
  const auto text = status_now(loop, options);
  // One write per picture, over the one before: no flicker.
  if (options.watch && ::isatty(STDOUT_FILENO) == 1) fmt::print("\x1b[H\x1b[2J");
  if (text) {
    fmt::print("{}", *text);
  } else {
    fmt::print(stderr, "bellwether status: {}\n", text.error().message);
  }
  std::fflush(stdout);
  return text.has_value();
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
