#pragma once

#include <string>
#include <vector>

#include "bellwether/config/config.h"

namespace bellwether::config {

// The options that have another value in `after`, in the words of a file: "maxconn 2000 -> 4000". Without the nodes:
// their difference is one of addresses too, which a configuration does not know.
struct Differences {
  std::vector<std::string> reloadable;  // Option::reloadable
  std::vector<std::string> others;      // what only a restart changes
};
[[nodiscard]] Differences differences(const Config& before, const Config& after);
// What is reloadable becomes what it is in `from`, nodes included.
void take_over_reloadable(const Config& from, Config& into);

}  // namespace bellwether::config
