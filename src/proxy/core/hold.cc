#include "hold.h"

#include "bellwether/base/assert.h"

namespace bellwether::proxy {

WaitLink::~WaitLink() {
  if (queue_ != nullptr) queue_->remove(*this);
}

void WaitQueue::push_back(WaitLink& link) {
  BW_ASSERT(!link.is_queued());
  link.queue_ = this;
  link.before_ = last_;
  (last_ != nullptr ? last_->after_ : first_) = &link;
  last_ = &link;
}

void WaitQueue::push_front(WaitLink& link) {
  BW_ASSERT(!link.is_queued());
  link.queue_ = this;
  link.after_ = first_;
  (first_ != nullptr ? first_->before_ : last_) = &link;
  first_ = &link;
}

void WaitQueue::remove(WaitLink& link) {
  BW_ASSERT(link.queue_ == this);
  (link.before_ != nullptr ? link.before_->after_ : first_) = link.after_;
  (link.after_ != nullptr ? link.after_->before_ : last_) = link.before_;
  link.queue_ = nullptr;
  link.before_ = link.after_ = nullptr;
}

}  // namespace bellwether::proxy
