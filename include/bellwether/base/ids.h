#pragma once

#include <compare>
#include <concepts>
#include <cstdint>

namespace bellwether {

// A node's place in the configured list, 0-based. It keeps its meaning for the life of one configuration.
struct NodeId {
  std::uint16_t index = 0;
  friend auto operator<=>(NodeId, NodeId) = default;
};
template <std::integral Index>
[[nodiscard]] constexpr NodeId node_at(Index index) {
  return {static_cast<std::uint16_t>(index)};
}

// Grows by one with each new leader; 0 means that nobody has led yet.
using Epoch = std::uint64_t;

}  // namespace bellwether
