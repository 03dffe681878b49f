#include "request_log.h"

#include <chrono>
#include <utility>

#include "event_log.h"

namespace bellwether::app {

RequestLog::RequestLog(log::ClusterLog log, bool logs_all, OnAmbiguous on_ambiguous)
    : log_(std::move(log)), logs_all_(logs_all), on_ambiguous_(std::move(on_ambiguous)) {}

void RequestLog::on_request_end(const proxy::RequestRecord& request) {
  if (request.outcome == proxy::Outcome::kAmbiguous) {
    admin::AmbiguousRequest kept;
    kept.at = std::chrono::system_clock::now();
    kept.id = request.request_id;
    kept.method = request.method;
    kept.request_class = to_text(request.request_class);
    if (request.node) kept.node = request.node_name;
    kept.epoch = request.epoch;
    kept.status = request.status;
    kept.why = request.why;
    on_ambiguous_(std::move(kept));
  }
  if (logs_all_) return log_request(log_, request, log::writes_debug());
  if (proxy::is_failure(request.outcome)) log_failure(request);
}

bool RequestLog::admits(proxy::Outcome outcome) {
  if (outcome != proxy::Outcome::kUnserved) return true;
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(since_start).count();
  if (second_.exchange(now) != now) lines_ = 0;
  if (lines_.fetch_add(1) < kMaxUnservedLines) return true;
  ++left_out_;
  return false;
}

void RequestLog::log_failure(const proxy::RequestRecord& request) {
  if (!admits(request.outcome)) return;
  if (const std::int64_t left_out = left_out_.exchange(0); left_out > 0) {
    log_.warn("request_failed_left_out", {{"lines", left_out},
                                          {"why", std::string("more than 100 unserved requests in a second; "
                                                              "bellwether_http_outcomes_total counts all")}});
  }
  log_failed_request(log_, request);
}

}  // namespace bellwether::app
