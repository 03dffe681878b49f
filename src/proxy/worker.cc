#include "worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bellwether::proxy {
namespace {

constexpr Duration kLongestTick = 100ms;  // a stop of this thread that is longer is noticed by the tick
constexpr Duration kShortestTick = 5ms;
constexpr Duration kNoteTrafficEvery = 1s;
// Many sessions fail at once; one hint says it.
constexpr Duration kSameHint = 10ms;
constexpr Duration kLeaveInterval = 4ms;
const cluster::View kNoView;  // before the first: no node was heard yet

Duration tick_interval(const ProxyOptions& o) {
  const Duration shortest = std::min({o.hold_timeout_tcp, o.hold_timeout_http, o.timeout_connect, o.timeout_idle,
                                      o.drain_quiet, o.drain_deadline, o.timeout_header, o.grace});
  return std::clamp(shortest / 4, kShortestTick, kLongestTick);
}

}  // namespace

Worker::Worker(Shared& shared, Seat& seat)
    : shared_(shared),
      seat_(seat),
      nodes_(nodes_of(shared.options)),
      client_tls_(std::exchange(seat.client_tls, {})),
      lease_(std::max(shared.options.suspect_after, net::Loop::kLeastStop)),
      answers_(*seat.loop),
      intake_(
          *seat.loop, [this](Accepted accepted) { admit(std::move(accepted)); },
          [this] {
            counters().proxy_header_errors.add();
            give_room_back();
          }),
      redirector_(*this),
      http_(*this, std::exchange(seat.node_tls, {})),
      room_maker_(*this),
      tick_(*seat.loop, [this] { tick(); }),
      hung_timer_(*seat.loop, [this] { on_hung(); }),
      tick_interval_(tick_interval(shared.options)),
      leave_timer_(*seat.loop, [this] { leave_tick(); }) {
  loop().set_on_stopped(options().suspect_after, [this](Duration lasted) { on_stopped(lasted); });
  open_listeners();
}

std::vector<Worker::Node> Worker::nodes_of(const ProxyOptions& options) {
  std::vector<Node> nodes(options.nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].address = options.nodes[i].address;
  return nodes;
}

Worker::~Worker() {
  loop().set_on_stopped({}, nullptr);
  listeners_.clear();
  // Their ends are counted and told: now, while all of the worker stands.
  table_.for_each([](Session& session) { session.end(ended_by_us(Phase::kRelaying)); });
  http_.end_all();
}

void Worker::open_listeners() {
  for (std::size_t i = 0; i < seat_.listening.size(); ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    if (!seat_.listening[i].is_open()) {
      listeners_.push_back(nullptr);
      continue;
    }
    listeners_.push_back(std::make_unique<net::Listener>(loop(), std::move(seat_.listening[i]),
                                                         [this, index](net::Socket socket, const net::Address& peer) {
                                                           on_accept({index, std::move(socket), peer, std::nullopt});
                                                         }));
  }
}

void Worker::on_accept(Accepted accepted) {
  if (!shared_.sessions.try_enter()) {
    listeners_[accepted.listener]->pause();
    parked_.push_back(std::move(accepted));
    return wait_for_room();
  }
  if (expects_proxy_header(accepted)) {
    intake_.add(std::move(accepted));
    arm_tick();
  } else {
    admit(std::move(accepted));
  }
}

// One that was accepted waits: the kernel keeps the others of its listener. Each listener has one that waits at most,
// and they have their turns: a flood of one listener does not keep the clients of another one out.
void Worker::wait_for_room() {
  if (!seat_.room.is_waiting()) counters().maxconn_pauses.add();
  if (!shared_.sessions.wait(seat_.room)) return loop().post([this] { resume_accepting(); });
  room_maker_.start();
}

void Worker::make_room() {
  std::vector<wire::IdleConnection> idle;
  intake_.collect_idle(idle);
  table_.for_each([&idle](Session& session) { session.collect_idle(idle); });
  http_.collect_idle(idle);
  redirector_.collect_idle(idle);
  const std::size_t ended = wire::end_longest_idle(std::move(idle), now(), room_policy(options().maxconn));
  if (ended > 0 && shared_.callbacks.on_room_made) shared_.callbacks.on_room_made(ended);
}

bool Worker::expects_proxy_header(const Accepted& accepted) const {
  if (!options().listeners[accepted.listener].accept_proxy) return false;
  const std::vector<IpRange>& from = options().accept_proxy_from;
  // Who may connect to a unix socket is a question of its mode.
  return from.empty() || accepted.client.is_unix() || is_in_any(accepted.client.host(), from);
}

void Worker::resume_accepting() {
  shared_.sessions.stop_waiting(seat_.room);
  std::vector<Accepted> waiting = std::exchange(parked_, {});
  for (Accepted& accepted : waiting) {
    net::Listener& listener = *listeners_[accepted.listener];
    const std::size_t still_waiting = parked_.size();
    on_accept(std::move(accepted));
    if (parked_.size() == still_waiting) listener.resume();
  }
}

void Worker::admit(Accepted accepted) {
  switch (options().listeners[accepted.listener].mode) {
    case Mode::kTcp:
      start_session(std::move(accepted));
      break;
    case Mode::kRedirect:
      redirector_.adopt(std::move(accepted));
      break;
    case Mode::kHttp:
      http_.adopt(std::move(accepted));
      break;
  }
  check_idle();
  arm_tick();
}

void Worker::start_session(Accepted accepted) {
  counters().sessions_total.add();
  counters().sessions_now.add();
  auto origin = origin_of(accepted);
  Session& session =
      table_.add(std::make_unique<Session>(*this, accepted.listener, std::move(accepted.socket), std::move(origin)));
  session.start();
  release();
}

std::unique_ptr<Origin> Worker::origin_of(const Accepted& accepted) const {
  const bool sends_header = options().send_proxy != net::ProxyVersion::kNone;
  if (!sends_header && !options().log_sessions) return nullptr;
  auto origin = std::make_unique<Origin>();
  origin->client = accepted.client;
  if (accepted.destination) {
    origin->destination = *accepted.destination;
  } else if (sends_header) {
    if (auto local = accepted.socket.local_address()) origin->destination = *local;
  }
  return origin;
}

void Worker::give_room_back() { shared_.release_session(); }

void Worker::retire(Session& session) {
  counters().sessions_now.subtract();
  table_.retire(session);
  if (turn_end_due_) {
    give_room_back();
    return;
  }
  turn_end_due_ = true;
  loop().at_turn_end([this] { after_retire(); });
  give_room_back();
}

void Worker::after_retire() {
  turn_end_due_ = false;
  table_.bury();
  check_idle();
}

cluster::Route Worker::route(cluster::RouteRequest request) const {
  request.view_is_outdated = is_fenced() || !may_send();
  return cluster::choose(view_ ? *view_ : kNoView, request);
}

bool Worker::is_for_leader(cluster::Accepts accepts) const {
  return cluster::is_for_leader(view_ ? *view_ : kNoView, accepts);
}

std::string Worker::why_held() const {
  if (!view_ || view_->hold == cluster::HoldReason::kNone) return "no node was free to take the request";
  if (view_->hold == cluster::HoldReason::kPaused) return "paused by the operator";
  return view_->hold_why.empty() ? std::string("no leader") : fmt::format("no leader: {}", view_->hold_why);
}

const net::Address* Worker::address(NodeId node) const {
  return node.index < nodes_.size() && nodes_[node.index].address ? &*nodes_[node.index].address : nullptr;
}

Cut Worker::cut_for(NodeId node, TimePoint last_active, TimePoint now) const {
  const Node& of = nodes_[node.index];
  return cut_now(of.standing, of.since, last_active, now, {options().drain_quiet, options().drain_deadline});
}

LostNode Worker::lost_node(NodeId node) const {
  LostNode lost;
  lost.standing = nodes_[node.index].standing;
  lost.since = nodes_[node.index].since;
  const cluster::NodeView& seen = view_->nodes[node.index];
  lost.is_sealed = seen.role == cluster::Role::kSealed;
  lost.is_replaced = cluster::lead_of(*view_, node) == cluster::Lead::kTaken;
  lost.is_silent = seen.silent_since.has_value();
  return lost;
}

void Worker::arm_leave_timer() {
  if (!leave_timer_.is_armed()) leave_timer_.arm_in(kLeaveInterval);
}

void Worker::leave_tick() {
  int quiet_cuts = 0;
  bool is_needed = false;
  table_.for_each([&](Session& session) {
    // Those that come back wait for the new leader: they must not fill the hold.
    const bool may_cut_quiet = quiet_cuts < kMaxQuietCutsPerLeaveTick && !shared_.held.is_half_full();
    if (session.leave_step(now(), may_cut_quiet)) ++quiet_cuts;
    is_needed = is_needed || session.needs_leave_steps();
  });
  if (is_needed) arm_leave_timer();
}

// The view is as old as the stop.
void Worker::on_stopped(Duration lasted) {
  lease_.on_stopped(now() - lasted);
  if (view_ && view_->leader) want_claim(now());
}

bool Worker::must_withhold() {
  if (may_send()) return false;
  withholds_ = true;
  arm_tick();
  return true;
}

void Worker::renew_lease(const cluster::View* before) {
  const bool is_same = before != nullptr && cluster::is_same_term(*before, *view_);
  is_same ? lease_.on_claim(view_->claim_asked) : lease_.on_new_leader(view_->claim_asked);
  if (view_->leader && !may_send()) want_claim(lease_.needs_claim_since(shared_.control.load()));
}

void Worker::resume_withheld() {
  if (!withholds_ || !may_send()) return;
  withholds_ = false;
  table_.for_each([](Session& session) { session.on_view(); });
  http_.resume();
}

// Once a round is enough: who has seen it sends nothing more before it has obeyed it.
void Worker::on_left_gate(void* self, std::uint64_t round) {
  auto& worker = *static_cast<Worker*>(self);
  if (std::exchange(worker.left_round_, round) != round) worker.shared_.on_left_gate(worker.seat_.index, round);
}

// What is being dialled belongs to an epoch that is over: back to the hold, not a byte was sent.
void Worker::abandon_dials() {
  table_.for_each([](Session& session) { session.undial(); });
  http_.on_fence();
}

void Worker::set_view(cluster::ViewPtr view, std::uint64_t round) {
  if (shared_.gate.obeyed(seat_.index) != round) abandon_dials();
  const cluster::ViewPtr before = std::exchange(view_, std::move(view));
  shared_.gate.obey(seat_.index, round);
  renew_lease(before.get());
  if (!view_->target()) dial_room_ = kFirstDialing;
  update_standings();
  table_.for_each([](Session& session) {
    session.on_view();
    session.send_what_waits();
  });
  release();
  redirector_.release();
  http_.on_view();
  resume_withheld();
  if (!queue_.empty() || http_.has_waiting() || redirector_.has_waiting()) note_traffic();
}

void Worker::update_standings() {
  TimePoint next = kNever;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Standing standing = standing_of(*view_, node_at(i), now(), options().grace);
    if (nodes_[i].standing == Standing::kKeep && standing != Standing::kKeep) nodes_[i].since = now();
    nodes_[i].standing = standing;
    nodes_[i].takes_requests = cluster::node_of(cluster::choose(*view_, {.connected_to = node_at(i)})).has_value();
    next = std::min(next, hung_from(*view_, node_at(i), now(), options().grace));
  }
  hung_timer_.arm_at(next);
}

std::optional<TimePoint> Worker::hung_since(NodeId node) const {
  if (!view_ || !is_hung(*view_, node, now(), options().grace)) return std::nullopt;
  return view_->nodes[node.index].silent_since;
}

void Worker::on_hung() {
  update_standings();
  table_.for_each([](Session& session) { session.on_view(); });
  http_.on_hung();
}

void Worker::set_address(NodeId node, const net::Address& address) {
  if (node.index >= nodes_.size()) return;
  nodes_[node.index].address = address;
  http_.on_address(node);
}

void Worker::set_client_tls(const std::shared_ptr<net::TlsContext>& tls) {
  for (auto& each : client_tls_) {
    if (each) each = tls;
  }
  redirector_.on_client_tls();
}

void Worker::count_handshake_failure(net::HandshakeFailure failure) {
  counters().handshake_failures[static_cast<std::size_t>(failure)].add();
}

void Worker::make_room_to_dial() {
  dial_room_ = std::min(dial_room_ + 1, kMaxDialing);
  release();
}

void Worker::release() {
  queue_.offer([this](WaitLink& link) {
    const auto next_target = may_dial_more() ? target() : std::nullopt;
    if (!next_target) return false;
    auto& session = static_cast<Session&>(link);
    if (session.may_dial()) session.leave_hold(*next_target);
    return true;
  });
}

void Worker::hint(NodeId node, Epoch epoch, cluster::HintKind kind) {
  const bool same = last_hint_.node == node && last_hint_.epoch == epoch && last_hint_.kind == kind;
  if (same && now() - last_hint_.at < kSameHint) return;
  last_hint_ = {node, epoch, kind, now()};
  if (shared_.callbacks.on_hint) shared_.callbacks.on_hint({node, epoch, kind});
}

void Worker::want_claim(TimePoint since) {
  claim_wanted_ = std::max(claim_wanted_, since);
  if (std::exchange(claim_is_asked_for_, true)) return;
  shared_.on_claim_wanted(seat_, since);
}

void Worker::on_claim(const cluster::Claim& claim) {
  claim_ = claim;
  claim_is_asked_for_ = false;
  if (view_ && cluster::leads_in(*view_, claim.node, claim.epoch)) lease_.on_claim(claim.asked);
  http_.on_claim();
  release();
  redirector_.release();
  resume_withheld();
  if (http_.has_unconfirmed() || claim_.asked < claim_wanted_) want_claim(claim_wanted_);
}

void Worker::say_success(Epoch epoch) {
  succeeded_epoch_ = epoch;
  if (shared_.callbacks.on_first_success) shared_.callbacks.on_first_success(epoch);
}

void Worker::note_traffic() {
  const bool asked_for = view_ && view_->idle && view_->serial != idle_serial_noted_;
  if (!asked_for && now() - traffic_noted_ < kNoteTrafficEvery) return;
  traffic_noted_ = now();
  if (asked_for) idle_serial_noted_ = view_->serial;
  if (shared_.callbacks.on_traffic) shared_.callbacks.on_traffic();
}

bool Worker::has_work() const {
  return !table_.empty() || intake_.size() > 0 || redirector_.is_busy() || http_.is_busy();
}

void Worker::arm_tick() {
  if (!tick_.is_armed()) tick_.arm_in(tick_interval_);
}

void Worker::tick() {
  count_accept_failures();
  intake_.tick(now());
  end_due_sessions();
  redirector_.tick(now());
  http_.tick(now());
  // Who waits is traffic, however long ago it came.
  if (!queue_.empty() || !http_.queue().empty() || redirector_.has_waiting()) note_traffic();
  if (view_ && view_->leader && !may_send()) want_claim(lease_.needs_claim_since(shared_.control.load()));
  release();
  redirector_.release();
  resume_withheld();
  check_idle();
  if (has_work() || http_.has_idle_upstreams()) arm_tick();
}

void Worker::end_due_sessions() {
  table_.for_each([this](Session& session) { session.on_tick(now()); });
}

void Worker::count_accept_failures() {
  std::uint64_t failures = 0;
  for (const auto& listener : listeners_) failures += listener ? listener->accept_failures() : 0;
  if (!listeners_.empty()) counters().accept_failures.set(failures);
}

void Worker::shut_down() {
  shutting_down_ = true;
  check_idle();
  arm_tick();
}

void Worker::check_idle() {
  if (!shutting_down_) return;
  const bool is_idle = table_.empty() && !http_.is_busy() && !redirector_.is_answering();
  if (std::exchange(told_idle_, is_idle) != is_idle) shared_.on_idle_changed(seat_, is_idle);
}

}  // namespace bellwether::proxy
