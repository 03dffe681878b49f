#include "worker_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

namespace bellwether::proxy {
namespace {

constexpr Duration kNoteTrafficEvery = 1s;
// Many sessions fail at once; one hint says it.
constexpr Duration kSameHint = 10ms;
const cluster::View kNoView;  // before the first: no node was heard yet

}  // namespace

WorkerCore::WorkerCore(Shared& shared, Seat& seat)
    : shared_(shared),
      seat_(seat),
      client_tls_(std::exchange(seat.client_tls, {})),
      lease_(std::max(shared.options.suspect_after, net::Loop::kLeastStop)),
      prng_(std::random_device{}()) {
  forgotten_.options.name = "removed";
  forgotten_.standing = Standing::kDemoted;
  set_nodes(std::exchange(seat.nodes, {}));
  loop().set_on_stopped(options().suspect_after, [this](Duration lasted) { on_stopped(lasted); });
}

WorkerCore::~WorkerCore() { loop().set_on_stopped({}, nullptr); }

// Those that are missing stay until a view has come without them: until then they may be sent to.
void WorkerCore::set_nodes(WorkerNodes nodes) {
  for (Node& each : nodes_) each.is_listed = false;
  for (const NodeId id : nodes.ids()) {
    Node& node = nodes_.has(id) ? nodes_.at(id) : nodes_.add(id);
    node.is_listed = true;
    const std::optional<net::Address> address = node.options.address;
    node.options = std::move(nodes.at(id).options);
    if (!node.options.address) node.options.address = address;
    node.counters = std::move(nodes.at(id).counters);
  }
}

bool WorkerCore::forget_removed_nodes() {
  const std::size_t before = nodes_.size();
  nodes_.keep_if([this](NodeId id, const Node& node) {
    return node.is_listed || view_->nodes.has(id) || node.counters->sessions_now.get() > 0;
  });
  return nodes_.size() != before;
}

cluster::Route WorkerCore::route(cluster::RouteRequest request) const {
  request.view_is_outdated = is_fenced() || !may_send();
  return cluster::choose(view_ ? *view_ : kNoView, request);
}

bool WorkerCore::is_for_leader(cluster::Accepts accepts) const {
  return cluster::is_for_leader(view_ ? *view_ : kNoView, accepts);
}

std::string WorkerCore::why_held() const {
  if (!view_ || view_->hold == cluster::HoldReason::kNone) return "no node was free to take the request";
  if (view_->hold == cluster::HoldReason::kPaused) return "paused by the operator";
  return view_->hold_why.empty() ? std::string("no leader") : fmt::format("no leader: {}", view_->hold_why);
}

std::string_view WorkerCore::node_name(std::optional<NodeId> node) const {
  return node ? std::string_view(known(*node).options.name) : std::string_view("none");
}

const net::Address* WorkerCore::address(NodeId node) const {
  const Node* const found = nodes_.find(node);
  return found != nullptr && found->options.address ? &*found->options.address : nullptr;
}

Cut WorkerCore::cut_for(NodeId node, TimePoint last_active, TimePoint now) const {
  const Node& of = known(node);
  return cut_now(of.standing, of.since, last_active, now, {options().drain_quiet, options().drain_deadline});
}

LostNode WorkerCore::lost_node(NodeId node) const {
  LostNode lost;
  lost.standing = known(node).standing;
  lost.since = known(node).since;
  lost.is_replaced = cluster::lead_of(*view_, node) == cluster::Lead::kTaken;
  if (const cluster::NodeView* const seen = view_->nodes.find(node)) {
    lost.is_sealed = seen->role == cluster::Role::kSealed;
    lost.is_silent = seen->silent_since.has_value();
  }
  return lost;
}

// The view is as old as the stop.
void WorkerCore::on_stopped(Duration lasted) {
  lease_.on_stopped(now() - lasted);
  if (view_ && view_->leader) want_claim(now());
}

bool WorkerCore::must_withhold() {
  if (may_send()) return false;
  withholds_ = true;
  arm_tick();
  return true;
}

void WorkerCore::renew_lease(const cluster::View* before) {
  const bool is_same = before != nullptr && cluster::is_same_term(*before, *view_);
  is_same ? lease_.on_claim(view_->claim_asked) : lease_.on_new_leader(view_->claim_asked);
  if (view_->leader && !may_send()) want_claim(lease_.needs_claim_since(shared_.control.load()));
}

// Once a round is enough: who has seen it sends nothing more before it has obeyed it.
void WorkerCore::on_left_gate(void* self, std::uint64_t round) {
  auto& worker = *static_cast<WorkerCore*>(self);
  if (std::exchange(worker.left_round_, round) != round) worker.shared_.on_left_gate(worker.seat_.index, round);
}

std::optional<TimePoint> WorkerCore::hung_since(NodeId node) const {
  if (!view_ || !is_hung(*view_, node, now(), options().grace)) return std::nullopt;
  return view_->nodes.at(node).silent_since;
}

void WorkerCore::count_handshake_failure(net::HandshakeFailure failure) {
  counters().handshake_failures[static_cast<std::size_t>(failure)].add();
}

void WorkerCore::hint(NodeId node, Epoch epoch, cluster::HintKind kind) {
  const bool same = last_hint_.node == node && last_hint_.epoch == epoch && last_hint_.kind == kind;
  if (same && now() - last_hint_.at < kSameHint) return;
  last_hint_ = {node, epoch, kind, now()};
  if (shared_.callbacks.on_hint) shared_.callbacks.on_hint({node, epoch, kind});
}

void WorkerCore::want_claim(TimePoint since) {
  claim_wanted_ = std::max(claim_wanted_, since);
  if (std::exchange(claim_is_asked_for_, true)) return;
  shared_.on_claim_wanted(seat_, since);
}

void WorkerCore::say_success(Epoch epoch) {
  succeeded_epoch_ = epoch;
  if (shared_.callbacks.on_first_success) shared_.callbacks.on_first_success(epoch);
}

void WorkerCore::note_traffic() {
  const bool asked_for = view_ && view_->idle && view_->serial != idle_serial_noted_;
  if (!asked_for && now() - traffic_noted_ < kNoteTrafficEvery) return;
  traffic_noted_ = now();
  if (asked_for) idle_serial_noted_ = view_->serial;
  if (shared_.callbacks.on_traffic) shared_.callbacks.on_traffic();
}

void WorkerCore::take_view(cluster::ViewPtr view, std::uint64_t round) {
  const cluster::ViewPtr before = std::exchange(view_, std::move(view));
  shared_.gate.obey(seat_.index, round);
  renew_lease(before.get());
  if (!view_->target()) dial_room_ = kFirstDialing;
}

TimePoint WorkerCore::update_standings() {
  TimePoint next = kNever;
  for (const NodeId id : nodes_.ids()) {
    Node& node = nodes_.at(id);
    const Standing standing = standing_of(*view_, id, now(), options().grace);
    if (node.standing == Standing::kKeep && standing != Standing::kKeep) node.since = now();
    node.standing = standing;
    node.takes_requests = cluster::node_of(cluster::choose(*view_, {.connected_to = id})).has_value();
    next = std::min(next, hung_from(*view_, id, now(), options().grace));
  }
  return next;
}

void WorkerCore::take_claim(const cluster::Claim& claim) {
  claim_ = claim;
  claim_is_asked_for_ = false;
  if (view_ && cluster::leads_in(*view_, claim.node, claim.epoch)) lease_.on_claim(claim.asked);
}

void WorkerCore::keep_lease() {
  if (view_ && view_->leader && !may_send()) want_claim(lease_.needs_claim_since(shared_.control.load()));
}

bool WorkerCore::takes_up_withheld() {
  if (!withholds_ || !may_send()) return false;
  withholds_ = false;
  return true;
}

void WorkerCore::make_room_to_dial() {
  dial_room_ = std::min(dial_room_ + 1, kMaxDialing);
  release();
}

void WorkerCore::set_client_tls(const std::shared_ptr<net::TlsContext>& tls) {
  for (auto& each : client_tls_) {
    if (each) each = tls;
  }
}

}  // namespace bellwether::proxy
