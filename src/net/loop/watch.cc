#include "bellwether/net/watch.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <optional>

#include "bellwether/base/assert.h"

namespace bellwether::net {

struct Watch::Impl {
  struct event event {};
  Loop* loop = nullptr;
  ReadinessHandler* handler = nullptr;  // null: closed
  std::optional<Timer> again;           // made when first needed
  Readiness left_over{};

  static void on_event(int, short what, void* self) noexcept {
    const Readiness ready{(what & EV_READ) != 0, (what & EV_WRITE) != 0, (what & EV_CLOSED) != 0};
    auto& impl = *static_cast<Impl*>(self);
    impl.loop->begin_callback();
    if (impl.handler != nullptr) impl.handler->on_ready(ready);
  }

  void on_again() {
    const Readiness ready = left_over;
    left_over = {};
    handler->on_ready(ready);
  }
};

void Watch::Deleter::operator()(Impl* impl) const { std::default_delete<Impl>()(impl); }

Result<void> Watch::open(Loop& loop, int fd, ReadinessHandler& handler) {
  close();
  if (!impl_) impl_.reset(std::make_unique<Impl>().release());
  constexpr short kAll = EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST;
  if (event_assign(&impl_->event, loop.base(), fd, kAll, &Impl::on_event, impl_.get()) != 0 ||
      event_add(&impl_->event, nullptr) != 0) {
    return fail(ErrorKind::kInternal, "cannot register a socket with the event loop");
  }
  if (impl_->loop != &loop) impl_->again.reset();
  impl_->loop = &loop;
  impl_->handler = &handler;
  return {};
}

void Watch::close() {
  if (!is_open()) return;
  event_del(&impl_->event);
  impl_->handler = nullptr;
  impl_->left_over = {};
  if (impl_->again) impl_->again->cancel();
}

bool Watch::is_open() const { return impl_ && impl_->handler != nullptr; }

void Watch::call_again(Readiness ready) {
  BW_ASSERT(is_open());
  impl_->left_over.readable |= ready.readable;
  impl_->left_over.writable |= ready.writable;
  impl_->left_over.closed |= ready.closed;
  if (!impl_->again) impl_->again.emplace(*impl_->loop, [impl = impl_.get()] { impl->on_again(); });
  if (!impl_->again->is_armed()) impl_->again->arm_in(Duration::zero());
}

}  // namespace bellwether::net
