#pragma once

#include <string>
#include <vector>

#include "bellwether/config/config.h"

namespace bellwether::app::setup {

struct FoundNode {
  std::string url;
  std::string said;  // of itself, and why it was asked; one line
};

// A configuration file with comments: the listeners, the nodes, and what else `config` has that is no default. `from`:
// the URLs that people named; `aside`: lines about servers that are perhaps nodes.
[[nodiscard]] std::string write_file(const config::Config& config, const std::vector<FoundNode>& nodes,
                                     const std::string& from, const std::vector<std::string>& aside);

}  // namespace bellwether::app::setup
