#include "state.h"

#include <utility>

namespace bellwether::admin {

Needs& Needs::operator|=(const Needs& other) {
  metrics = metrics || other.metrics;
  failovers = failovers || other.failovers;
  ambiguous = ambiguous || other.ambiguous;
  return *this;
}

Needs needs_of(std::string_view path) {
  return {.metrics = path == "/metrics",
          .failovers = path == "/failovers" || path == "/status",
          .ambiguous = path == "/ambiguous"};
}

Snapshot State::snapshot(const AdminOptions& options) const {
  return {options,   *view,     journal, counters,  draining, now,      wall_at,
          failovers, ambiguous, config,  log_level, names,    listeners};
}

StatePtr copy_state(const AdminSources& sources, const Journal& journal, Needs needs, TimePoint now) {
  auto state = std::make_shared<State>();
  state->view = sources.view();
  state->draining = sources.draining();
  state->now = now;
  state->wall_at = [clock = sources.wall_clock()](TimePoint moment) { return clock.at(moment); };
  if (needs.failovers) {
    state->journal = journal;
    if (sources.config) state->config = sources.config();
    if (sources.log_level) state->log_level = sources.log_level();
    if (sources.names) state->names = sources.names();
    if (sources.listeners) state->listeners = sources.listeners();
    if (sources.counters) state->counters = sources.counters();
    if (sources.failovers) state->failovers = sources.failovers();
  }
  if (needs.ambiguous && sources.ambiguous) state->ambiguous = sources.ambiguous();
  if (needs.metrics) state->metrics_text = sources.metrics(state->view);
  return state;
}

}  // namespace bellwether::admin
