#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace bellwether::proxy {

// A count that all workers share: how many may be held, how many sessions may run. The only shared writes; one per
// session, none per byte.
class SharedLimit {
 public:
  explicit SharedLimit(int most) : most_(most) {}
  // False only if all places were taken at that moment: it never counts more than there are, not even for an instant,
  // in which another thread would be refused a place that is free.
  [[nodiscard]] bool try_acquire() {
    int used = used_.load();
    while (used < most_.load()) {
      if (used_.compare_exchange_weak(used, used + 1)) return true;
    }
    return false;
  }
  void release() { used_.fetch_sub(1); }
  // With fewer places than are taken, all stay taken until enough have been given back.
  void set_most(int most) { most_.store(most); }
  [[nodiscard]] bool is_full() const { return used_.load() >= most_.load(); }
  [[nodiscard]] bool is_half_full() const { return used_.load() >= most_.load() / 2; }

 private:
  std::atomic<int> most_;
  std::atomic<int> used_{0};
};

// As above, of bytes: what held requests may take, all together.
class SharedBudget {
 public:
  explicit SharedBudget(std::size_t most) : most_(most) {}
  [[nodiscard]] bool try_acquire(std::size_t bytes) {
    std::size_t used = used_.load();
    const std::size_t most = most_.load();
    while (bytes <= most && used <= most - bytes) {
      if (used_.compare_exchange_weak(used, used + bytes)) return true;
    }
    return false;
  }
  void release(std::size_t bytes) { used_.fetch_sub(bytes); }
  void set_most(std::size_t most) { most_.store(most); }
  [[nodiscard]] std::size_t used() const { return used_.load(); }

 private:
  std::atomic<std::size_t> most_;
  std::atomic<std::size_t> used_{0};
};

class WaitQueue;

// What can wait in a WaitQueue, one at a time. Leaves it on destruction.
class WaitLink {
 public:
  WaitLink() = default;
  WaitLink(const WaitLink&) = delete;
  WaitLink& operator=(const WaitLink&) = delete;
  [[nodiscard]] bool is_queued() const { return queue_ != nullptr; }

 protected:
  ~WaitLink();

 private:
  friend class WaitQueue;
  WaitQueue* queue_ = nullptr;
  WaitLink* before_ = nullptr;
  WaitLink* after_ = nullptr;
};

// A worker's sessions that wait for the same thing, in the order in which they came: for a leader (the hold), or for a
// node's first word on what was sent to it. Owns none of them. One thread.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  void push_back(WaitLink& link);
  void push_front(WaitLink& link);  // it has waited before and was sent back
  void remove(WaitLink& link);
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] WaitLink* first() const { return first_; }

  // Calls `visit` on each, in order, while it returns true. It may take out the one that it is given, and add others:
  // one that comes meanwhile may have to wait for the next call. A call from within another does nothing.
  template <typename Visit>
  void offer(Visit visit) {
    if (std::exchange(is_offering_, true)) return;
    for (WaitLink* link = first_; link != nullptr && link->queue_ == this;) {
      WaitLink* const next = link->after_;
      if (!visit(*link)) break;
      link = next;
    }
    is_offering_ = false;
  }

 private:
  WaitLink* first_ = nullptr;
  WaitLink* last_ = nullptr;
  bool is_offering_ = false;
};

}  // namespace bellwether::proxy
