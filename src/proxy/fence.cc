#include "fence.h"

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
  missing_ = workers_;
  ++round_;
  return Order::kHold;
}

Fence::Order Fence::on_ack(std::uint64_t round) {
  if (round != round_ || missing_ == 0 || --missing_ > 0) return Order::kNothing;
  sent_ = std::move(waiting_);
  waiting_ = nullptr;
  return Order::kSend;
}

}  // namespace bellwether::proxy
