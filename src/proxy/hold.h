#pragma once

#include <atomic>
#include <cstddef>

namespace bellwether::proxy {

// A count that all workers share: how many may be held, how many sessions may run. The only shared writes; one per
// session, none per byte.
class SharedLimit {
 public:
  explicit SharedLimit(int most) : most_(most) {}
  [[nodiscard]] bool try_acquire() {
    if (used_.fetch_add(1) < most_) return true;
    used_.fetch_sub(1);
    return false;
  }
  void release() { used_.fetch_sub(1); }
  [[nodiscard]] bool is_full() const { return used_.load() >= most_; }

 private:
  const int most_;
  std::atomic<int> used_{0};
};

class HoldQueue;

// What can wait in a HoldQueue. Leaves it on destruction.
class HoldLink {
 public:
  HoldLink() = default;
  HoldLink(const HoldLink&) = delete;
  HoldLink& operator=(const HoldLink&) = delete;
  [[nodiscard]] bool is_queued() const { return queue_ != nullptr; }

 protected:
  ~HoldLink();

 private:
  friend class HoldQueue;
  HoldQueue* queue_ = nullptr;
  HoldLink* before_ = nullptr;
  HoldLink* after_ = nullptr;
};

// A worker's held sessions, in the order in which they came. Owns none of them. One thread.
class HoldQueue {
 public:
  HoldQueue() = default;
  HoldQueue(const HoldQueue&) = delete;
  HoldQueue& operator=(const HoldQueue&) = delete;

  void push_back(HoldLink& link);
  void push_front(HoldLink& link);  // it has waited before and was sent back
  void remove(HoldLink& link);
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] HoldLink* first() const { return first_; }
  [[nodiscard]] static HoldLink* after(const HoldLink& link) { return link.after_; }

 private:
  HoldLink* first_ = nullptr;
  HoldLink* last_ = nullptr;
};

}  // namespace bellwether::proxy
