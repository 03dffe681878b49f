#include <fmt/format.h>

#include <cstdio>

#include "ask.h"
#include "commands.h"
#include "failovers_text.h"

namespace bellwether::app {

int failovers_command(const FailoversOptions& options) {
  const auto text = [&]() -> Result<std::string> {
    auto loop = net::Loop::create({});
    if (!loop) return tl::unexpected(loop.error());
    auto answer = ask_admin(**loop, options.admin, "/failovers");
    if (!answer || options.json) return answer;
    return failovers_text(*answer);
  }();
  if (!text) {
    fmt::print(stderr, "bellwether failovers: {}\n", text.error().message);
    return kExitFailed;
  }
  fmt::print("{}", *text);
  return kExitFine;
}

}  // namespace bellwether::app
