#include "picture.h"

#include <fmt/format.h>

#include <utility>

#include "bellwether/cluster/leaderless.h"

namespace bellwether::cluster {
namespace {

std::string why_confirm(ConfirmReason reason) {
  switch (reason) {
    case ConfirmReason::kWasIdle:
      return "idle until now: a fresh claim first";
    case ConfirmReason::kStoodStill:
      return "bellwether itself stood still: a fresh claim first";
  }
  return {};
}

}  // namespace

View Picture::heading(TimePoint now) const {
  const Leadership& leadership = subject_.succession.leadership();
  const std::optional<Contest>& contest = subject_.succession.contest();
  View view;
  view.at = now;
  view.topology = subject_.members.topology();
  view.leader = leadership.leader();
  view.epoch = leadership.epoch();
  view.leader_since = leadership.leader_since();
  if (view.leader.has_value()) view.claim_asked = leadership.claim_sent();
  view.leaderless_since = leadership.leaderless_since();
  view.suspect = leadership.is_suspect();
  if (contest.has_value() && contest->is_conflict()) view.challenger = contest->challenger();
  view.idle = subject_.demand.is_idle();
  view.stalled = leadership.is_stalled();
  view.paused_until = subject_.demand.paused_until();
  view.cluster_id = subject_.identity.pinned();
  HoldState hold = hold_state();
  view.hold = hold.reason;
  view.hold_why = std::move(hold.why);
  return view;
}

View Picture::whole(TimePoint now) const {
  View view = heading(now);
  for (const NodeId id : members().ids()) view.nodes.add(id, members().at(id).seen);
  return view;
}

// Of several reasons the one that the operator must know first.
Picture::HoldState Picture::hold_state() const {
  const Leadership& leadership = subject_.succession.leadership();
  if (!leadership.leader().has_value()) {
    if (!members().is_any_heard()) return {HoldReason::kStarting, "no node has answered yet"};
    return {HoldReason::kNoLeader, why_leaderless()};
  }
  const bool is_suspect = leadership.is_suspect();
  const bool is_contested = subject_.succession.contest().has_value();
  if (is_contested && !is_suspect && subject_.options.on_conflict == OnConflict::kHold)
    return {HoldReason::kConflict, "two nodes claim to lead"};
  // Before suspect: a full hold sends to a suspect leader, and must not in a pause.
  if (subject_.demand.is_paused()) return {HoldReason::kPaused, "paused by the operator"};
  if (is_suspect) return {HoldReason::kSuspect, leadership.why_suspect()};
  if (const auto reason = leadership.awaits_confirmation()) return {HoldReason::kIdle, why_confirm(*reason)};
  if (subject_.demand.is_idle()) return {HoldReason::kIdle, "idle: the first request waits for a fresh claim"};
  return {HoldReason::kNone, {}};
}

// What keeps the nodes from having a leader, then what ended the last one's lead.
std::string Picture::why_leaderless() const {
  if (members().is_identity_disputed(subject_.identity)) return kIdentityDispute;
  NodeCensus census;
  for (const NodeState& each : members()) census.add(each.seen);
  const std::string headline = headline_of(census);
  const Leadership& leadership = subject_.succession.leadership();
  return leadership.why_lost().empty() ? headline : fmt::format("{} ({})", headline, leadership.why_lost());
}

}  // namespace bellwether::cluster
