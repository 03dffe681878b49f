#include "http_connection.h"
#include "http_exchange.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

bool HttpExchange::on_tick(TimePoint now) {
  const Stage before = stage();
  const int sends = exchange_.request.sends;
  look_at_times(now);
  return stage() == Stage::kAnswered || stage() != before || exchange_.request.sends != sends;
}

void HttpExchange::look_at_times(TimePoint now) {
  const bool is_idle = now - connection_->last_active() >= front_.settings_of(*connection_).timeout_idle;
  const TimePoint end_told_at = exchange_.attempt.end_told_at;
  switch (stage()) {
    case Stage::kHeld:
      return delivery_.on_hold_tick(now);
    case Stage::kAtNode:
      return look_at_node(now, is_idle);
    case Stage::kTunnel:
      if (end_told_at != kNever && now - end_told_at >= kLongestLinger) return end_tunnel();
      return is_idle ? cut_idle() : cut_stream_if_due(now);
    case Stage::kDroppingBody:
      if (now - connection_->last_active() < front_.settings_of(*connection_).timeout_header) return;
      return connection_->end(idle_timed_out(exchange_.phase()));
    case Stage::kAnswered:
      if (is_idle) cut_idle();
      return;
    case Stage::kHead:
    case Stage::kOver:
      return;
  }
}

void HttpExchange::look_at_node(TimePoint now, bool is_idle) {
  const Request& request = exchange_.request;
  const Attempt& attempt = exchange_.attempt;
  exchange_.to_node.release_if_big();
  if (attempt.is_connecting) return;
  if (is_idle && now - attempt.began >= front_.settings_of(*connection_).timeout_idle) return cut_idle();
  if (!exchange_.answer.has_begun) return delivery_.on_attempt_tick(now);
  // Below a namespace only the answer tells a stream from a secret.
  const bool has_no_end = now - attempt.began >= kSilentStream && vault::may_be_stream(request.path);
  if (request.request_class == vault::RequestClass::kStream || has_no_end) cut_stream_if_due(now);
}

void HttpExchange::cut_idle() {
  front_.worker().counters().sessions_cut_idle.add();
  cut_waiting();
}

void HttpExchange::cut_waiting() {
  const bool waits_for_client = !exchange_.to_client.empty() || !exchange_.request_body.done();
  const Phase phase = exchange_.phase();
  const EndReason reason = waits_for_client ? idle_timed_out(phase) : node_timed_out(phase);
  account_.settle(Outcome::kCut, exchange_.answer.has_begun ? exchange_.answer.status : 0, reason);
  connection_->end(reason, HttpConnection::Close::kReset);
}

// What has no end of its own must not hold up a step-down, nor stay for good where nobody leads any more.
void HttpExchange::cut_stream_if_due(TimePoint now) {
  const NodeId node = exchange_.attempt.node;
  const bool is_left_behind =
      front_.worker().cut_for(node, connection_->last_active(), now, front_.settings_of(*connection_)) != Cut::kNone;
  const bool holds_up = front_.leader_blocks(node, now);
  if (holds_up) front_.say_stream_ended(node);
  if (is_left_behind || holds_up) cut_answer(node_lost(exchange_.phase()));
}

}  // namespace bellwether::proxy
