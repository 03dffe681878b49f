#pragma once

#include <string>

#include "render.h"

namespace bellwether::admin {

// The page for browsers without scripts: who leads, or why no node does, and the nodes, as an HTML fragment.
[[nodiscard]] std::string noscript_html(const Snapshot& snapshot);

}  // namespace bellwether::admin
