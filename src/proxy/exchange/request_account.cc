#include "request_account.h"

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

void RequestAccount::open() {
  HttpCounters& http = *http_;
  http.requests_total.add();
  http.requests_now.add();
  exchange_.request.is_open = true;
  exchange_.request.asked = worker_.now();
}

void RequestAccount::settle(Outcome outcome, int status, EndReason reason) {
  Request& request = exchange_.request;
  if (!std::exchange(request.is_open, false)) return;
  HttpCounters& http = *http_;
  const TimePoint now = worker_.now();
  http.requests_now.subtract();
  if (request.was_held) http.held.add();
  if (outcome != Outcome::kRejected) {
    http.outcomes[static_cast<std::size_t>(outcome)].add();
    http.waiting.record(request.held);
    if (request.sends > 0) http.upstream.record(now - exchange_.attempt.began);
    http.total.record(now - request.asked);
  }
  count_status(status);
  request.outcome = outcome;
  request.status = status;
  request.end = reason;
  if (is_failure(outcome) && request.id.empty()) request.id = worker_.request_ids().next();
  request.is_untold = worker_.options().log_requests || is_failure(outcome);
}

void RequestAccount::fail(Outcome outcome, int status, std::string_view why, EndReason reason) {
  exchange_.request.why = why;
  settle(outcome, status, reason);
}

void RequestAccount::settle_unfinished(EndReason reason) {
  Request& request = exchange_.request;
  if (!request.is_open) return;
  const Answer& answer = exchange_.answer;
  const int status = answer.has_begun ? answer.status : 0;
  if (reason.who == 'C') return settle(Outcome::kClientGone, status, reason);
  if (answer.has_begun) return settle(Outcome::kCut, status, reason);
  if (request.why.empty()) request.why = "Bellwether ended the connection before the request was answered";
  const bool is_with_node = exchange_.stage() == Stage::kAtNode && exchange_.attempt.sent > 0;
  const bool may_be_executed = is_with_node || exchange_.mount_check.is_under_way();
  settle(may_be_executed ? Outcome::kAmbiguous : Outcome::kUnserved, status, reason);
}

void RequestAccount::reject(http::Reject reason, int status, EndReason end) {
  worker_.counters().rejected_requests.add();
  http_->rejected[static_cast<std::size_t>(reason)].add();
  if (exchange_.request.is_open) {
    http_->rejected_late.add();
  } else {
    open();
  }
  exchange_.request.rejected = http::to_text(reason);
  settle(Outcome::kRejected, status, end);
}

void RequestAccount::refuse(std::string_view why, int status) {
  exchange_.request.rejected = why;
  settle(Outcome::kRejected, status, refused_by_us(Phase::kRequest));
}

void RequestAccount::note_late_head(TimePoint since, int status) {
  http_->header_timeouts.add();
  count_status(status);
  Request& request = exchange_.request;
  request.asked = since;
  request.outcome = Outcome::kRejected;
  request.rejected = "header_timeout";
  request.status = status;
  request.end = idle_timed_out(Phase::kRequest);
  request.is_untold = worker_.options().log_requests;
}

void RequestAccount::count_status(int status) {
  if (status < 100 || status > 599) return;
  http_->by_status_class[static_cast<std::size_t>(status / 100 - 1)].add();
}

void RequestAccount::count_up(std::size_t bytes) {
  exchange_.request.bytes_up += bytes;
  sum_->bytes_up += bytes;
  worker_.counters().bytes_up.add(bytes);
}

void RequestAccount::count_down(std::size_t bytes) {
  exchange_.request.bytes_down += bytes;
  sum_->bytes_down += bytes;
  worker_.counters().bytes_down.add(bytes);
}

void RequestAccount::tell(std::uint16_t listener, std::string_view client) {
  Request& request = exchange_.request;
  if (!std::exchange(request.is_untold, false)) return;
  if (!worker_.shared().callbacks.on_request_end) return;
  const std::string own_address = worker_.listeners().address(listener).to_string();
  RequestRecord record;
  record.listener = own_address;
  record.client = client;
  record.method = request.method;
  if (worker_.options().log_paths) record.path = request.path;
  record.rejected = request.rejected;
  record.request_id = request.id;
  record.why = request.why;
  record.status = request.status;
  record.outcome = request.outcome;
  record.request_class = request.request_class;
  record.row = request.row;
  if (request.sends > 0 || request.names_node) {
    record.node = exchange_.attempt.node;
    record.epoch = exchange_.attempt.epoch;
  }
  record.node_name = worker_.nodes().name(record.node);
  record.sends = request.sends;
  record.held = request.held;
  record.upstream = request.upstream;
  record.total = worker_.now() - request.asked;
  record.bytes_up = request.bytes_up;
  record.bytes_down = request.bytes_down;
  record.end[0] = request.end.who;
  record.end[1] = request.end.when;
  worker_.shared().callbacks.on_request_end(record);
}

}  // namespace bellwether::proxy
