#include "state.h"

#include <utility>

namespace bellwether::admin {
namespace {

ClusterState copy_cluster(const ClusterSources& sources, const Journals& journals, const Needs& needs) {
  ClusterState state{.name = sources.name};
  if (needs.views) state.view = sources.view();
  if (!needs.of_all_clusters && !needs.of_clusters.contains(sources.name)) return state;
  if (needs.failovers) {
    if (const auto found = journals.find(sources.name); found != journals.end()) state.journal = found->second;
    if (sources.names) state.names = sources.names();
    if (sources.listeners) state.listeners = sources.listeners();
    if (sources.counters) state.counters = sources.counters();
    if (sources.failovers) state.failovers = sources.failovers();
  }
  if (needs.ambiguous && sources.ambiguous) state.ambiguous = sources.ambiguous();
  return state;
}

}  // namespace

Needs& Needs::operator|=(const Needs& other) {
  metrics = metrics || other.metrics;
  views = views || other.views;
  failovers = failovers || other.failovers;
  ambiguous = ambiguous || other.ambiguous;
  of_all_clusters = of_all_clusters || other.of_all_clusters;
  of_clusters.insert(other.of_clusters.begin(), other.of_clusters.end());
  return *this;
}

Needs needs_of(const ClusterPath& path) {
  if (is_process_path(path.rest)) return {.metrics = path.rest == "/metrics"};
  Needs needs{.views = true,
              .failovers = path.rest == "/failovers" || path.rest == "/status",
              .ambiguous = path.rest == "/ambiguous",
              .of_all_clusters = !path.cluster};
  if (path.cluster) needs.of_clusters.insert(*path.cluster);
  return needs;
}

Snapshot State::snapshot(const ClusterState& of, const AdminOptions& options) const {
  Snapshot made{options,      *of.view,     of.journal, of.counters, draining, now,          wall_at,
                of.failovers, of.ambiguous, config,     log_level,   of.names, of.listeners, of.name};
  for (const ClusterState& each : clusters) made.clusters.push_back({each.name, state_word(*each.view)});
  return made;
}

StatePtr copy_state(const AdminSources& sources, const Journals& journals, const Needs& needs, TimePoint now) {
  auto state = std::make_shared<State>();
  for (const auto& each : sources.clusters()) state->clusters.push_back(copy_cluster(*each, journals, needs));
  state->draining = sources.draining();
  state->now = now;
  state->wall_at = [clock = sources.wall_clock()](TimePoint moment) { return clock.at(moment); };
  if (needs.failovers) {
    if (sources.config) state->config = sources.config();
    if (sources.log_level) state->log_level = sources.log_level();
  }
  if (needs.metrics) state->metrics_text = sources.metrics();
  return state;
}

}  // namespace bellwether::admin
