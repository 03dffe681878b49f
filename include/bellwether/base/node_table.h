#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "bellwether/base/assert.h"
#include "bellwether/base/ids.h"

namespace bellwether {

// A value for each of some nodes, in the order in which they were added. For few nodes: it is searched from the front,
// but for the nodes of the first topology, which are found at once as long as none has gone.
template <typename Value>
class NodeTable {
 public:
  NodeTable() = default;
  // Default values for the nodes 0 to `size` - 1.
  explicit NodeTable(std::size_t size) : values_(size) {
    for (std::size_t i = 0; i < size; ++i) ids_.push_back({static_cast<std::uint32_t>(i)});
  }

  // REQUIRES: it has no value yet
  Value& add(NodeId node, Value value = {}) {
    BW_ASSERT(!has(node));
    ids_.push_back(node);
    values_.push_back(std::move(value));
    return values_.back();
  }
  // Removes the nodes for which keeps(NodeId, const Value&) is false.
  template <typename Keeps>
  void keep_if(Keeps keeps) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      if (!keeps(ids_[i], std::as_const(values_[i]))) continue;
      if (kept != i) {
        ids_[kept] = ids_[i];
        values_[kept] = std::move(values_[i]);
      }
      ++kept;
    }
    ids_.resize(kept);
    values_.erase(values_.begin() + static_cast<std::ptrdiff_t>(kept), values_.end());
  }

  // Null if there is none.
  [[nodiscard]] Value* find(NodeId node) {
    const std::size_t place = place_of(node);
    return place < ids_.size() ? &values_[place] : nullptr;
  }
  [[nodiscard]] const Value* find(NodeId node) const {
    const std::size_t place = place_of(node);
    return place < ids_.size() ? &values_[place] : nullptr;
  }
  [[nodiscard]] bool has(NodeId node) const { return place_of(node) < ids_.size(); }
  // REQUIRES: has(node)
  [[nodiscard]] Value& at(NodeId node) {
    const std::size_t place = place_of(node);
    BW_ASSERT(place < ids_.size());
    return values_[place];
  }
  [[nodiscard]] const Value& at(NodeId node) const {
    const std::size_t place = place_of(node);
    BW_ASSERT(place < ids_.size());
    return values_[place];
  }

  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] bool empty() const { return ids_.empty(); }
  [[nodiscard]] const std::vector<NodeId>& ids() const { return ids_; }
  // By place in the order.
  [[nodiscard]] Value& operator[](std::size_t place) { return values_[place]; }
  [[nodiscard]] const Value& operator[](std::size_t place) const { return values_[place]; }
  [[nodiscard]] auto begin() { return values_.begin(); }
  [[nodiscard]] auto end() { return values_.end(); }
  [[nodiscard]] auto begin() const { return values_.begin(); }
  [[nodiscard]] auto end() const { return values_.end(); }

 private:
  // size() if there is none.
  [[nodiscard]] std::size_t place_of(NodeId node) const {
    if (node.number < ids_.size() && ids_[node.number] == node) return node.number;
    return static_cast<std::size_t>(std::find(ids_.begin(), ids_.end(), node) - ids_.begin());
  }

  std::vector<NodeId> ids_;
  std::vector<Value> values_;  // in the order of ids_
};

}  // namespace bellwether
