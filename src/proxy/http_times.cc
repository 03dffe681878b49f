#include <fmt/format.h>

#include <algorithm>

#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

constexpr Duration kLongestLinger = 2s;
// A stream that has nothing to tell yet has no answer head either. What merely has such a path is answered before that.
constexpr Duration kSilentStream = 1s;
constexpr Duration kGoodbyeAfter = 1s;

}  // namespace

void HttpSession::on_tick(TimePoint now) {
  look_at_times(now);
  if (state_ == State::kFlushing) pump();
}

// A connection that is idle between requests may be closed at any time (RFC 9112 9.3.1). Whoever has just been answered
// probably asks again, and what has come in this very turn is unseen.
bool HttpSession::send_away_if_idle(TimePoint now) {
  const auto is_idle = [this] { return state_ == State::kReading && unread_bytes() == 0 && client_->is_open(); };
  if (!is_idle() || now - last_active_ < kGoodbyeAfter) return false;
  can_read_client_ = true;
  pump();
  if (!is_idle()) return false;
  linger(ended_by_us(Phase::kRequest));
  return true;
}

void HttpSession::look_at_times(TimePoint now) {
  const ProxyOptions& options = front_.worker().options();
  const bool is_idle = now - last_active_ >= options.timeout_idle;
  switch (state_) {
    case State::kReading:
      if (unread_bytes() > 0 && now - header_since_ >= options.timeout_header) {
        return refuse_late_head();
      }
      if (is_silent() && client_->is_open() && now - last_active_ >= options.timeout_header) {
        front_.worker().counters().cut_no_first_byte.add();
        return end(idle_timed_out(Phase::kRequest));
      }
      if (is_idle) end(idle_timed_out(Phase::kRequest));
      return;
    case State::kHeld:
      if (exchange_->request.held + (now - exchange_->hold_place.since()) < options.hold_timeout_http) return;
      front_.worker().counters().hold_timeouts.add();
      unhold();
      return answer_unserved(
          fmt::format("it waited for {}: {}", format_duration(options.hold_timeout_http), front_.worker().why_held()),
          node_timed_out(Phase::kHeld));
    case State::kExchange:
      return on_exchange_tick(now);
    case State::kFlushing:
      if (is_idle) cut_idle();
      return;
    case State::kTunnel:
      if (node_knows_of_end_ && now - linger_since_ >= kLongestLinger) return end_tunnel();
      return is_idle ? cut_idle() : cut_stream_if_due(now);
    case State::kLinger:
      if (now - linger_since_ >= kLongestLinger) end(linger_reason_);
      return;
    case State::kEnded:
      return;
  }
}

void HttpSession::cut_idle() {
  front_.worker().counters().cut_idle.add();
  cut_waiting();
}

// It has never asked for anything.
bool HttpSession::is_silent() const { return state_ == State::kReading && unread_bytes() == 0 && !has_asked_; }

// The client does not go on with its request's body, or does not read its answer.
bool HttpSession::waits_for_client() const {
  if (state_ == State::kFlushing) return true;
  if (state_ != State::kExchange || exchange_->attempt.is_connecting) return false;
  const bool awaits_body =
      !exchange_->request_body.done() && exchange_->in.empty() && exchange_->to_node.unsent().empty();
  return awaits_body || !exchange_->to_client.empty();
}

void HttpSession::collect_idle(std::vector<wire::IdleConnection>& into) {
  using wire::Idleness;
  const auto add = [&](Idleness idleness, TimePoint since) {
    into.push_back({idleness, since, [this] { return make_room(); }});
  };
  if (waits_for_client()) return add(Idleness::kStuck, last_active_);
  if (state_ != State::kReading) return;
  if (!client_->is_open()) return add(Idleness::kUnfinished, started_);
  if (unread_bytes() > 0) return add(Idleness::kUnfinished, header_since_);
  add(is_silent() ? Idleness::kSilent : Idleness::kBetween, last_active_);
}

bool HttpSession::make_room() {
  // What has come in this very turn is unseen.
  if (state_ == State::kReading && client_->is_open()) {
    const std::size_t had = unread_bytes();
    can_read_client_ = true;
    pump();
    if (state_ != State::kReading || unread_bytes() > had) return false;
  }
  if (state_ != State::kReading && !waits_for_client()) return false;  // it has gone on meanwhile
  front_.worker().counters().cut_for_room.add();
  state_ == State::kReading ? end(idle_timed_out(Phase::kRequest)) : cut_waiting();
  return true;
}

void HttpSession::cut_waiting() {
  const bool waits_for_client = !exchange_->to_client.empty() || !exchange_->request_body.done();
  const EndReason reason = waits_for_client ? idle_timed_out(phase()) : node_timed_out(phase());
  settle(Outcome::kCut, exchange_->answer.has_begun ? exchange_->answer.status : 0, reason);
  client_->abort();
  end(reason);
}

// What has no end of its own must not hold up a step-down, nor stay for good where nobody leads any more.
void HttpSession::cut_stream_if_due(TimePoint now) {
  const bool is_left_behind = front_.worker().cut_for(exchange_->attempt.node, last_active_, now) != Cut::kNone;
  const bool holds_up = front_.leader_blocks(exchange_->attempt.node, now);
  if (holds_up) front_.say_stream_ended(exchange_->attempt.node);
  if (is_left_behind || holds_up) cut_answer(node_lost(phase()));
}

// As above, before the answer's head.
void HttpSession::end_silent_stream_if_due(TimePoint now) {
  const bool is_silent = request_sent_at_ != kNever && now - request_sent_at_ >= kSilentStream;
  if (!is_silent || !front_.leader_blocks(exchange_->attempt.node, now)) return;
  front_.say_stream_ended(exchange_->attempt.node);
  attempt_failed(vault::Failure::kTimedOut);
}

void HttpSession::end_if_hung() {
  const bool waits = state_ == State::kExchange && !exchange_->attempt.is_connecting && !exchange_->answer.has_begun &&
                     !is_unconfirmed();
  if (!waits || !exchange_->request.is_for_leader) return;
  const auto since = front_.worker().hung_since(exchange_->attempt.node);
  if (!since || exchange_->attempt.heard > *since) return;
  attempt_failed(vault::Failure::kTimedOut);
  pump();
}

void HttpSession::on_exchange_tick(TimePoint now) {
  const ProxyOptions& options = front_.worker().options();
  exchange_->to_node.release_if_big();
  if (exchange_->attempt.is_connecting) return;
  if (now - last_active_ >= options.timeout_idle && now - exchange_->attempt.began >= options.timeout_idle) {
    return cut_idle();
  }
  if (is_unconfirmed()) {
    if (now - answered_at_ >= options.grace) end_unconfirmed();
    return;
  }
  const bool is_stream = exchange_->request.request_class == vault::RequestClass::kStream;
  if (exchange_->answer.has_begun) {
    // Below a namespace only the answer tells a stream from a secret.
    const bool has_no_end =
        now - exchange_->attempt.began >= kSilentStream && vault::may_be_stream(exchange_->request.path);
    if (is_stream || has_no_end) cut_stream_if_due(now);
    return;
  }
  if (is_stream) {
    end_silent_stream_if_due(now);
    if (state_ != State::kExchange) return;
  }
  const Standing standing = front_.worker().standing(exchange_->attempt.node);
  const bool is_replaced = exchange_->request.is_for_leader && standing != Standing::kKeep &&
                           cluster::lead_of(*front_.worker().view(), exchange_->attempt.node) == cluster::Lead::kTaken;
  const TimePoint silent_since = std::max(
      {exchange_->attempt.active, exchange_->attempt.began, front_.worker().standing_since(exchange_->attempt.node)});
  const bool is_past_grace = is_replaced && now - silent_since >= options.grace;
  const bool is_late = request_sent_at_ != kNever && !is_stream && now - request_sent_at_ >= options.timeout_answer;
  if (!is_past_grace && !is_late) return;
  attempt_failed(vault::Failure::kTimedOut);
}

}  // namespace bellwether::proxy
