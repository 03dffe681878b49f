#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "bellwether/base/assert.h"
#include "rules.h"

// The rules of what the operator says: of a node, of the cluster_id, of a pause; and other nodes or settings, which the
// tracker takes over while it goes on.
namespace bellwether::cluster {

void LeaderTracker::Rules::on(const SetAdminState& order, TimePoint now) {
  const NodeId id = order.node;
  if (!members_.has(id)) return journal_.refuse("the node has been removed");
  if (members_.at(id).seen.admin == order.state) return;
  if (succession_.leadership().is_leader(id) && order.state != AdminState::kReady && !order.force) {
    const bool another = std::any_of(members_.ids().begin(), members_.ids().end(), [&](NodeId other) {
      const NodeState& candidate = members_.at(other);
      return other != id && succession_.may_lead(candidate) && candidate.seen.role == Role::kActive;
    });
    constexpr std::string_view kWhy =
        "{} is the only node that leads: {} would be an outage; step it down first, or use --force";
    if (!another) return journal_.refuse(fmt::format(kWhy, members_.name(id), to_text(order.state)));
  }
  set_admin_state(id, order.state, now);
  probes_.ask_all_soon();
}

void LeaderTracker::Rules::set_admin_state(NodeId id, AdminState state, TimePoint now) {
  if (members_.at(id).seen.admin == state) return;
  members_.at(id).seen.admin = state;
  Event& event = journal_.report(EventKind::kAdminStateChanged);
  event.node = id;
  event.why = to_text(state);
  if (state == AdminState::kReady) return;
  const std::string why = fmt::format("{} was set to {}", members_.name(id), to_text(state));
  succession_.withdraw(id, why, "the challenger was taken out", now);
}

void LeaderTracker::Rules::on(const Repin& /*order*/, TimePoint /*now*/) {
  identity_.forget();
  probes_.ask_all_soon();
}

// What is found when it ends must not be old.
void LeaderTracker::Rules::on(const Pause& order, TimePoint now) {
  wake_up(now);
  demand_.pause(order.at_most, now, journal_);
}

void LeaderTracker::Rules::on(const Resume& /*order*/, TimePoint now) {
  if (demand_.is_paused()) demand_.resume("the operator's word", now, journal_);
}

// The nodes first: another cluster_id is held against those that stay, not against those that go with the old one.
void LeaderTracker::Rules::on(const Reconfigure& change, TimePoint now) {
  take_over_nodes(change.options.topology, now);
  take_over_settings(change.options, now);
}

void LeaderTracker::Rules::take_over_settings(const TrackerOptions& options, TimePoint now) {
  const std::string id_before = options_.cluster_id;
  options_ = options;
  options_.topology.reset();
  probes_.set_options(options_);
  if (options_.cluster_id == id_before) return;
  identity_.configure(options_.cluster_id);
  if (!options_.cluster_id.empty()) expel_strangers(std::nullopt, now);
  probes_.ask_all_soon();
}

// A cluster_id that was learned is forgotten when no node is left that states it; others are judged anew then.
void LeaderTracker::Rules::take_over_nodes(const TopologyPtr& next, TimePoint now) {
  if (next == members_.topology()) return;
  const Members::Replaced replaced = members_.take_over(next, now, journal_);
  journal_.note_replaced_topology(replaced.topology);
  probes_.set_nodes(members_.ids());
  succession_.take_over(*next);
  for (const NodeId id : members_.ids()) set_admin_state(id, replaced.ordered.at(id), now);

  const std::string pinned_before = identity_.pinned();
  if (identity_.set_nodes(members_.cluster_ids(), !options_.follows_cluster_change))
    on_cluster_id_learned(std::nullopt, now);
  if (identity_.pinned() != pinned_before) probes_.ask_all_soon();

  for (const NodeId id : replaced.topology->nodes.ids()) {
    if (!members_.has(id)) on_removed(id, *replaced.topology, now);
  }
}

void LeaderTracker::Rules::on_removed(NodeId id, const Topology& before, TimePoint now) {
  Event& event = journal_.report(EventKind::kNodeRemoved);
  event.node = id;
  if (succession_.leadership().is_leader(id))
    event.why = "it is the leader: what is new waits until another node leads";
  for (const NodeId alias : members_.ids()) {
    if (members_.at(alias).seen.same_as != id) continue;
    members_.forget_same_server(alias);
    probes_.of(alias).ask_soon();
  }
  succession_.on_removed(id, before.name(id), now);
}

}  // namespace bellwether::cluster
