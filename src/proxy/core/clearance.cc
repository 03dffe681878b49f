#include "clearance.h"

#include <algorithm>
#include <utility>

#include "bellwether/cluster/route.h"

namespace bellwether::proxy {

Clearance::Clearance(Shared& shared, Seat& seat) : shared_(shared), seat_(seat) {
  set_suspect_after(shared.first_settings->suspect_after);
}

Clearance::~Clearance() { seat_.loop->set_on_stopped({}, nullptr); }

void Clearance::set_suspect_after(Duration suspect_after) {
  lease_.set_patience(std::max(suspect_after, net::Loop::kLeastStop));
  seat_.loop->set_on_stopped(suspect_after, [this](Duration lasted) { on_stopped(lasted); });
}

bool Clearance::take_up_withheld() {
  if (!withholds_ || !is_fresh()) return false;
  withholds_ = false;
  return true;
}

void Clearance::want_claim(TimePoint since) {
  claim_wanted_ = std::max(claim_wanted_, since);
  if (std::exchange(claim_is_asked_for_, true)) return;
  shared_.on_claim_wanted(seat_, since);
}

void Clearance::take_claim(const cluster::Claim& claim, bool is_of_view) {
  claim_ = claim;
  claim_is_asked_for_ = false;
  if (is_of_view) lease_.on_claim(claim.asked);
}

void Clearance::on_view(const cluster::View* before, const cluster::View& view, std::uint64_t round) {
  shared_.gate.obey(seat_.index, round);
  const bool is_same = before != nullptr && cluster::is_same_term(*before, view);
  is_same ? lease_.on_claim(view.claim_asked) : lease_.on_new_leader(view.claim_asked);
  has_leader_ = view.leader.has_value();
  keep_fresh();
}

bool Clearance::keep_fresh() {
  if (is_fresh()) return true;
  if (has_leader_) want_claim(lease_.needs_claim_since(shared_.control.load()));
  return false;
}

// The view is as old as the stop.
void Clearance::on_stopped(Duration lasted) {
  const TimePoint now = seat_.loop->now();
  lease_.on_stopped(now - lasted);
  if (has_leader_) want_claim(now);
}

// Once a round is enough: who has seen it sends nothing more before it has obeyed it.
void Clearance::on_left_gate(void* self, std::uint64_t round) {
  auto& clearance = *static_cast<Clearance*>(self);
  if (std::exchange(clearance.left_round_, round) == round) return;
  clearance.shared_.on_left_gate(clearance.seat_.index, round);
}

}  // namespace bellwether::proxy
