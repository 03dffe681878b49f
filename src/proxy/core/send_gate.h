#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bellwether::proxy {

// Permission to send to nodes, which the control side takes away from all workers at once, without waiting for any of
// them: a worker that is stuck in a callback finds it taken away before it sends anything more. Rounds are numbered by
// the control side; a worker may send while it has obeyed the newest. What it sends is enclosed by a SendPermit, so
// that the control side knows who is sending at the very moment: only those are waited for, for the length of one
// non-blocking write. All four accesses that decide are sequentially consistent: either the worker sees the new round,
// or the control side sees the worker send.
class SendGate {
 public:
  explicit SendGate(std::size_t workers) : slots_(std::make_unique<Slot[]>(workers)), workers_(workers) {}

  // Control side. Once it has returned, workers send nothing more until they obey this round, but for those that it
  // returns: each of these calls its on_left when it is done.
  [[nodiscard]] std::vector<std::size_t> close(std::uint64_t round) {
    round_.store(round);
    std::vector<std::size_t> sending;
    for (std::size_t i = 0; i < workers_; ++i) {
      if (slots_[i].sending.load()) sending.push_back(i);
    }
    return sending;
  }

  // A worker about itself, on its thread.
  void obey(std::size_t worker, std::uint64_t round) { slots_[worker].obeyed = round; }
  [[nodiscard]] std::uint64_t obeyed(std::size_t worker) const { return slots_[worker].obeyed; }
  // An order that it has not obeyed yet is on its way.
  [[nodiscard]] bool is_closed(std::size_t worker) const {
    return round_.load(std::memory_order_acquire) != slots_[worker].obeyed;
  }

 private:
  friend class SendPermit;
  struct alignas(64) Slot {
    std::atomic<bool> sending{false};
    std::uint64_t obeyed = 0;  // the worker's own
  };

  std::unique_ptr<Slot[]> slots_;
  std::size_t workers_;
  alignas(64) std::atomic<std::uint64_t> round_{0};
};

// For one write, or a few that do not block, to a node. One at a time for each worker. True if it may be made;
// destroyed after it.
class SendPermit {
 public:
  // Told the round that the worker has not obeyed yet, when the control side may have seen it send.
  using OnLeft = void (*)(void* user, std::uint64_t round);

  SendPermit(SendGate& gate, std::size_t worker, OnLeft on_left, void* user)
      : gate_(&gate), slot_(gate.slots_[worker]), on_left_(on_left), user_(user) {
    slot_.sending.store(true);
    is_given_ = gate_->round_.load() == slot_.obeyed;
    if (!is_given_) leave();
  }
  ~SendPermit() {
    if (is_given_) leave();
  }
  SendPermit(const SendPermit&) = delete;
  SendPermit& operator=(const SendPermit&) = delete;
  [[nodiscard]] explicit operator bool() const { return is_given_; }

 private:
  // Even where none was given: the control side may have seen us ask.
  void leave() {
    slot_.sending.store(false);
    const std::uint64_t round = gate_->round_.load();
    if (round != slot_.obeyed) on_left_(user_, round);
  }

  SendGate* gate_;
  SendGate::Slot& slot_;
  OnLeft on_left_;
  void* user_;
  bool is_given_ = false;
};

}  // namespace bellwether::proxy
