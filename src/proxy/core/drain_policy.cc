#include "drain_policy.h"

#include <algorithm>

#include "bellwether/cluster/route.h"

namespace bellwether::proxy {
namespace {

bool answers_no_more(const cluster::NodeView& node) {
  return !node.up || node.failure == cluster::ProbeFailure::kRefused || node.failure == cluster::ProbeFailure::kReset;
}

// How long both sides must have been quiet for the session to owe nothing; nothing if the client waits.
std::optional<Duration> quiet_needed(const LostNode& node, const Dialogue& dialogue, Duration pause,
                                     const DrainTimes& times) {
  if (dialogue.client_waits()) return std::nullopt;
  if (node.is_sealed) return Duration::zero();
  return dialogue.has_short_answer() ? std::min(pause, times.quiet) : times.quiet;
}

// Another node leads, and this one answers neither the client nor a probe: it hangs, or blocks to demote itself. Or it
// has blocked until it was sealed. What such a node says at last is an error, after which the client would lose its
// next request too.
bool blocks(const LostNode& node, const Dialogue& dialogue, TimePoint now) {
  const bool serves_no_more = node.is_sealed || (node.is_replaced && node.is_silent);
  return serves_no_more && dialogue.client_may_wait() && dialogue.client_waited(now) >= kBlockedFor;
}

bool is_replaced(const cluster::View& view, NodeId node) {
  return cluster::lead_of(view, node) == cluster::Lead::kTaken;
}

}  // namespace

Standing standing_of(const cluster::View& view, NodeId node, TimePoint now, Duration patience) {
  if (view.nodes.empty() || cluster::may_stay(view, node)) return Standing::kKeep;
  const cluster::NodeView* const known = view.nodes.find(node);
  if (known == nullptr) return Standing::kDemoted;
  const cluster::NodeView& seen = *known;
  if (seen.admin == cluster::AdminState::kMaint) return Standing::kMaint;
  return answers_no_more(seen) || is_hung(view, node, now, patience) ? Standing::kDead : Standing::kDemoted;
}

bool is_hung(const cluster::View& view, NodeId node, TimePoint now, Duration patience) {
  const cluster::NodeView* const seen = view.nodes.find(node);
  if (seen == nullptr || !is_replaced(view, node)) return false;
  return seen->silent_since && now - *seen->silent_since >= patience;
}

TimePoint hung_from(const cluster::View& view, NodeId node, TimePoint now, Duration patience) {
  const cluster::NodeView* const seen = view.nodes.find(node);
  const bool may_be = seen != nullptr && is_replaced(view, node);
  if (!may_be || !seen->silent_since || is_hung(view, node, now, patience)) return kNever;
  return *seen->silent_since + patience;
}

Cut cut_now(Standing standing, TimePoint since, TimePoint last_active, TimePoint now, const DrainTimes& times) {
  if (standing == Standing::kKeep) return Cut::kNone;
  if (standing == Standing::kDead) return Cut::kDead;
  const bool quiet = now - last_active >= times.quiet;
  if (!quiet && now - since < times.deadline) return Cut::kNone;
  if (standing == Standing::kMaint) return Cut::kAdmin;
  return quiet ? Cut::kQuiet : Cut::kDeadline;
}

Cut leave_now(const LostNode& node, const Dialogue& dialogue, TimePoint last_active, Duration pause, bool waited,
              TimePoint now, const DrainTimes& times) {
  if (node.standing == Standing::kKeep) return Cut::kNone;
  if (node.standing == Standing::kDead) return Cut::kDead;
  const auto as = [&](Cut cut) { return node.standing == Standing::kMaint ? Cut::kAdmin : cut; };
  const auto needed = quiet_needed(node, dialogue, pause, times);
  if (needed && now - last_active >= *needed) return as(waited ? Cut::kAnswer : Cut::kQuiet);
  if (blocks(node, dialogue, now)) return as(Cut::kSilent);
  return now - node.since >= times.deadline ? as(Cut::kDeadline) : Cut::kNone;
}

}  // namespace bellwether::proxy
