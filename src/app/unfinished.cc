// Stands in for commands that are not in this build yet, so that it links. A command's own file comes before this one
// in the library and is weak nowhere: it wins.
#include <fmt/format.h>

#include "commands.h"

namespace bellwether::app {
namespace {

int missing(const char* name) {
  fmt::print(stderr, "bellwether {}: not in this build yet\n", name);
  return kExitFailed;
}

}  // namespace

[[gnu::weak]] int dev_command(const DevOptions&) { return missing("dev"); }
[[gnu::weak]] int sim_command(const SimOptions&) { return missing("sim"); }

}  // namespace bellwether::app
