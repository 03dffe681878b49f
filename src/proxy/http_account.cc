#include <algorithm>
#include <utility>

#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

constexpr int kRequestTimeout = 408;

}  // namespace

void HttpSession::open_account() {
  HttpCounters& http = front_.worker().counters().http;
  http.requests_total.add();
  http.requests_now.add();
  request_.was_held = false;
  request_.is_open = true;
  request_.sends = 0;
  request_.request_class = vault::RequestClass::kData;
  request_.asked = front_.worker().now();
  request_.held = {};
  request_.rejected = {};
  request_.id.clear();
  request_.why.clear();
  request_.row.reset();
  request_.upstream.reset();
  request_.bytes_up = request_.bytes_down = 0;
}

void HttpSession::settle(Outcome outcome, int status, EndReason reason) {
  if (!std::exchange(request_.is_open, false)) return;
  HttpCounters& http = front_.worker().counters().http;
  const TimePoint now = front_.worker().now();
  http.requests_now.subtract();
  if (request_.was_held) http.held.add();
  if (outcome != Outcome::kRejected) {
    http.outcomes[static_cast<std::size_t>(outcome)].add();
    http.waiting.record(request_.held);
    if (request_.sends > 0) http.upstream.record(now - attempt_.began);
    http.total.record(now - request_.asked);
  }
  count_status(status);
  request_.outcome = outcome;
  request_.status = status;
  request_.end = reason;
  if (is_failure(outcome) && request_.id.empty()) request_.id = front_.worker().request_ids().next();
  request_.is_untold = front_.worker().options().log_requests || is_failure(outcome);
}

// Before the client's answer is written: it names the id.
void HttpSession::fail_request(Outcome outcome, int status, std::string_view why, EndReason reason) {
  request_.why = why;
  settle(outcome, status, reason);
}

// The connection ends before the request has: who left, or whether we did, decides what to call it.
void HttpSession::settle_unfinished(EndReason reason) {
  const int status = answer_.has_begun ? answer_.status : 0;
  if (reason.who == 'C') return settle(Outcome::kClientGone, status, reason);
  if (answer_.has_begun) return settle(Outcome::kCut, status, reason);
  if (request_.why.empty()) request_.why = "Bellwether ended the connection before the request was answered";
  const bool may_be_executed = (state_ == State::kExchange && attempt_.sent > 0) || request_.awaits_mount;
  settle(may_be_executed ? Outcome::kAmbiguous : Outcome::kUnserved, status, reason);
}

// Why we answer as for an ambiguous row.
EndReason HttpSession::reason_of(vault::Row row) const {
  const bool was_silent = row == vault::Row::kNoAnswer;
  if (was_silent && front_.worker().standing(attempt_.node) != Standing::kKeep) return node_lost(Phase::kHeaders);
  if (was_silent) return node_timed_out(Phase::kHeaders);
  const bool was_cut = row == vault::Row::kCut || row == vault::Row::kCutInAnswer;
  return was_cut ? ended_by_node(Phase::kHeaders) : refused_by_us(Phase::kHeaders);
}

// A node that answers what only the leader can is alive; what any node answers for itself says nothing of its state.
void HttpSession::note_alive() {
  if (!request_.is_for_leader || request_sent_at_ == kNever) return;
  const auto ns = [](TimePoint at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); };
  NodeCounters& slot = front_.worker().node_counters(attempt_.node);
  slot.answered_request_ns.set(std::max(slot.answered_request_ns.get(), ns(request_sent_at_)));
  slot.last_answer_ns.set(ns(front_.worker().now()));
}

// The node that its request has been waiting for, for long.
std::optional<NodeId> HttpSession::waits_long_for(TimePoint now) const {
  const bool waits = state_ == State::kExchange && request_.request_class == vault::RequestClass::kData &&
                     !answer_.has_begun && !is_unconfirmed() && request_sent_at_ != kNever;
  if (!waits || now - request_sent_at_ < kWaitingLong) return std::nullopt;
  return attempt_.node;
}

void HttpSession::count_status(int status) {
  if (status < 100 || status > 599) return;
  front_.worker().counters().http.by_status_class[static_cast<std::size_t>(status / 100 - 1)].add();
}

void HttpSession::count_up(std::size_t bytes) {
  request_.bytes_up += bytes;
  sum_.bytes_up += bytes;
  front_.worker().counters().bytes_up.add(bytes);
}

void HttpSession::count_down(std::size_t bytes) {
  request_.bytes_down += bytes;
  sum_.bytes_down += bytes;
  front_.worker().counters().bytes_down.add(bytes);
}

// No request was made, so none is counted; but it was answered, and the log says so.
void HttpSession::refuse_late_head() {
  front_.worker().counters().http.header_timeouts.add();
  count_status(kRequestTimeout);
  request_ = {};
  request_.asked = header_since_;
  request_.outcome = Outcome::kRejected;
  request_.rejected = "header_timeout";
  request_.status = kRequestTimeout;
  request_.end = idle_timed_out(Phase::kRequest);
  request_.is_untold = front_.worker().options().log_requests;
  respond(kRequestTimeout, "the request's head took too long", false);
}

void HttpSession::tell_request() {
  if (!std::exchange(request_.is_untold, false)) return;
  const Worker& worker = front_.worker();
  if (!worker.shared().callbacks.on_request_end) return;
  const std::string listener = worker.shared().own_addresses[listener_].to_string();
  RequestRecord record;
  record.listener = listener;
  record.client = client_name_;
  record.method = request_.method;
  if (worker.options().log_paths) record.path = request_.path;
  record.rejected = request_.rejected;
  record.request_id = request_.id;
  record.why = request_.why;
  record.status = request_.status;
  record.outcome = request_.outcome;
  record.request_class = request_.request_class;
  record.row = request_.row;
  if (request_.sends > 0) {
    record.node = attempt_.node;
    record.epoch = attempt_.epoch;
  }
  record.sends = request_.sends;
  record.held = request_.held;
  record.upstream = request_.upstream;
  record.total = worker.now() - request_.asked;
  record.bytes_up = request_.bytes_up;
  record.bytes_down = request_.bytes_down;
  record.end[0] = request_.end.who;
  record.end[1] = request_.end.when;
  worker.shared().callbacks.on_request_end(record);
}

void HttpSession::tell_session(EndReason reason) {
  const Worker& worker = front_.worker();
  if (!worker.options().log_sessions || !worker.shared().callbacks.on_session_end) return;
  SessionRecord record;
  record.listener = worker.shared().own_addresses[listener_].to_string();
  record.client = client_name_;
  if (sum_.has_node) {
    record.node = attempt_.node;
    record.epoch = attempt_.epoch;
  }
  record.held = sum_.held;
  record.connecting = sum_.connecting;
  record.total = worker.now() - started_;
  record.bytes_up = sum_.bytes_up;
  record.bytes_down = sum_.bytes_down;
  record.end[0] = reason.who;
  record.end[1] = reason.when;
  worker.shared().callbacks.on_session_end(record);
}

Phase HttpSession::phase() const {
  switch (state_) {
    case State::kReading:
      return Phase::kRequest;
    case State::kHeld:
      return Phase::kHeld;
    case State::kExchange:
      if (attempt_.is_connecting) return Phase::kConnecting;
      return answer_.has_begun ? Phase::kRelaying : Phase::kHeaders;
    case State::kTunnel:
      return Phase::kRelaying;
    case State::kFlushing:
    case State::kLinger:
    case State::kEnded:
      return Phase::kLastData;
  }
  return Phase::kLastData;
}

}  // namespace bellwether::proxy
