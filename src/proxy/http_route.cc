#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

constexpr int kMisdirected = 421;  // RFC 9110 section 15.5.20; Vault's clients do not send a 4xx again
constexpr int kMostSends = 64;
constexpr int kMostInitSends = 2;  // a kept connection may have ended before a byte went
constexpr Duration kFirstBackoff = 20ms;
constexpr Duration kLongestBackoff = 1s;

Duration backoff(int sends) {
  Duration wait = kFirstBackoff;
  for (int i = 1; i < sends && wait < kLongestBackoff; ++i) wait *= 2;
  return std::min(wait, kLongestBackoff);
}

}  // namespace

// What the UI asks before anybody has logged in is for the leader where there is one. So is what a cluster without a
// leader may be waiting for: to hold that would be to wait for ourselves.
cluster::RouteRequest HttpSession::route_request() const {
  cluster::RouteRequest wanted{.tried = exchange_->request.tried};
  if (exchange_->request.request_class == vault::RequestClass::kNodeLocal) {
    wanted.accepts = cluster::Accepts::kAnyNode;
  } else if (exchange_->request.request_class == vault::RequestClass::kBootstrap) {
    wanted.role = vault::role_to_bootstrap(exchange_->request.path);
    const bool is_init = wanted.role == cluster::Role::kUninitialized;
    wanted.accepts = is_init ? cluster::Accepts::kLeaderOrInit : cluster::Accepts::kLeaderOrRole;
  } else if (exchange_->request.is_ui_question) {
    wanted.accepts = cluster::Accepts::kLeaderOrAnyNode;
  }
  return wanted;
}

void HttpSession::dispatch() {
  const Worker& worker = front_.worker();
  const cluster::RouteRequest wanted = route_request();
  exchange_->request.is_for_leader = worker.is_for_leader(wanted.accepts);
  if (is_bootstrap_now()) return bootstrap(wanted);
  follow(worker.route(wanted), wanted);
}

void HttpSession::follow(const cluster::Route& route, const cluster::RouteRequest& wanted) {
  if (const auto* refuse = std::get_if<cluster::Refuse>(&route)) {
    const bool lacks_role = refuse->reason == cluster::RefuseReason::kNoNodeInRole;
    const std::string why = lacks_role
                                ? fmt::format("no leader, and no node that says {}", cluster::to_text(wanted.role))
                                : std::string("no node of the cluster that is in service answers");
    return answer_unserved(why, ended_by_node(Phase::kConnecting));
  }
  const auto node = cluster::node_of(route);
  const bool has_to_wait =
      exchange_->request.is_for_leader && (exchange_->request.sends > 0 || !front_.queue().empty());
  if (!node || has_to_wait) return hold();
  if (!exchange_->request.is_for_leader) exchange_->request.tried.push_back(*node);
  begin_attempt(*node);
}

bool HttpSession::is_bootstrap_now() const {
  return exchange_->request.request_class == vault::RequestClass::kBootstrap &&
         !front_.worker().is_for_leader(route_request().accepts);
}

void HttpSession::bootstrap(const cluster::RouteRequest& wanted) {
  if (!front_.worker().options().bootstrap) {
    constexpr std::string_view kWhy =
        "no leader, and bellwether does not choose the node that is initialized or unsealed: send this to a node's own "
        "address, or set \"bootstrap\"";
    return answer_unserved(kWhy, refused_by_us(Phase::kRequest), kMisdirected);
  }
  if (wanted.accepts == cluster::Accepts::kLeaderOrInit) return begin_init();
  follow(front_.worker().route(wanted), wanted);
}

void HttpSession::hold() {
  if (!take_hold_place()) return;
  std::exchange(exchange_->request.was_held, true) ? front_.queue().push_front(*this) : front_.queue().push_back(*this);
  state_ = State::kHeld;
  if (client_ended_ || client_->peer_state() != net::PeerState::kHere) return client_left();
  front_.warm_up();
  front_.release_soon();  // later, for the caller may be amid an answer that it reads from the scratch head
}

// False: there is no room, and what becomes of the request instead is decided.
bool HttpSession::take_hold_place() {
  auto place = HoldPlace::take(front_.worker(), shrink_buffers(), !exchange_->request.was_held);
  if (!place) {
    const bool lacks_places = place.error() == HoldPlace::Lack::kPlaces;
    refuse_hold(lacks_places ? "too many requests wait" : "the requests that wait take too much memory (hold_bytes)");
    return false;
  }
  exchange_->hold_place = std::move(*place);
  return true;
}

void HttpSession::refuse_hold(std::string_view why) {
  Worker& worker = front_.worker();
  const auto suspect = worker.target_if_hold_is_full();
  if (suspect && may_send() && !exchange_->request.awaits_mount) return begin_attempt(*suspect);
  worker.counters().hold_overflows.add();
  answer_unserved(fmt::format("{}, and {}", worker.why_held(), why), refused_by_us(Phase::kHeld));
}

void HttpSession::unhold() {
  front_.queue().remove(*this);
  const Duration held = exchange_->hold_place.end();
  exchange_->request.held += held;
  sum_.held += held;
  state_ = State::kReading;
}

// After a proof it waits for another leader, or for the same node to claim when asked after the proof; and then a while
// longer each time, for a node may go on claiming and refusing.
bool HttpSession::may_send() const {
  if (exchange_->request.sends == 0) return true;
  const auto& view = front_.worker().view();
  const bool leads_still = cluster::lead_of(*view, proved_node_) == cluster::Lead::kHas;
  if (view->epoch != proved_epoch_ && !leads_still) return true;
  const Duration waited = front_.worker().now() - proved_at_;
  const cluster::Claim& claim = front_.worker().claim();
  const bool has_claimed = claim.epoch == view->epoch && claim.asked >= proved_at_;
  return waited >= (has_claimed || again_here_ ? backoff(exchange_->request.sends) : kLongestBackoff);
}

void HttpSession::leave_hold(NodeId target) {
  BW_ASSERT(state_ == State::kHeld);
  // It may have left in this very turn, unseen.
  can_read_client_ = must_look_at_peer_ = true;
  while (state_ == State::kHeld && read_client()) {
  }
  if (state_ != State::kHeld) return;
  unhold();
  begin_attempt(target);
  pump();
}

// Nobody sends under an epoch that is over: a request of which nothing went out waits for the next view.
void HttpSession::on_fence() {
  if (exchange_ && exchange_->request.is_for_leader) undial();
}

void HttpSession::on_view() {
  if (!exchange_) return;
  if (state_ == State::kHeld && needs_no_leader()) {
    unhold();
    dispatch();
    return pump();
  }
  leave_unfit_node();
  if (!exchange_) return;
  if (is_unconfirmed() && !is_of_leader()) {
    end_unconfirmed();
    return pump();
  }
  const Worker& worker = front_.worker();
  if (exchange_->request.is_for_leader && !worker.may_still_go(cluster::Accepts::kLeader, exchange_->attempt.node))
    undial();
  end_if_hung();
}

bool HttpSession::needs_no_leader() const {
  const cluster::RouteRequest wanted = route_request();
  const Worker& worker = front_.worker();
  return !worker.is_for_leader(wanted.accepts) && !std::holds_alternative<cluster::Hold>(worker.route(wanted));
}

// Each node that carries it out becomes a cluster of its own, so at most one may.
void HttpSession::begin_init() {
  if (exchange_->request.sends >= kMostInitSends) {
    return answer_unserved("nothing was initialized: the node could not be reached", ended_by_node(Phase::kConnecting));
  }
  const auto node = front_.worker().shared().init.begin(*front_.worker().view());
  if (!node) {
    const int status = node.error().kind == ErrorKind::kUnavailable ? 503 : kMisdirected;
    return answer_unserved("nothing was initialized: " + node.error().message, refused_by_us(Phase::kRequest), status);
  }
  is_init_ = true;
  exchange_->request.tried.push_back(*node);
  begin_attempt(*node);
}

void HttpSession::end_init(InitGuard::Outcome outcome) {
  if (std::exchange(is_init_, false)) front_.worker().shared().init.end(outcome, front_.worker().now());
}

// Its node turned out to be of another cluster, or was taken out of service, before it was sent a byte.
void HttpSession::leave_unfit_node() {
  if (exchange_->request.is_for_leader || state_ != State::kExchange || exchange_->attempt.sent > 0) return;
  if (front_.worker().may_still_go(cluster::Accepts::kAnyNode, exchange_->attempt.node)) return;
  drop_upstream();
  --exchange_->request.sends;
  dispatch();
  pump();
}

void HttpSession::undial() {
  if (state_ != State::kExchange || exchange_->attempt.sent > 0) return;
  abandon_attempt();
  pump();
}

// Not a byte of it was sent.
void HttpSession::abandon_attempt() {
  drop_upstream();
  --exchange_->request.sends;
  hold();
}

// Not executed: to whoever claims to lead when asked after this.
void HttpSession::send_again(vault::Row row) {
  drop_upstream();
  exchange_->from_node.clear();
  if (!exchange_->to_node.can_rewind()) {
    return answer_unserved("the leader has changed, and the body is longer than retry_buffer, so it cannot be sent on",
                           refused_by_us(Phase::kHeaders));
  }
  if (exchange_->request.sends >= kMostSends) {
    const Phase last = exchange_->attempt.sent > 0 ? Phase::kHeaders : Phase::kConnecting;
    return answer_unserved("every node that was asked refused it", ended_by_node(last));
  }
  exchange_->to_node.rewind();
  if (!exchange_->request.is_for_leader || is_bootstrap_now()) return dispatch();
  again_here_ = vault::verdict_of(row) == vault::Verdict::kAgainHere || row == vault::Row::kNothingSent;
  proved_at_ = front_.worker().loop().precise_now();
  proved_node_ = exchange_->attempt.node;
  proved_epoch_ = exchange_->attempt.epoch;
  front_.worker().want_claim(proved_at_);
  hold();
}

}  // namespace bellwether::proxy
