#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "counters.h"

namespace bellwether::proxy {

class WorkerCore;

// What a connection or a request takes of its worker for a while: each is given back once, by a call or at the latest
// with its owner, whichever way that ends. Used on the worker's thread, and not longer than it stands.

// One more in a gauge: a session at a node, a dial that is under way.
class Counted {
 public:
  Counted() = default;
  explicit Counted(Counter& gauge) : gauge_(&gauge) { gauge.add(); }
  Counted(Counted&& other) noexcept : gauge_(std::exchange(other.gauge_, nullptr)) {}
  Counted& operator=(Counted&& other) noexcept;
  ~Counted() { reset(); }

  void reset();
  explicit operator bool() const { return gauge_ != nullptr; }

 private:
  Counter* gauge_ = nullptr;
};

// The time for which somebody waits for a leader: counted while it lasts, recorded when it is over.
class HoldTime {
 public:
  HoldTime() = default;
  // `is_first`: it has not waited before.
  HoldTime(WorkerCore& worker, bool is_first);
  HoldTime(HoldTime&& other) noexcept : worker_(std::exchange(other.worker_, nullptr)), since_(other.since_) {}
  HoldTime& operator=(HoldTime&& other) noexcept;
  ~HoldTime() { end(); }

  Duration end();  // how long it was; zero if it does not run
  explicit operator bool() const { return worker_ != nullptr; }
  // REQUIRES: it runs
  [[nodiscard]] TimePoint since() const { return since_; }

 protected:
  [[nodiscard]] WorkerCore* worker() const { return worker_; }

 private:
  WorkerCore* worker_ = nullptr;
  TimePoint since_{};
};

// A place among those who may wait: of the number and the bytes that all workers may hold together.
class HoldPlace : HoldTime {
 public:
  enum class Lack : std::uint8_t { kPlaces, kBytes };
  // `bytes`: what is kept of it meanwhile.
  [[nodiscard]] static tl::expected<HoldPlace, Lack> take(WorkerCore& worker, std::size_t bytes, bool is_first);

  HoldPlace() = default;
  HoldPlace(HoldPlace&& other) noexcept : HoldTime(std::move(other)), bytes_(std::exchange(other.bytes_, 0)) {}
  HoldPlace& operator=(HoldPlace&& other) noexcept;
  ~HoldPlace() { end(); }

  using HoldTime::operator bool;
  using HoldTime::since;
  Duration end();  // as HoldTime's

 private:
  HoldPlace(WorkerCore& worker, std::size_t bytes, bool is_first) : HoldTime(worker, is_first), bytes_(bytes) {}

  std::size_t bytes_ = 0;
};

}  // namespace bellwether::proxy
