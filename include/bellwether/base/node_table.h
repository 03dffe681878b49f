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
    return is_at_its_number(node) ? &values_[node.number] : find_elsewhere(*this, node);
  }
  [[nodiscard]] const Value* find(NodeId node) const {
    return is_at_its_number(node) ? &values_[node.number] : find_elsewhere(*this, node);
  }
  [[nodiscard]] bool has(NodeId node) const { return find(node) != nullptr; }
  // REQUIRES: has(node)
  [[nodiscard]] Value& at(NodeId node) {
    Value* const found = find(node);
    BW_ASSERT(found != nullptr);
    return *found;
  }
  [[nodiscard]] const Value& at(NodeId node) const {
    const Value* const found = find(node);
    BW_ASSERT(found != nullptr);
    return *found;
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
  [[nodiscard]] bool is_at_its_number(NodeId node) const {
    return node.number < ids_.size() && ids_[node.number] == node;
  }
  template <typename Table>
  [[gnu::noinline]] static auto find_elsewhere(Table& table, NodeId node) -> decltype(table.values_.data()) {
    const auto found = std::find(table.ids_.begin(), table.ids_.end(), node);
    return found != table.ids_.end() ? &table.values_[static_cast<std::size_t>(found - table.ids_.begin())] : nullptr;
  }

  std::vector<NodeId> ids_;
  std::vector<Value> values_;  // in the order of ids_
};

}  // namespace bellwether
