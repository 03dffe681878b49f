#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bellwether/base/node_table.h"
#include "upstream.h"

namespace bellwether::proxy {

// A worker's kept-alive connections to nodes that nobody uses at the moment. The last one given back goes out first, so
// that the others may grow old and be closed. One thread.
class UpstreamPool {
 public:
  static constexpr Duration kLongestIdle = 60s;

  // One that was made for nobody has opened, or never will.
  using OnWarm = std::function<void(NodeId node, bool is_open)>;

  UpstreamPool(net::Loop& loop, OnWarm on_warm) : loop_(loop), on_warm_(std::move(on_warm)) {}
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // Connections of nodes that it has not are not kept. False: it has that node already.
  bool add(NodeId node);
  [[nodiscard]] bool has(NodeId node) const { return nodes_.has(node); }
  // Removes the nodes for which keeps(NodeId) is false; their connections end, those in use when they are given back.
  template <typename Keeps>
  void keep_if(Keeps keeps) {
    for (const NodeId node : nodes_.ids()) {
      if (!keeps(node)) close_idle(node);
    }
    nodes_.keep_if([&keeps](NodeId node, const Of& /*of*/) { return keeps(node); });
  }

  // One that was quiet a moment ago, or null.
  [[nodiscard]] std::unique_ptr<Upstream> take(NodeId node);
  [[nodiscard]] bool has_idle(NodeId node) const;
  void give_back(std::unique_ptr<Upstream> upstream);
  // One that opens, and that nobody has borrowed: idle as soon as it is open.
  void warm(std::unique_ptr<Upstream> opening);
  [[nodiscard]] bool is_warm(NodeId node) const;
  void on_warm(Upstream& warm, bool is_open);  // from its own callback
  // Closed at once, destroyed at the end of the turn: one of its callbacks may be running.
  void discard(std::unique_ptr<Upstream> upstream);
  void drop(Upstream& idle);
  void close_idle(NodeId node);  // those that open for nobody too
  // Connections there are now are not kept: those in use end when they are given back.
  void outdate(NodeId node);
  // REQUIRES: has(node)
  [[nodiscard]] std::uint32_t generation(NodeId node) const { return nodes_.at(node).generation; }
  void close_old(TimePoint now);
  [[nodiscard]] std::size_t idle_count() const;

 private:
  using Upstreams = std::vector<std::unique_ptr<Upstream>>;
  struct Of {
    Upstreams idle;     // the newest last
    Upstreams opening;  // for nobody
    std::uint32_t generation = 0;
  };
  [[nodiscard]] static std::unique_ptr<Upstream> take_out(Upstreams& all, const Upstream& one);  // null: not there

  net::Loop& loop_;
  OnWarm on_warm_;
  NodeTable<Of> nodes_;
  Upstreams graveyard_;
};

}  // namespace bellwether::proxy
