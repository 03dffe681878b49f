#pragma once

#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "examined.h"

namespace bellwether::app {

// All I/O of `check`: what it saw comes back as values. Each turns a loop of its own and blocks until it is done.

// `config`: of one cluster. `listen`: the listeners of the process, of all its clusters.

// Connects to every node, all at once, and asks it, for at most as long as its timeouts allow; each answer is bounded.
[[nodiscard]] Result<ExaminedCluster> examine_cluster(const config::Config& config,
                                                      const std::vector<config::Listen>& listen);
// Only what their names lead to.
[[nodiscard]] Result<std::vector<Examined>> examine_names(const config::Config& config,
                                                          const std::vector<config::Listen>& listen);
// What certificates, keys and CA files have to say, and the limits of this process.
[[nodiscard]] OwnSide examine_own_side(const config::Config& config);

}  // namespace bellwether::app
