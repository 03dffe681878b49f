#include "fence.h"

#include <algorithm>
#include <utility>

namespace bellwether::proxy {

Fence::Order Fence::on_publish(cluster::ViewPtr view) {
  if (waiting_) {
    waiting_ = std::move(view);
    return Order::kNothing;
  }
  if (!sent_ || sent_->epoch == view->epoch) {
    sent_ = std::move(view);
    return Order::kSend;
  }
  waiting_ = std::move(view);
  ++round_;
  return Order::kClose;
}

Fence::Order Fence::on_closed(std::vector<std::size_t> sending) {
  sending_ = std::move(sending);
  return send_if_clear();
}

Fence::Order Fence::on_left(std::size_t worker, std::uint64_t round) {
  if (round != round_ || !waiting_) return Order::kNothing;
  const auto found = std::find(sending_.begin(), sending_.end(), worker);
  if (found == sending_.end()) return Order::kNothing;
  sending_.erase(found);
  return send_if_clear();
}

Fence::Order Fence::send_if_clear() {
  if (!sending_.empty()) return Order::kNothing;
  sent_ = std::exchange(waiting_, nullptr);
  return Order::kSend;
}

}  // namespace bellwether::proxy
