#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "upstream.h"

namespace bellwether::proxy {

// A worker's kept-alive connections to nodes that nobody uses at the moment. The last one given back goes out first, so
// that the others may grow old and be closed. One thread.
class UpstreamPool {
 public:
  static constexpr std::size_t kMostIdle = 64;  // per node
  static constexpr Duration kLongestIdle = 60s;

  UpstreamPool(net::Loop& loop, std::size_t nodes) : loop_(loop), idle_(nodes) {}
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // One that was quiet a moment ago, or null.
  [[nodiscard]] std::unique_ptr<Upstream> take(NodeId node);
  void give_back(std::unique_ptr<Upstream> upstream);
  // Closed at once, destroyed at the end of the turn: one of its callbacks may be running.
  void discard(std::unique_ptr<Upstream> upstream);
  void drop(Upstream& idle);
  void close_idle(NodeId node);
  void close_old(TimePoint now);
  [[nodiscard]] std::size_t idle_count() const;

 private:
  net::Loop& loop_;
  std::vector<std::vector<std::unique_ptr<Upstream>>> idle_;  // by node; the newest last
  std::vector<std::unique_ptr<Upstream>> graveyard_;
};

}  // namespace bellwether::proxy
