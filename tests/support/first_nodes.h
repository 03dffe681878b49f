#pragma once

#include <cstddef>
#include <cstdint>

#include "bellwether/base/node_table.h"

namespace bellwether::testing {

// Default values for the nodes 0 to `size` - 1, those of a first topology.
template <typename Value>
[[nodiscard]] NodeTable<Value> first_nodes(std::size_t size) {
  NodeTable<Value> table;
  for (std::size_t i = 0; i < size; ++i) table.add({static_cast<std::uint32_t>(i)});
  return table;
}

}  // namespace bellwether::testing
