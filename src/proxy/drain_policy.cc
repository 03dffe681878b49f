#include "drain_policy.h"

namespace bellwether::proxy {
namespace {

bool answers_no_more(const cluster::NodeView& node) {
  return !node.up || node.failure == cluster::ProbeFailure::kRefused || node.failure == cluster::ProbeFailure::kReset;
}

}  // namespace

Standing standing_of(const cluster::View& view, NodeId node) {
  if (node.index >= view.nodes.size()) return Standing::kKeep;
  const cluster::NodeView& seen = view.nodes[node.index];
  if (seen.admin == cluster::AdminState::kMaint) return Standing::kMaint;
  // A session runs on a node only because that node once led: where another leads now, the epoch was taken from it.
  const bool replaced = view.leader && *view.leader != node;
  if (!replaced && (view.leader == node || !cluster::is_denial(seen.role))) return Standing::kKeep;
  return answers_no_more(seen) ? Standing::kDead : Standing::kDemoted;
}

Cut cut_now(Standing standing, TimePoint since, TimePoint last_active, TimePoint now, const DrainTimes& times) {
  if (standing == Standing::kKeep) return Cut::kNone;
  if (standing == Standing::kDead) return Cut::kDead;
  const bool quiet = now - last_active >= times.quiet;
  if (!quiet && now - since < times.deadline) return Cut::kNone;
  if (standing == Standing::kMaint) return Cut::kAdmin;
  return quiet ? Cut::kQuiet : Cut::kDeadline;
}

}  // namespace bellwether::proxy
