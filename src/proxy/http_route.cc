#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

constexpr int kMisdirected = 421;  // RFC 9110 section 15.5.20; Vault's clients do not send a 4xx again
constexpr int kMostSends = 64;
constexpr Duration kFirstBackoff = 20ms;
constexpr Duration kLongestBackoff = 1s;

Duration backoff(int sends) {
  Duration wait = kFirstBackoff;
  for (int i = 1; i < sends && wait < kLongestBackoff; ++i) wait *= 2;
  return std::min(wait, kLongestBackoff);
}

}  // namespace

void HttpSession::dispatch() {
  Worker& worker = front_.worker();
  request_.is_for_leader = false;
  if (request_.request_class == vault::RequestClass::kNodeLocal) return ask_any_node();
  if (is_bootstrap_now()) return bootstrap();
  request_.is_for_leader = true;
  const auto target = worker.target();
  if (target && request_.sends == 0 && front_.queue().empty()) return begin_attempt(*target);
  hold();
}

void HttpSession::ask_any_node() {
  const auto target = front_.worker().target();
  const bool asks_leader = target && request_.tried.empty();
  const auto node = asks_leader ? target : front_.any_node(request_.tried);
  if (!node) return answer_unserved("no node answers", ended_by_node(Phase::kConnecting));
  request_.tried.push_back(*node);
  begin_attempt(*node);
}

// Where somebody leads, the leader answers this as it answers anything. Where nobody does, it may be what a leader is
// waiting for: to hold it would be to wait for ourselves.
bool HttpSession::is_bootstrap_now() const {
  return request_.request_class == vault::RequestClass::kBootstrap && front_.worker().is_leaderless();
}

void HttpSession::bootstrap() {
  if (!front_.worker().options().bootstrap) {
    drop_upstream();
    settle(Outcome::kUnserved, kMisdirected, refused_by_us(Phase::kRequest));
    return respond(kMisdirected,
                   "no leader, and bellwether does not choose the node that is initialized or unsealed: send this to a "
                   "node's own address, or set \"bootstrap\"",
                   true);
  }
  const cluster::Role role = vault::role_to_bootstrap(request_.path);
  const auto node = front_.node_that_says(role, request_.tried);
  if (!node) {
    return answer_unserved(fmt::format("no leader, and no node that says {}", cluster::to_text(role)),
                           ended_by_node(Phase::kConnecting));
  }
  request_.tried.push_back(*node);
  begin_attempt(*node);
}

void HttpSession::hold() {
  Worker& worker = front_.worker();
  if (!worker.shared().held.try_acquire()) {
    const auto suspect = worker.suspect_leader();
    if (suspect && may_send() && !request_.awaits_mount) return begin_attempt(*suspect);
    worker.counters().hold_overflows.add();
    return answer_unserved(fmt::format("{}, and too many requests wait", worker.why_held()),
                           refused_by_us(Phase::kHeld));
  }
  if (std::exchange(request_.was_held, true)) {
    front_.queue().push_front(*this);
  } else {
    front_.queue().push_back(*this);
    worker.counters().held_total.add();
  }
  worker.counters().held_now.add();
  hold_since_ = worker.now();
  state_ = State::kHeld;
  if (client_ended_) return client_left();
  front_.warm_up();
  front_.release();
}

void HttpSession::unhold() {
  front_.queue().remove(*this);
  const Duration held = front_.worker().end_hold(hold_since_);
  request_.held += held;
  sum_.held += held;
  state_ = State::kReading;
}

// After a proof it waits for another leader, or for the same node to claim when asked after the proof; and then a while
// longer each time, for a node may go on claiming and refusing.
bool HttpSession::may_send() const {
  if (request_.sends == 0) return true;
  const auto& view = front_.worker().view();
  if (view->epoch != proved_epoch_ && view->leader != proved_node_) return true;
  const Duration waited = front_.worker().now() - proved_at_;
  const cluster::Claim& claim = front_.worker().claim();
  const bool has_claimed = claim.epoch == view->epoch && claim.asked >= proved_at_;
  return waited >= (has_claimed || again_here_ ? backoff(request_.sends) : kLongestBackoff);
}

void HttpSession::leave_hold(NodeId target) {
  BW_ASSERT(state_ == State::kHeld);
  // It may have left in this very turn, unseen.
  can_read_client_ = true;
  while (state_ == State::kHeld && read_client()) {
  }
  if (state_ != State::kHeld) return;
  unhold();
  begin_attempt(target);
  pump();
}

// Nobody sends under an epoch that is over: a request of which nothing went out waits for the next view.
void HttpSession::on_fence() {
  if (request_.is_for_leader) undial();
}

void HttpSession::on_view() {
  if (state_ == State::kHeld && is_bootstrap_now()) {
    unhold();
    dispatch();
    return pump();
  }
  if (is_unconfirmed() && !is_of_leader()) {
    end_unconfirmed();
    return pump();
  }
  if (request_.is_for_leader && front_.worker().may_not_reach(attempt_.node)) undial();
}

void HttpSession::undial() {
  if (state_ != State::kExchange || !attempt_.is_connecting) return;
  drop_upstream();
  --request_.sends;
  hold();
  pump();
}

// Not executed: to whoever claims to lead when asked after this.
void HttpSession::send_again(vault::Row row) {
  drop_upstream();
  from_node_.clear();
  if (!to_node_.can_rewind()) {
    return answer_unserved("not executed: the leader has changed, and the body is too big to be sent again",
                           refused_by_us(Phase::kHeaders));
  }
  if (request_.sends >= kMostSends) {
    const Phase last = attempt_.sent > 0 ? Phase::kHeaders : Phase::kConnecting;
    return answer_unserved("not executed: every node that was asked refused it", ended_by_node(last));
  }
  to_node_.rewind();
  if (!request_.is_for_leader || is_bootstrap_now()) return dispatch();
  again_here_ = vault::verdict_of(row) == vault::Verdict::kAgainHere || row == vault::Row::kNothingSent;
  proved_at_ = front_.worker().loop().precise_now();
  proved_node_ = attempt_.node;
  proved_epoch_ = attempt_.epoch;
  front_.worker().want_claim(proved_at_);
  hold();
}

}  // namespace bellwether::proxy
