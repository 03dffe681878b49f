#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "bellwether/base/assert.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/backoff.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr int kMostSends = 64;

}  // namespace

Delivery::Delivery(HttpFront& front, Exchange& exchange, RequestAccount& account, DeliveryUser& user)
    : front_(front),
      exchange_(exchange),
      account_(account),
      user_(user),
      destination_(front.worker(), exchange.request),
      claim_wait_(front.worker(), exchange, *this),
      sent_{front.worker(),          front.node_connections(), front.mounts(),
            front.request_scratch(), exchange.to_node,         exchange.request.path} {}

void Delivery::dispatch() {
  const Destination::Choice choice = destination_.choose_next(!front_.queue().empty());
  if (const auto* node = std::get_if<Destination::Node>(&choice)) return begin_attempt(node->id);
  if (std::holds_alternative<Destination::Wait>(choice)) return hold();
  const auto& nobody = std::get<Destination::Nobody>(choice);
  give_up(nobody.why, nobody.reason, nobody.status);
}

void Delivery::hold() {
  if (!take_hold_place()) return;
  WaitQueue& queue = front_.queue_of(exchange_.request);
  std::exchange(exchange_.request.was_held, true) ? queue.push_front(*this) : queue.push_back(*this);
  exchange_.become(Stage::kHeld);
  const bool has_left = connection_->has_client_ended() || connection_->peer_state() != net::PeerState::kHere;
  if (has_left) return connection_->client_left();
  if (!exchange_.request.target) front_.warm_up();
  front_.release_soon();  // later, for the caller may be amid an answer that it reads from the scratch head
}

// False: there is no room, and what becomes of the request instead is decided.
bool Delivery::take_hold_place() {
  WorkerCore& worker = front_.worker();
  auto place = HoldPlace::take(worker, exchange_.shrink(), !exchange_.request.was_held);
  if (place) {
    exchange_.hold_place = std::move(*place);
    return true;
  }
  const auto suspect = worker.target_if_hold_is_full();
  if (suspect && may_send() && !exchange_.mount_check.is_under_way()) {
    exchange_.request.target ? user_.answer_for(*suspect) : begin_attempt(*suspect);
    return false;
  }
  worker.counters().hold_overflows.add();
  const std::string_view why = place.error() == HoldPlace::Lack::kPlaces
                                   ? "too many requests wait"
                                   : "the requests that wait take too much memory (hold_bytes)";
  give_up(fmt::format("{}, and {}", worker.why_held(), why), refused_by_us(Phase::kHeld));
  return false;
}

void Delivery::on_hold_tick(TimePoint now) {
  const Duration most = front_.settings_of(*connection_).hold_timeout_http;
  if (exchange_.request.held + (now - exchange_.hold_place.since()) < most) return;
  front_.worker().counters().hold_timeouts.add();
  unhold();
  give_up(fmt::format("it waited for {}: {}", format_duration(most), front_.worker().why_held()),
          node_timed_out(Phase::kHeld));
}

void Delivery::give_up(std::string_view why, EndReason reason, int status) {
  if (exchange_.mount_check.is_under_way()) return answer_maybe_acted();
  drop_upstream();
  user_.answer_unserved(why, reason, status);
}

void Delivery::unhold() {
  front_.queue_of(exchange_.request).remove(*this);
  const Duration held = exchange_.hold_place.end();
  exchange_.request.held += held;
  account_.sum().held += held;
  exchange_.become(Stage::kHead);
}

// After a proof it waits for another leader, or for the same node to claim when asked after the proof; and then a while
// longer each time, for a node may go on claiming and refusing.
bool Delivery::may_send() const {
  if (exchange_.request.sends == 0) return true;
  const auto& view = front_.worker().view();
  const bool leads_still = cluster::lead_of(*view, exchange_.proof.node) == cluster::Lead::kHas;
  if (view->epoch != exchange_.proof.epoch && !leads_still) return true;
  const Duration waited = front_.worker().now() - exchange_.proof.at;
  const cluster::Claim& claim = front_.worker().clearance().claim();
  const bool has_claimed = claim.epoch == view->epoch && claim.asked >= exchange_.proof.at;
  return waited >= (has_claimed || exchange_.proof.is_for_same_node ? exchange_.proof.pause : kLongestBackoff);
}

void Delivery::leave_hold(NodeId target) {
  BW_ASSERT(exchange_.stage() == Stage::kHeld);
  if (!connection_->stays_held()) return;
  unhold();
  exchange_.request.target ? user_.answer_for(target) : begin_attempt(target);
  (void)user_.pump();
}

// Nobody sends under an epoch that is over: a request of which nothing went out waits for the next view.
void Delivery::on_fence() {
  if (exchange_.request.is_for_leader && undial()) (void)user_.pump();
}

void Delivery::on_view() {
  if (has_gone_on_with_view()) return (void)user_.pump();
  end_if_hung();
}

void Delivery::end_if_hung() {
  const Attempt& attempt = exchange_.attempt;
  const bool waits = exchange_.stage() == Stage::kAtNode && !attempt.is_connecting && !exchange_.answer.has_begun &&
                     !claim_wait_.is_under_way();
  if (!waits || !exchange_.request.is_for_leader) return;
  const auto since = front_.worker().hung_since(attempt.node);
  if (!since || attempt.heard > *since) return;
  attempt_failed(vault::Failure::kTimedOut);
  (void)user_.pump();
}

bool Delivery::has_gone_on_with_view() {
  const bool is_held_for_node = exchange_.stage() == Stage::kHeld && !exchange_.request.target;
  if (is_held_for_node && destination_.needs_no_leader()) {
    unhold();
    dispatch();
    return true;
  }
  if (leave_unfit_node()) return true;
  if (claim_wait_.is_under_way() && !claim_wait_.is_of_leader()) {
    end_unconfirmed();
    return true;
  }
  const bool may_stay = !exchange_.request.is_for_leader ||
                        front_.worker().may_still_go(cluster::Accepts::kLeader, exchange_.attempt.node);
  return !may_stay && undial();
}

// Its node turned out to be of another cluster, or was taken out of service, before it was sent a byte.
bool Delivery::leave_unfit_node() {
  if (exchange_.request.is_for_leader || exchange_.stage() != Stage::kAtNode || exchange_.attempt.sent > 0)
    return false;
  if (front_.worker().may_still_go(cluster::Accepts::kAnyNode, exchange_.attempt.node)) return false;
  drop_upstream();
  --exchange_.request.sends;
  dispatch();
  return true;
}

// Back to the hold if not a byte of it was sent. False: no attempt is under way, or it may have been.
bool Delivery::undial() {
  if (exchange_.stage() != Stage::kAtNode || exchange_.attempt.sent > 0) return false;
  drop_upstream();
  --exchange_.request.sends;
  hold();
  return true;
}

// Not executed: to whoever claims to lead when asked after this.
void Delivery::send_again(vault::Row row) {
  drop_upstream();
  exchange_.from_node.clear();
  if (!exchange_.to_node.can_rewind()) {
    return give_up("the leader has changed, and the body is longer than retry_buffer, so it cannot be sent on",
                   refused_by_us(Phase::kHeaders));
  }
  if (exchange_.request.sends >= kMostSends) {
    const Phase last = exchange_.attempt.sent > 0 ? Phase::kHeaders : Phase::kConnecting;
    return give_up("every node that was asked refused it", ended_by_node(last));
  }
  exchange_.to_node.rewind();
  if (!exchange_.request.is_for_leader || destination_.is_bootstrap_now()) return dispatch();
  exchange_.proof.is_for_same_node =
      vault::verdict_of(row) == vault::Verdict::kAgainHere || row == vault::Row::kNothingSent;
  exchange_.proof.at = front_.worker().loop().precise_now();
  exchange_.proof.node = exchange_.attempt.node;
  exchange_.proof.epoch = exchange_.attempt.epoch;
  exchange_.proof.pause = backoff(exchange_.request.sends, front_.worker().prng());
  front_.worker().want_claim(exchange_.proof.at);
  hold();
}

void Delivery::note_effect() { exchange_.mount_check.note_effect(sent_); }

bool Delivery::is_mount_settled(NodeId target) {
  const MountCheck::Outcome outcome = exchange_.mount_check.look(sent_, target, connection_->preamble());
  if (outcome != MountCheck::Outcome::kMayHaveActed) return outcome == MountCheck::Outcome::kMayGo;
  unhold();
  answer_maybe_acted();
  (void)user_.pump();
  return false;
}

void Delivery::answer_maybe_acted() {
  exchange_.mount_check.end();
  act(vault::Row::kMaybeActed, nullptr, {});
}

}  // namespace bellwether::proxy
