#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "app/process/log.h"
#include "bellwether/admin/admin.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// Logs requests that have ended: all of them (`logs_all`, the option log_requests), or those that failed. The client's
// address is in the lines while the log has level debug. Of requests that were surely not executed at most
// kMaxUnservedLines a second are logged, since a client may repeat them without end; how many were left out is logged
// with the next one. Any thread.
class RequestLog {
 public:
  static constexpr int kMaxUnservedLines = 100;
  using OnAmbiguous = std::function<void(admin::AmbiguousRequest)>;

  RequestLog(log::ClusterLog log, bool logs_all, OnAmbiguous on_ambiguous);
  void on_request_end(const proxy::RequestRecord& request);
  void set_logs_all(bool logs_all) { logs_all_ = logs_all; }

 private:
  void log_failure(const proxy::RequestRecord& request);
  [[nodiscard]] bool admits(proxy::Outcome outcome);

  const log::ClusterLog log_;
  std::atomic<bool> logs_all_;
  const OnAmbiguous on_ambiguous_;
  std::atomic<std::int64_t> second_{0};
  std::atomic<int> lines_{0};  // of unserved requests, in that second
  std::atomic<std::int64_t> left_out_{0};
};

}  // namespace bellwether::app
