#include "upstream_pool.h"

#include <algorithm>
#include <utility>

#include "bellwether/proxy/proxy.h"

namespace bellwether::proxy {

bool UpstreamPool::add(NodeId node) {
  if (nodes_.has(node)) return false;
  nodes_.add(node);
  return true;
}

bool UpstreamPool::has_idle(NodeId node) const {
  const Of* const of = nodes_.find(node);
  return of != nullptr && !of->idle.empty();
}

bool UpstreamPool::is_warm(NodeId node) const {
  const Of* const of = nodes_.find(node);
  return of != nullptr && (!of->idle.empty() || !of->opening.empty());
}

std::unique_ptr<Upstream> UpstreamPool::take(NodeId node) {
  if (!nodes_.has(node)) return nullptr;
  auto& idle = nodes_.at(node).idle;
  while (!idle.empty()) {
    auto upstream = std::move(idle.back());
    idle.pop_back();
    if (upstream->is_quiet()) return upstream;
    discard(std::move(upstream));
  }
  return nullptr;
}

void UpstreamPool::give_back(std::unique_ptr<Upstream> upstream) {
  Of* const of = nodes_.find(upstream->node());
  const bool is_outdated = of == nullptr || upstream->generation() != of->generation;
  if (is_outdated || of->idle.size() >= kMostIdleUpstreams) return discard(std::move(upstream));
  upstream->lend(nullptr);
  upstream->idle_since = loop_.now();
  of->idle.push_back(std::move(upstream));
}

void UpstreamPool::warm(std::unique_ptr<Upstream> opening) {
  Upstreams& all = nodes_.at(opening->node()).opening;
  all.push_back(std::move(opening));
}

void UpstreamPool::on_warm(Upstream& warm, bool is_open) {
  const NodeId node = warm.node();
  Of* const of = nodes_.find(node);
  auto upstream = of != nullptr ? take_out(of->opening, warm) : nullptr;
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
  Of* const of = nodes_.find(idle.node());
  auto upstream = of != nullptr ? take_out(of->idle, idle) : nullptr;
  if (upstream) discard(std::move(upstream));
}

std::unique_ptr<Upstream> UpstreamPool::take_out(Upstreams& all, const Upstream& one) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.get() == &one; });
  if (found == all.end()) return nullptr;
  auto upstream = std::move(*found);
  all.erase(found);
  return upstream;
}

void UpstreamPool::close_idle(NodeId node) {
  Of* const of = nodes_.find(node);
  if (of == nullptr) return;
  for (auto& upstream : std::exchange(of->idle, {})) discard(std::move(upstream));
  for (auto& upstream : std::exchange(of->opening, {})) discard(std::move(upstream));
}

void UpstreamPool::outdate(NodeId node) {
  if (Of* const of = nodes_.find(node)) ++of->generation;
  close_idle(node);
}

void UpstreamPool::close_old(TimePoint now) {
  for (Of& of : nodes_) {
    Upstreams& idle = of.idle;
    while (!idle.empty() && now - idle.front()->idle_since >= kLongestIdle) {
      auto upstream = std::move(idle.front());
      idle.erase(idle.begin());
      discard(std::move(upstream));
    }
  }
}

std::size_t UpstreamPool::idle_count() const {
  std::size_t sum = 0;
  for (const Of& of : nodes_) sum += of.idle.size();
  return sum;
}

}  // namespace bellwether::proxy
