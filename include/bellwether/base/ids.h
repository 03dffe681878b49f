#pragma once

#include <compare>
#include <cstdint>

namespace bellwether {

// One node, for as long as the process lives: no other node is ever given its number, not even one that takes its name
// or its address. The nodes of the first topology have the numbers 0 to n - 1, in its order.
struct NodeId {
  std::uint32_t number = 0;
  friend auto operator<=>(NodeId, NodeId) = default;
};

// Grows by one with each new leader; 0 means that nobody has led yet.
using Epoch = std::uint64_t;

}  // namespace bellwether
