#include "worker_core.h"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace bellwether::proxy {
namespace {

const cluster::View kNoView;  // before the first: no node was heard yet

}  // namespace

WorkerCore::WorkerCore(Shared& shared, Seat& seat)
    : shared_(shared),
      seat_(seat),
      settings_(shared.first_settings),
      clearance_(shared, seat),
      reports_(shared.callbacks),
      prng_(std::random_device{}()) {
  nodes_.set(std::exchange(seat.nodes, {}));
  listeners_.set_common(*settings_);
}

cluster::Route WorkerCore::route(cluster::RouteRequest request) {
  request.view_is_outdated = clearance_.is_fenced() || !clearance_.keep_fresh();
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

Cut WorkerCore::cut_for(NodeId node, TimePoint last_active, TimePoint now, const SessionSettings& settings) const {
  return cut_now(nodes_.standing(node), nodes_.standing_since(node), last_active, now,
                 {settings.drain_quiet, settings.drain_deadline});
}

LostNode WorkerCore::lost_node(NodeId node) const {
  LostNode lost;
  lost.standing = nodes_.standing(node);
  lost.since = nodes_.standing_since(node);
  lost.is_replaced = cluster::lead_of(*view_, node) == cluster::Lead::kTaken;
  if (const cluster::NodeView* const seen = view_->nodes.find(node)) {
    lost.is_sealed = seen->role == cluster::Role::kSealed;
    lost.is_silent = seen->silent_since.has_value();
  }
  return lost;
}

bool WorkerCore::must_withhold() {
  if (clearance_.keep_fresh()) return false;
  clearance_.note_withheld();
  arm_tick();
  return true;
}

std::optional<TimePoint> WorkerCore::hung_since(NodeId node) const {
  if (!view_ || !is_hung(*view_, node, now(), options().grace)) return std::nullopt;
  return view_->nodes.at(node).silent_since;
}

void WorkerCore::take_view(cluster::ViewPtr view, std::uint64_t round) {
  const cluster::ViewPtr before = std::exchange(view_, std::move(view));
  clearance_.on_view(before.get(), *view_, round);
  if (!view_->target()) dials_.start_anew();
}

void WorkerCore::take_claim(const cluster::Claim& claim) {
  clearance_.take_claim(claim, view_ && cluster::leads_in(*view_, claim.node, claim.epoch));
}

void WorkerCore::release_session(ListenerNumber listener) {
  listeners_.end_use(listener);
  shared_.release_session();
}

void WorkerCore::make_room_to_dial() {
  dials_.make_room();
  release();
}

}  // namespace bellwether::proxy
