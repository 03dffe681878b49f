#include "upstream_pool.h"

#include <algorithm>
#include <utility>

#include "bellwether/proxy/proxy.h"

namespace bellwether::proxy {

std::unique_ptr<Upstream> UpstreamPool::take(NodeId node) {
  auto& idle = idle_[node.index];
  while (!idle.empty()) {
    auto upstream = std::move(idle.back());
    idle.pop_back();
    if (upstream->is_quiet()) return upstream;
    discard(std::move(upstream));
  }
  return nullptr;
}

void UpstreamPool::give_back(std::unique_ptr<Upstream> upstream) {
  auto& idle = idle_[upstream->node().index];
  const bool is_outdated = upstream->generation() != generation(upstream->node());
  if (is_outdated || idle.size() >= kMostIdleUpstreams) return discard(std::move(upstream));
  upstream->lend(nullptr);
  upstream->idle_since = loop_.now();
  idle.push_back(std::move(upstream));
}

void UpstreamPool::warm(std::unique_ptr<Upstream> opening) {
  opening_[opening->node().index].push_back(std::move(opening));
}

void UpstreamPool::on_warm(Upstream& warm, bool is_open) {
  const NodeId node = warm.node();
  auto upstream = take_out(opening_[node.index], warm);
  if (!upstream) return;
  is_open ? give_back(std::move(upstream)) : discard(std::move(upstream));
  on_warm_(node, is_open);
}

void UpstreamPool::discard(std::unique_ptr<Upstream> upstream) {
  upstream->lend(nullptr);
  upstream->close();
  if (graveyard_.empty()) loop_.at_turn_end([this] { graveyard_.clear(); });
  graveyard_.push_back(std::move(upstream));
}

void UpstreamPool::drop(Upstream& idle) {
  if (auto upstream = take_out(idle_[idle.node().index], idle)) discard(std::move(upstream));
}

std::unique_ptr<Upstream> UpstreamPool::take_out(Upstreams& all, const Upstream& one) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.get() == &one; });
  if (found == all.end()) return nullptr;
  auto upstream = std::move(*found);
  all.erase(found);
  return upstream;
}

void UpstreamPool::close_idle(NodeId node) {
  for (auto& upstream : std::exchange(idle_[node.index], {})) discard(std::move(upstream));
  for (auto& upstream : std::exchange(opening_[node.index], {})) discard(std::move(upstream));
}

void UpstreamPool::outdate(NodeId node) {
  ++generations_[node.index];
  close_idle(node);
}

void UpstreamPool::close_old(TimePoint now) {
  for (auto& idle : idle_) {
    while (!idle.empty() && now - idle.front()->idle_since >= kLongestIdle) {
      auto upstream = std::move(idle.front());
      idle.erase(idle.begin());
      discard(std::move(upstream));
    }
  }
}

std::size_t UpstreamPool::idle_count() const {
  std::size_t sum = 0;
  for (const auto& idle : idle_) sum += idle.size();
  return sum;
}

}  // namespace bellwether::proxy
