#pragma once

#include <string>

#include "render.h"

namespace bellwether::admin {

// The page's links to the pages of all clusters, each with its cluster's state, as an HTML fragment. Empty, unless the
// process has several clusters.
[[nodiscard]] std::string tabs_html(const Snapshot& snapshot);

}  // namespace bellwether::admin
