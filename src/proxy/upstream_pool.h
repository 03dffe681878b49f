#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "upstream.h"

namespace bellwether::proxy {

// A worker's kept-alive connections to nodes that nobody uses at the moment. The last one given back goes out first, so
// that the others may grow old and be closed. One thread.
class UpstreamPool {
 public:
  static constexpr Duration kLongestIdle = 60s;

  UpstreamPool(net::Loop& loop, std::size_t nodes) : loop_(loop), idle_(nodes), generations_(nodes) {}
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // One that was quiet a moment ago, or null.
  [[nodiscard]] std::unique_ptr<Upstream> take(NodeId node);
  [[nodiscard]] bool has_idle(NodeId node) const { return !idle_[node.index].empty(); }
  void give_back(std::unique_ptr<Upstream> upstream);
  // Closed at once, destroyed at the end of the turn: one of its callbacks may be running.
  void discard(std::unique_ptr<Upstream> upstream);
  void drop(Upstream& idle);
  void close_idle(NodeId node);
  // Connections there are now are not kept: those in use end when they are given back.
  void outdate(NodeId node);
  [[nodiscard]] std::uint32_t generation(NodeId node) const { return generations_[node.index]; }
  void close_old(TimePoint now);
  [[nodiscard]] std::size_t idle_count() const;

 private:
  net::Loop& loop_;
  std::vector<std::vector<std::unique_ptr<Upstream>>> idle_;  // by node; the newest last
  std::vector<std::uint32_t> generations_;                    // by node
  std::vector<std::unique_ptr<Upstream>> graveyard_;
};

}  // namespace bellwether::proxy
