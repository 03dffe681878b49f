#include "probe_schedule.h"

#include <algorithm>
#include <utility>

namespace bellwether::cluster {
namespace {

// A demoting leader blocks for 500 ms before it answers reads as a standby: slowness must be looked into well before.
constexpr Duration kLongestSlowGap = 100ms;

HintGate gate_of_trouble(const TrackerOptions& options) { return {options.fastinter, options.inter}; }
HintGate gate_of_slowness(const TrackerOptions& options) {
  return {options.fastinter, std::min(options.inter, kLongestSlowGap)};
}

}  // namespace

ProbeSchedule::ProbeSchedule(const std::vector<NodeId>& nodes, const TrackerOptions& options)
    : prng_(options.seed), hints_(gate_of_trouble(options)), slow_hints_(gate_of_slowness(options)) {
  for (const NodeId id : nodes) nodes_.add(id);
}

void ProbeSchedule::set_options(const TrackerOptions& options) {
  hints_ = gate_of_trouble(options);
  slow_hints_ = gate_of_slowness(options);
}

void ProbeSchedule::set_nodes(const std::vector<NodeId>& nodes) {
  NodeTable<NodeProbes> next;
  for (const NodeId id : nodes) {
    NodeProbes* const known = nodes_.find(id);
    next.add(id, known != nullptr ? std::move(*known) : NodeProbes());
  }
  nodes_ = std::move(next);
}

void ProbeSchedule::ask_all_soon() {
  unhurried_round_at_ = kNever;
  for (NodeProbes& each : nodes_) each.ask_soon();
}

void ProbeSchedule::hurry_all() {
  for (NodeProbes& each : nodes_) each.hurry();
}

// Many sidecars hear of one crash at once: those that nobody uses spread their rounds.
void ProbeSchedule::on_hint(HintKind kind, bool is_unused, TimePoint now) {
  HintGate& gate = kind == HintKind::kSlow ? slow_hints_ : hints_;
  if (!gate.admit(now)) return;
  if (!is_unused) return ask_all_soon();
  unhurried_round_at_ = std::min(unhurried_round_at_, now + prng_.jitter(kUnhurried / 2, 1.0));
}

void ProbeSchedule::reset_hints() {
  hints_.reset();
  slow_hints_.reset();
}

void ProbeSchedule::excuse_stop(TimePoint now) {
  for (NodeProbes& each : nodes_) each.excuse_stop(now);
}

std::optional<ProbeSchedule::Ended> ProbeSchedule::end(ProbeId probe, const TrackerOptions& options, TimePoint now) {
  for (const NodeId id : nodes_.ids()) {
    if (const auto ended = of(id).end(probe, options, now)) return Ended{id, ended->ordered, ended->was_late};
  }
  return std::nullopt;
}

void ProbeSchedule::begin_due_rounds(TimePoint now) {
  const bool is_trouble_due = hints_.take_due(now);
  if (slow_hints_.take_due(now) || is_trouble_due || unhurried_round_at_ <= now) ask_all_soon();
}

void ProbeSchedule::order_due(const Members& members, const PaceContext& context, const TrackerOptions& options,
                              TimePoint now, Journal& journal) {
  for (const NodeId id : nodes_.ids()) {
    if (of(id).order_due(members.at(id).seen.up, context, options, now) <= now) order(id, now, journal);
  }
}

void ProbeSchedule::order(NodeId id, TimePoint now, Journal& journal) {
  NodeProbes& target = of(id);
  journal.order_probe({++last_probe_, id, target.has_outstanding()});
  target.order(last_probe_, to_seconds(prng_.jitter(1s, kJitter / 2)) - kJitter / 2, now);
}

TimePoint ProbeSchedule::next_due(const Members& members, const PaceContext& context, const TrackerOptions& options,
                                  TimePoint now) const {
  TimePoint next = std::min({hints_.due(), slow_hints_.due(), unhurried_round_at_});
  for (const NodeId id : nodes_.ids()) {
    next = std::min(next, of(id).order_due(members.at(id).seen.up, context, options, now));
  }
  return next;
}

}  // namespace bellwether::cluster
