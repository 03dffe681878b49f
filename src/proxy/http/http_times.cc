#include <fmt/format.h>

#include <algorithm>

#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// A stream that has nothing to tell yet has no answer head either. What merely has such a path is answered before that.
constexpr Duration kSilentStream = 1s;

}  // namespace

bool HttpExchange::on_tick(TimePoint now) {
  const Stage stage = stage_;
  const int sends = request.sends;
  look_at_times(now);
  return stage_ == Stage::kAnswered || stage_ != stage || request.sends != sends;
}

void HttpExchange::look_at_times(TimePoint now) {
  const bool is_idle = now - connection_->last_active() >= front_.worker().options().timeout_idle;
  switch (stage_) {
    case Stage::kHeld:
      return on_hold_tick(now);
    case Stage::kAtNode:
      return on_attempt_tick(now);
    case Stage::kTunnel:
      if (attempt.end_told_at != kNever && now - attempt.end_told_at >= kLongestLinger) return end_tunnel();
      return is_idle ? cut_idle() : cut_stream_if_due(now);
    case Stage::kAnswered:
      if (is_idle) cut_idle();
      return;
    case Stage::kHead:
    case Stage::kOver:
      return;
  }
}

void HttpExchange::on_hold_tick(TimePoint now) {
  const Duration most = front_.worker().options().hold_timeout_http;
  if (request.held + (now - hold_place.since()) < most) return;
  front_.worker().counters().hold_timeouts.add();
  unhold();
  answer_unserved(fmt::format("it waited for {}: {}", format_duration(most), front_.worker().why_held()),
                  node_timed_out(Phase::kHeld));
}

void HttpExchange::cut_idle() {
  front_.worker().counters().cut_idle.add();
  cut_waiting();
}

// The client does not go on with its request's body, or does not read its answer.
bool HttpExchange::waits_for_client() const {
  if (stage_ == Stage::kAnswered) return true;
  if (stage_ != Stage::kAtNode || attempt.is_connecting) return false;
  const bool awaits_body = !request_body.done() && in.empty() && to_node.unsent().empty();
  return awaits_body || !to_client.empty();
}

void HttpExchange::cut_waiting() {
  const bool waits_for_client = !to_client.empty() || !request_body.done();
  const EndReason reason = waits_for_client ? idle_timed_out(phase()) : node_timed_out(phase());
  settle(Outcome::kCut, answer.has_begun ? answer.status : 0, reason);
  connection_->abort(reason);
}

// What has no end of its own must not hold up a step-down, nor stay for good where nobody leads any more.
void HttpExchange::cut_stream_if_due(TimePoint now) {
  const bool is_left_behind = front_.worker().cut_for(attempt.node, connection_->last_active(), now) != Cut::kNone;
  const bool holds_up = front_.leader_blocks(attempt.node, now);
  if (holds_up) front_.say_stream_ended(attempt.node);
  if (is_left_behind || holds_up) cut_answer(node_lost(phase()));
}

// As above, before the answer's head.
void HttpExchange::end_silent_stream_if_due(TimePoint now) {
  const bool is_silent = attempt.all_sent_at != kNever && now - attempt.all_sent_at >= kSilentStream;
  if (!is_silent || !front_.leader_blocks(attempt.node, now)) return;
  front_.say_stream_ended(attempt.node);
  attempt_failed(vault::Failure::kTimedOut);
}

void HttpExchange::end_if_hung() {
  const bool waits = stage_ == Stage::kAtNode && !attempt.is_connecting && !answer.has_begun && !is_unconfirmed();
  if (!waits || !request.is_for_leader) return;
  const auto since = front_.worker().hung_since(attempt.node);
  if (!since || attempt.heard > *since) return;
  attempt_failed(vault::Failure::kTimedOut);
  connection_->pump();
}

void HttpExchange::on_attempt_tick(TimePoint now) {
  const ProxyOptions& options = front_.worker().options();
  to_node.release_if_big();
  if (attempt.is_connecting) return;
  if (now - connection_->last_active() >= options.timeout_idle && now - attempt.began >= options.timeout_idle) {
    return cut_idle();
  }
  if (is_unconfirmed()) {
    if (now - attempt.answered_at >= options.grace) end_unconfirmed();
    return;
  }
  const bool is_stream = request.request_class == vault::RequestClass::kStream;
  if (answer.has_begun) {
    // Below a namespace only the answer tells a stream from a secret.
    const bool has_no_end = now - attempt.began >= kSilentStream && vault::may_be_stream(request.path);
    if (is_stream || has_no_end) cut_stream_if_due(now);
    return;
  }
  if (is_stream) {
    end_silent_stream_if_due(now);
    if (stage_ != Stage::kAtNode) return;
  }
  const Standing standing = front_.worker().nodes().standing(attempt.node);
  const bool is_replaced = request.is_for_leader && standing != Standing::kKeep &&
                           cluster::lead_of(*front_.worker().view(), attempt.node) == cluster::Lead::kTaken;
  const TimePoint silent_since =
      std::max({attempt.active, attempt.began, front_.worker().nodes().standing_since(attempt.node)});
  const bool is_past_grace = is_replaced && now - silent_since >= options.grace;
  const bool is_late =
      attempt.all_sent_at != kNever && !is_stream && now - attempt.all_sent_at >= options.timeout_answer;
  if (!is_past_grace && !is_late) return;
  attempt_failed(vault::Failure::kTimedOut);
}

}  // namespace bellwether::proxy
