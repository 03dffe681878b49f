#include <algorithm>
#include <utility>

#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr int kRequestTimeout = 408;

}  // namespace

void HttpExchange::open_account() {
  HttpCounters& http = front_.worker().counters().http;
  http.requests_total.add();
  http.requests_now.add();
  request.is_open = true;
  request.asked = front_.worker().now();
}

void HttpExchange::settle(Outcome outcome, int status, EndReason reason) {
  if (!std::exchange(request.is_open, false)) return;
  HttpCounters& http = front_.worker().counters().http;
  const TimePoint now = front_.worker().now();
  http.requests_now.subtract();
  if (request.was_held) http.held.add();
  if (outcome != Outcome::kRejected) {
    http.outcomes[static_cast<std::size_t>(outcome)].add();
    http.waiting.record(request.held);
    if (request.sends > 0) http.upstream.record(now - attempt.began);
    http.total.record(now - request.asked);
  }
  count_status(status);
  request.outcome = outcome;
  request.status = status;
  request.end = reason;
  if (is_failure(outcome) && request.id.empty()) request.id = front_.worker().request_ids().next();
  request.is_untold = front_.worker().options().log_requests || is_failure(outcome);
}

// Before the client's answer is written: it names the id.
void HttpExchange::fail_request(Outcome outcome, int status, std::string_view why, EndReason reason) {
  request.why = why;
  settle(outcome, status, reason);
}

// The connection ends before the request has: who left, or whether we did, decides what to call it.
void HttpExchange::settle_unfinished(EndReason reason) {
  if (!request.is_open) return;
  const int status = answer.has_begun ? answer.status : 0;
  if (reason.who == 'C') return settle(Outcome::kClientGone, status, reason);
  if (answer.has_begun) return settle(Outcome::kCut, status, reason);
  if (request.why.empty()) request.why = "Bellwether ended the connection before the request was answered";
  const bool may_be_executed = (stage_ == Stage::kAtNode && attempt.sent > 0) || mount_check.is_under_way();
  settle(may_be_executed ? Outcome::kAmbiguous : Outcome::kUnserved, status, reason);
}

// Why we answer as for an ambiguous row.
EndReason HttpExchange::reason_of(vault::Row row) const {
  const bool was_silent = row == vault::Row::kNoAnswer;
  if (was_silent && front_.worker().nodes().standing(attempt.node) != Standing::kKeep)
    return node_lost(Phase::kHeaders);
  if (was_silent) return node_timed_out(Phase::kHeaders);
  const bool was_cut = row == vault::Row::kCut || row == vault::Row::kCutInAnswer;
  return was_cut ? ended_by_node(Phase::kHeaders) : refused_by_us(Phase::kHeaders);
}

// A node that answers what only the leader can is alive; what any node answers for itself says nothing of its state.
void HttpExchange::note_alive() {
  if (!request.is_for_leader || attempt.all_sent_at == kNever) return;
  const auto ns = [](TimePoint at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); };
  NodeCounters& slot = front_.worker().nodes().counters(attempt.node);
  slot.answered_request_ns.set(std::max(slot.answered_request_ns.get(), ns(attempt.all_sent_at)));
  slot.last_answer_ns.set(ns(attempt.heard));
}

// The node that its request has been waiting for, for long.
std::optional<NodeId> HttpExchange::waits_long_for(TimePoint now) const {
  const bool waits = stage_ == Stage::kAtNode && request.request_class == vault::RequestClass::kData &&
                     !answer.has_begun && !is_unconfirmed() && attempt.all_sent_at != kNever;
  if (!waits || now - attempt.all_sent_at < kWaitingLong) return std::nullopt;
  return attempt.node;
}

void HttpExchange::count_status(int status) {
  if (status < 100 || status > 599) return;
  front_.worker().counters().http.by_status_class[static_cast<std::size_t>(status / 100 - 1)].add();
}

void HttpExchange::count_up(std::size_t bytes) {
  request.bytes_up += bytes;
  connection_->sum().bytes_up += bytes;
  front_.worker().counters().bytes_up.add(bytes);
}

void HttpExchange::count_down(std::size_t bytes) {
  request.bytes_down += bytes;
  connection_->sum().bytes_down += bytes;
  front_.worker().counters().bytes_down.add(bytes);
}

// No request was made, so none is counted; but it was answered, and the log says so.
void HttpExchange::refuse_late_head(TimePoint since) {
  front_.worker().counters().http.header_timeouts.add();
  count_status(kRequestTimeout);
  request.asked = since;
  request.outcome = Outcome::kRejected;
  request.rejected = "header_timeout";
  request.status = kRequestTimeout;
  request.end = idle_timed_out(Phase::kRequest);
  request.is_untold = front_.worker().options().log_requests;
  respond(kRequestTimeout, "the request's head took too long", false);
}

void HttpExchange::tell() {
  if (!std::exchange(request.is_untold, false)) return;
  const WorkerCore& worker = front_.worker();
  if (!worker.shared().callbacks.on_request_end) return;
  const std::string listener = worker.shared().own_addresses[connection_->listener()].to_string();
  RequestRecord record;
  record.listener = listener;
  record.client = connection_->client_name();
  record.method = request.method;
  if (worker.options().log_paths) record.path = request.path;
  record.rejected = request.rejected;
  record.request_id = request.id;
  record.why = request.why;
  record.status = request.status;
  record.outcome = request.outcome;
  record.request_class = request.request_class;
  record.row = request.row;
  if (request.sends > 0) {
    record.node = attempt.node;
    record.epoch = attempt.epoch;
  }
  record.node_name = worker.nodes().name(record.node);
  record.sends = request.sends;
  record.held = request.held;
  record.upstream = request.upstream;
  record.total = worker.now() - request.asked;
  record.bytes_up = request.bytes_up;
  record.bytes_down = request.bytes_down;
  record.end[0] = request.end.who;
  record.end[1] = request.end.when;
  worker.shared().callbacks.on_request_end(record);
}

Phase HttpExchange::phase() const {
  switch (stage_) {
    case Stage::kHead:
      return Phase::kRequest;
    case Stage::kHeld:
      return Phase::kHeld;
    case Stage::kAtNode:
      if (attempt.is_connecting) return Phase::kConnecting;
      return answer.has_begun ? Phase::kRelaying : Phase::kHeaders;
    case Stage::kTunnel:
      return Phase::kRelaying;
    case Stage::kAnswered:
    case Stage::kOver:
      return Phase::kLastData;
  }
  return Phase::kLastData;
}

}  // namespace bellwether::proxy
