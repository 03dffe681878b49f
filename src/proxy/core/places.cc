#include "places.h"

#include "worker_core.h"

namespace bellwether::proxy {

Counted& Counted::operator=(Counted&& other) noexcept {
  if (this != &other) {
    reset();
    gauge_ = std::exchange(other.gauge_, nullptr);
  }
  return *this;
}

void Counted::reset() {
  if (Counter* gauge = std::exchange(gauge_, nullptr)) gauge->subtract();
}

HoldTime::HoldTime(WorkerCore& worker, bool is_first) : worker_(&worker), since_(worker.now()) {
  if (is_first) worker.counters().held_total.add();
  worker.counters().held_now.add();
}

HoldTime& HoldTime::operator=(HoldTime&& other) noexcept {
  if (this != &other) {
    end();
    worker_ = std::exchange(other.worker_, nullptr);
    since_ = other.since_;
  }
  return *this;
}

Duration HoldTime::end() {
  WorkerCore* worker = std::exchange(worker_, nullptr);
  if (worker == nullptr) return {};
  const Duration held = worker->now() - since_;
  worker->counters().held_now.subtract();
  worker->counters().record_hold(held);
  return held;
}

tl::expected<HoldPlace, HoldPlace::Lack> HoldPlace::take(WorkerCore& worker, std::size_t bytes, bool is_first) {
  Shared& shared = worker.shared();
  if (!shared.held.try_acquire()) return tl::unexpected(Lack::kPlaces);
  if (shared.held_bytes.try_acquire(bytes)) return HoldPlace(worker, bytes, is_first);
  shared.held.release();
  return tl::unexpected(Lack::kBytes);
}

HoldPlace& HoldPlace::operator=(HoldPlace&& other) noexcept {
  if (this != &other) {
    end();
    bytes_ = std::exchange(other.bytes_, 0);
    HoldTime::operator=(std::move(other));
  }
  return *this;
}

Duration HoldPlace::end() {
  if (!*this) return {};
  worker()->shared().held.release();
  worker()->shared().held_bytes.release(std::exchange(bytes_, 0));
  return HoldTime::end();
}

}  // namespace bellwether::proxy
