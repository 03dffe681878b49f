#include <fmt/format.h>
#include <sys/resource.h>

#include "bellwether/net/versions.h"
#include "commands.h"

namespace bellwether::app {

std::string_view version() { return BELLWETHER_VERSION; }

int version_command(bool verbose) {
  fmt::print("bellwether {}\n", version());
  if (!verbose) return kExitFine;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  fmt::print("{}\nlibevent {}\n", net::openssl_version(), net::libevent_version());
  fmt::print("built with {} for C++{}\n", __VERSION__, __cplusplus / 100 % 100);
  fmt::print("file descriptors: {} (raised to {} when it runs); each session needs two\n", files.rlim_cur,
             files.rlim_max);
  return kExitFine;
}

}  // namespace bellwether::app
