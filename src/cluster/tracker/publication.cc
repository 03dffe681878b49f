#include "publication.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace bellwether::cluster {
namespace {

bool same_node(const NodeView& a, const NodeView& b) {
  return a.role == b.role && a.up == b.up && a.admin == b.admin && a.is_ours == b.is_ours && a.failure == b.failure &&
         a.facts.status == b.facts.status && a.names_leader == b.names_leader && a.silent_since == b.silent_since &&
         a.cause == b.cause && a.same_as == b.same_as;
}

bool same_heading(const View& a, const View& b) {
  return a.topology == b.topology && a.leader == b.leader && a.epoch == b.epoch && a.leader_since == b.leader_since &&
         a.leaderless_since == b.leaderless_since && a.hold == b.hold && a.hold_why == b.hold_why &&
         a.suspect == b.suspect && a.challenger == b.challenger && a.idle == b.idle && a.stalled == b.stalled &&
         a.paused_until == b.paused_until && a.cluster_id == b.cluster_id;
}

}  // namespace

Publication::Publication(View first) : view_(std::make_shared<const View>(std::move(first))) {}

// Most calls change nothing that is visible: the nodes are copied only when something has.
void Publication::publish(const Picture& picture, TimePoint now) {
  const Members& members = picture.members();
  const bool same_nodes = std::equal(members.begin(), members.end(), view_->nodes.begin(), view_->nodes.end(),
                                     [](const NodeState& a, const NodeView& b) { return same_node(a.seen, b); });
  if (same_nodes && same_heading(picture.heading(now), *view_)) return;
  View next = picture.whole(now);
  next.serial = view_->serial + 1;
  view_ = std::make_shared<const View>(std::move(next));
}

void Publication::tell(const std::optional<Claim>& claim, Journal& journal) {
  if (!claim.has_value() || told_claim_ == claim) return;
  told_claim_ = claim;
  journal.tell_claim(*claim);
}

}  // namespace bellwether::cluster
