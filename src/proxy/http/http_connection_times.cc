#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr Duration kGoodbyeAfter = 1s;

}  // namespace

bool HttpConnection::is_reading() const {
  return state_ == State::kOpen && (!exchange_ || exchange_->stage() == Stage::kHead);
}

void HttpConnection::on_tick(TimePoint now) {
  if (state_ == State::kLinger && now - linger_since_ >= kLongestLinger) return end(linger_reason_);
  if (state_ != State::kOpen) return;
  if (is_reading() ? look_at_reading(now) : exchange_->on_tick(now)) pump();
}

bool HttpConnection::look_at_reading(TimePoint now) {
  const SessionSettings& options = front_.settings_of(*this);
  if (unread_bytes() > 0 && now - header_since_ >= options.timeout_header) {
    exchange_->refuse_late_head(header_since_);
    return true;
  }
  const bool lacks_first_byte = idleness() == wire::Idleness::kSilent && now - last_active_ >= options.timeout_header;
  if (lacks_first_byte) front_.worker().counters().sessions_cut_no_first_byte.add();
  if (lacks_first_byte || now - last_active_ >= options.timeout_idle) end(idle_timed_out(Phase::kRequest));
  return false;
}

// A connection that is idle between requests may be closed at any time (RFC 9112 9.3.1). Whoever has just been answered
// probably asks again, and what has come in this very turn is unseen.
bool HttpConnection::send_away_if_idle(TimePoint now) {
  if (answered_by_ == AnsweredBy::kResponder && has_asked_) return false;  // shutting down does not wait for it
  const auto is_idle = [this] { return is_reading() && unread_bytes() == 0 && client_->is_open(); };
  if (!is_idle() || now - last_active_ < kGoodbyeAfter) return false;
  can_read_ = true;
  pump();
  if (!is_idle()) return false;
  linger(ended_by_us(Phase::kRequest));
  return true;
}

std::optional<wire::Idleness> HttpConnection::idleness() const {
  using wire::Idleness;
  if (is_reading()) {
    if (!client_->is_open() || unread_bytes() > 0) return Idleness::kUnfinished;
    return has_asked_ ? Idleness::kBetween : Idleness::kSilent;
  }
  const bool is_open = state_ == State::kOpen;
  const bool is_answered = is_open ? exchange_->state().has_only_body_to_come() : state_ == State::kLinger;
  if (is_answered && answered_by_ == AnsweredBy::kResponder) return Idleness::kAnswered;
  if (is_open && exchange_->state().waits_for_client()) return Idleness::kStuck;
  return std::nullopt;
}

void HttpConnection::collect_idle(std::vector<wire::IdleConnection>& into) {
  const auto waits_for = idleness();
  if (!waits_for) return;
  TimePoint since = last_active_;
  if (*waits_for == wire::Idleness::kUnfinished) since = client_->is_open() ? header_since_ : started_;
  into.push_back({*waits_for, since, [this] { return make_room(); }});
}

bool HttpConnection::make_room() {
  // What has come in this very turn is unseen.
  if (is_reading() && client_->is_open()) {
    const std::size_t had = unread_bytes();
    can_read_ = true;
    pump();
    if (!is_reading() || unread_bytes() > had) return false;
  }
  const auto waits_for = idleness();
  if (!waits_for) return false;  // it has gone on meanwhile
  front_.worker().counters().sessions_cut_for_room.add();
  if (*waits_for == wire::Idleness::kStuck) {
    exchange_->cut_waiting();
  } else {
    end(state_ == State::kLinger ? linger_reason_ : idle_timed_out(phase()));
  }
  return true;
}

}  // namespace bellwether::proxy
