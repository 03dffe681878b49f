#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bellwether/config/config.h"

namespace bellwether::config {

// Which options are meant: those of the process (Scope::kProcess, without `listen`), those that a cluster may have of
// its own, with its listeners, or both. `clusters` is in neither: callers take each Config of it by itself.
enum class Part : std::uint8_t { kAll, kProcess, kCluster };

// The options that have another value in `after`, in the words of a file: "maxconn 2000 -> 4000". Without the nodes:
// their difference is one of addresses too, which a configuration does not know.
struct Differences {
  std::vector<std::string> reloadable;  // Option::reloadable
  std::vector<std::string> others;      // what only a restart changes
};
[[nodiscard]] Differences differences(const Config& before, const Config& after, Part part = Part::kAll);
// What is reloadable becomes what it is in `from`, with the nodes unless only the process is meant.
void take_over_reloadable(const Config& from, Config& into, Part part = Part::kAll);

}  // namespace bellwether::config
