#include <fmt/format.h>

#include <algorithm>

#include "bellwether/cluster/leaderless.h"
#include "rules.h"

// Why new requests wait, for the proxy and for people: computed from the state each time, kept nowhere.
namespace bellwether::cluster {

// Of several reasons the one that the operator must know first.
LeaderTracker::Rules::HoldState LeaderTracker::Rules::hold_state() const {
  if (!leader_.has_value()) {
    if (!has_heard_any_node()) return {HoldReason::kStarting, "no node has answered yet"};
    return {HoldReason::kNoLeader, why_leaderless()};
  }
  const bool is_suspect = suspect_since_.has_value();
  if (contest_.has_value() && !is_suspect && options_.on_conflict == OnConflict::kHold)
    return {HoldReason::kConflict, "two nodes claim to lead"};
  // Before suspect: a full hold sends to a suspect leader, and must not in a pause.
  if (paused_until_.has_value()) return {HoldReason::kPaused, "paused by the operator"};
  if (is_suspect) return {HoldReason::kSuspect, suspect_why_};
  if (confirm_since_.has_value()) return {HoldReason::kIdle, why_confirm()};
  if (idle_) return {HoldReason::kIdle, "idle: the first request waits for a fresh claim"};
  return {HoldReason::kNone, {}};
}

bool LeaderTracker::Rules::has_heard_any_node() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const NodeState& each) {
    return each.ever_answered || each.seen.failure.has_value() || each.seen.facts.status != 0;
  });
}

// What keeps the nodes from having a leader, then what ended the last one's lead.
std::string LeaderTracker::Rules::why_leaderless() const {
  if (identity_disputed_) return kIdentityDispute;
  NodeCensus census;
  for (const NodeState& each : nodes_) census.add(each.seen);
  const std::string headline = headline_of(census);
  return epoch_ == 0 ? headline : fmt::format("{} ({})", headline, lost_why_);
}

std::string LeaderTracker::Rules::why_confirm() const {
  switch (confirm_reason_) {
    case ConfirmReason::kWasIdle:
      return "idle until now: a fresh claim first";
    case ConfirmReason::kStoodStill:
      return "bellwether itself stood still: a fresh claim first";
  }
  return {};
}

}  // namespace bellwether::cluster
