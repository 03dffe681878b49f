#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/metrics/slots.h"
#include "bellwether/proxy/proxy.h"
#include "bellwether/vault/retry.h"
#include "drain_policy.h"

namespace bellwether::proxy {

// A number with one writing thread and any number of readers: no locked instruction on the hot path.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  void subtract(std::uint64_t n = 1) { value_.store(get() - n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct NodeCounters : metrics::NodeSlots<Counter> {
  // What http mode sees of it (LiveTraffic). Times in nanoseconds of the steady clock; 0: never.
  Counter answered_request_ns, last_answer_ns, waiting_long;
};

struct DurationCounter {
  std::array<Counter, std::size(kHttpBuckets) + 1> buckets;
  Counter sum_ns;
  void record(Duration duration);
};

struct HttpCounters : metrics::HttpSlots<Counter> {
  std::array<Counter, 5> by_status_class;
  std::array<Counter, kOutcomeCount - 1> outcomes;  // but for the rejected
  std::array<Counter, http::kRejectCount> rejected;
  Counter rejected_late;
  std::array<Counter, vault::kRowCount> rows;
  DurationCounter waiting, upstream, total;
};

// One worker's slots: written by that worker alone, read by whoever scrapes. The plain ones are declared by their rows
// in metrics/rows.def.
struct alignas(64) WorkerCounters : metrics::WorkerSlots<Counter> {
  std::array<Counter, net::kHandshakeFailureCount> handshake_failures;
  std::array<Counter, std::size(kHoldBuckets) + 1> hold_buckets;
  Counter hold_sum_ns;
  HttpCounters http;

  void record_hold(Duration held);
  void count_cut(Cut cut);  // of a session that its node's standing has ended
  void count_handshake_failure(net::HandshakeFailure why) { handshake_failures[static_cast<std::size_t>(why)].add(); }
};

// REQUIRES: into's buckets are sized
void add_to(ProxyCounts& into, const WorkerCounters& from);
void add_to(NodeCounts& into, const NodeCounters& from);

}  // namespace bellwether::proxy
