#include "watchdog.h"

#include <utility>

namespace bellwether::app {

Watchdog::Watchdog(net::Loop& loop, Duration limit, AskAll ask, std::function<void()> feed)
    : interval_(limit / 3),
      ask_(std::move(ask)),
      feed_(std::move(feed)),
      alive_(std::make_shared<Watchdog*>(this)),
      timer_(loop, [this] { look(); }) {}

void Watchdog::begin() { look(); }

void Watchdog::look() {
  timer_.arm_in(interval_);
  if (std::exchange(is_asking_, true)) return;  // somebody has not turned
  ask_([weak = std::weak_ptr(alive_)] {
    if (const auto self = weak.lock()) (*self)->on_turned();
  });
}

void Watchdog::on_turned() {
  is_asking_ = false;
  feed_();
}

}  // namespace bellwether::app
