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

constexpr int kMisdirected = 421;  // RFC 9110 section 15.5.20; Vault's clients do not send a 4xx again
constexpr int kMostSends = 64;
constexpr int kMostInitSends = 2;  // a kept connection may have ended before a byte went

}  // namespace

// What the UI asks before anybody has logged in is for the leader where there is one. So is what a cluster without a
// leader may be waiting for: to hold that would be to wait for ourselves.
cluster::RouteRequest HttpExchange::route_request() const {
  cluster::RouteRequest wanted{.tried = request.tried};
  if (request.request_class == vault::RequestClass::kNodeLocal) {
    wanted.accepts = cluster::Accepts::kAnyNode;
  } else if (request.request_class == vault::RequestClass::kBootstrap) {
    wanted.role = vault::role_to_bootstrap(request.path);
    const bool is_init = wanted.role == cluster::Role::kUninitialized;
    wanted.accepts = is_init ? cluster::Accepts::kLeaderOrInit : cluster::Accepts::kLeaderOrRole;
  } else if (request.is_ui_question) {
    wanted.accepts = cluster::Accepts::kLeaderOrAnyNode;
  }
  return wanted;
}

void HttpExchange::dispatch() {
  const WorkerCore& worker = front_.worker();
  const cluster::RouteRequest wanted = route_request();
  request.is_for_leader = worker.is_for_leader(wanted.accepts);
  if (is_bootstrap_now()) return bootstrap(wanted);
  follow(worker.route(wanted), wanted);
}

void HttpExchange::follow(const cluster::Route& route, const cluster::RouteRequest& wanted) {
  if (const auto* refuse = std::get_if<cluster::Refuse>(&route)) {
    const bool lacks_role = refuse->reason == cluster::RefuseReason::kNoNodeInRole;
    const std::string why = lacks_role
                                ? fmt::format("no leader, and no node that says {}", cluster::to_text(wanted.role))
                                : std::string("no node of the cluster that is in service answers");
    return answer_unserved(why, ended_by_node(Phase::kConnecting));
  }
  const auto node = cluster::node_of(route);
  const bool has_to_wait = request.is_for_leader && (request.sends > 0 || !front_.queue().empty());
  if (!node || has_to_wait) return hold();
  if (!request.is_for_leader) request.tried.push_back(*node);
  begin_attempt(*node);
}

bool HttpExchange::is_bootstrap_now() const {
  return request.request_class == vault::RequestClass::kBootstrap &&
         !front_.worker().is_for_leader(route_request().accepts);
}

void HttpExchange::bootstrap(const cluster::RouteRequest& wanted) {
  if (!front_.worker().options().bootstrap) {
    constexpr std::string_view kWhy =
        "no leader, and bellwether does not choose the node that is initialized or unsealed: send this to a node's own "
        "address, or set \"bootstrap\"";
    return answer_unserved(kWhy, refused_by_us(Phase::kRequest), kMisdirected);
  }
  if (wanted.accepts == cluster::Accepts::kLeaderOrInit) return begin_init();
  follow(front_.worker().route(wanted), wanted);
}

void HttpExchange::hold() {
  if (!take_hold_place()) return;
  std::exchange(request.was_held, true) ? front_.queue().push_front(*this) : front_.queue().push_back(*this);
  become(Stage::kHeld);
  const bool has_left = connection_->has_client_ended() || connection_->peer_state() != net::PeerState::kHere;
  if (has_left) return connection_->client_left();
  front_.warm_up();
  front_.release_soon();  // later, for the caller may be amid an answer that it reads from the scratch head
}

// False: there is no room, and what becomes of the request instead is decided.
bool HttpExchange::take_hold_place() {
  auto place = HoldPlace::take(front_.worker(), shrink_buffers(), !request.was_held);
  if (!place) {
    const bool lacks_places = place.error() == HoldPlace::Lack::kPlaces;
    refuse_hold(lacks_places ? "too many requests wait" : "the requests that wait take too much memory (hold_bytes)");
    return false;
  }
  hold_place = std::move(*place);
  return true;
}

void HttpExchange::refuse_hold(std::string_view why) {
  WorkerCore& worker = front_.worker();
  const auto suspect = worker.target_if_hold_is_full();
  if (suspect && may_send() && !mount_check.is_under_way()) return begin_attempt(*suspect);
  worker.counters().hold_overflows.add();
  answer_unserved(fmt::format("{}, and {}", worker.why_held(), why), refused_by_us(Phase::kHeld));
}

void HttpExchange::unhold() {
  front_.queue().remove(*this);
  const Duration held = hold_place.end();
  request.held += held;
  connection_->sum().held += held;
  become(Stage::kHead);
}

// After a proof it waits for another leader, or for the same node to claim when asked after the proof; and then a while
// longer each time, for a node may go on claiming and refusing.
bool HttpExchange::may_send() const {
  if (request.sends == 0) return true;
  const auto& view = front_.worker().view();
  const bool leads_still = cluster::lead_of(*view, proof.node) == cluster::Lead::kHas;
  if (view->epoch != proof.epoch && !leads_still) return true;
  const Duration waited = front_.worker().now() - proof.at;
  const cluster::Claim& claim = front_.worker().clearance().claim();
  const bool has_claimed = claim.epoch == view->epoch && claim.asked >= proof.at;
  return waited >= (has_claimed || proof.is_for_same_node ? proof.pause : kLongestBackoff);
}

void HttpExchange::leave_hold(NodeId target) {
  BW_ASSERT(stage_ == Stage::kHeld);
  if (!connection_->stays_held()) return;
  unhold();
  begin_attempt(target);
  connection_->pump();
}

// Nobody sends under an epoch that is over: a request of which nothing went out waits for the next view.
void HttpExchange::on_fence() {
  if (request.is_for_leader && undial()) connection_->pump();
}

void HttpExchange::on_view() {
  if (has_gone_on_with_view()) return connection_->pump();
  end_if_hung();
}

bool HttpExchange::has_gone_on_with_view() {
  if (stage_ == Stage::kHeld && needs_no_leader()) {
    unhold();
    dispatch();
    return true;
  }
  if (leave_unfit_node()) return true;
  if (is_unconfirmed() && !is_of_leader()) {
    end_unconfirmed();
    return true;
  }
  const bool may_stay = !request.is_for_leader || front_.worker().may_still_go(cluster::Accepts::kLeader, attempt.node);
  return !may_stay && undial();
}

bool HttpExchange::needs_no_leader() const {
  const cluster::RouteRequest wanted = route_request();
  const WorkerCore& worker = front_.worker();
  return !worker.is_for_leader(wanted.accepts) && !std::holds_alternative<cluster::Hold>(worker.route(wanted));
}

// Each node that carries it out becomes a cluster of its own, so at most one may.
void HttpExchange::begin_init() {
  if (request.sends >= kMostInitSends) {
    return answer_unserved("nothing was initialized: the node could not be reached", ended_by_node(Phase::kConnecting));
  }
  const auto node = front_.worker().shared().init.begin(*front_.worker().view());
  if (!node) {
    const int status = node.error().kind == ErrorKind::kUnavailable ? 503 : kMisdirected;
    return answer_unserved("nothing was initialized: " + node.error().message, refused_by_us(Phase::kRequest), status);
  }
  request.is_init = true;
  request.tried.push_back(*node);
  begin_attempt(*node);
}

void HttpExchange::end_init(InitGuard::Outcome outcome) {
  if (std::exchange(request.is_init, false)) front_.worker().shared().init.end(outcome, front_.worker().now());
}

// Its node turned out to be of another cluster, or was taken out of service, before it was sent a byte.
bool HttpExchange::leave_unfit_node() {
  if (request.is_for_leader || stage_ != Stage::kAtNode || attempt.sent > 0) return false;
  if (front_.worker().may_still_go(cluster::Accepts::kAnyNode, attempt.node)) return false;
  drop_upstream();
  --request.sends;
  dispatch();
  return true;
}

bool HttpExchange::undial() {
  if (stage_ != Stage::kAtNode || attempt.sent > 0) return false;
  abandon_attempt();
  return true;
}

// Not a byte of it was sent.
void HttpExchange::abandon_attempt() {
  drop_upstream();
  --request.sends;
  hold();
}

// Not executed: to whoever claims to lead when asked after this.
void HttpExchange::send_again(vault::Row row) {
  drop_upstream();
  from_node.clear();
  if (!to_node.can_rewind()) {
    return answer_unserved("the leader has changed, and the body is longer than retry_buffer, so it cannot be sent on",
                           refused_by_us(Phase::kHeaders));
  }
  if (request.sends >= kMostSends) {
    const Phase last = attempt.sent > 0 ? Phase::kHeaders : Phase::kConnecting;
    return answer_unserved("every node that was asked refused it", ended_by_node(last));
  }
  to_node.rewind();
  if (!request.is_for_leader || is_bootstrap_now()) return dispatch();
  proof.is_for_same_node = vault::verdict_of(row) == vault::Verdict::kAgainHere || row == vault::Row::kNothingSent;
  proof.at = front_.worker().loop().precise_now();
  proof.node = attempt.node;
  proof.epoch = attempt.epoch;
  proof.pause = backoff(request.sends, front_.worker().prng());
  front_.worker().clearance().want_claim(proof.at);
  hold();
}

// Refused, and perhaps begun.
void HttpExchange::check_mount() {
  if (!to_node.can_rewind()) return answer_maybe_acted();
  mount_check.begin();
  send_again(vault::Row::kUnknownMount);
}

bool HttpExchange::is_mount_settled(NodeId target) {
  const MountCheck::Outcome outcome = mount_check.look(sent(), target, connection_->preamble());
  if (outcome != MountCheck::Outcome::kMayHaveActed) return outcome == MountCheck::Outcome::kMayGo;
  unhold();
  answer_maybe_acted();
  connection_->pump();
  return false;
}

void HttpExchange::answer_maybe_acted() {
  mount_check.end();
  act(vault::Row::kMaybeActed, nullptr, {});
}

}  // namespace bellwether::proxy
