#include "leaving.h"

#include <algorithm>

#include "proxy/core/end_reason.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// Two round trips of client and node: a client that was about to speak has spoken by then.
constexpr Duration kShortestPause = 4ms;
constexpr Duration kLongestPause = 100ms;
// For so long at most an answer is deferred: one for which the client waited for kBlockedFor, until the probe that
// blocked with it tells the truth about the node, or that of a demoted node, until it is whole.
constexpr Duration kDeferInDoubt = 50ms;
constexpr Duration kDeferDemoted = 50ms;

}  // namespace

bool is_gentle(Cut cut) { return cut == Cut::kQuiet || cut == Cut::kAnswer || cut == Cut::kSilent; }

Leaving::State& Leaving::state() {
  if (!state_) state_ = std::make_unique<State>();
  return *state_;
}

void Leaving::pause(WorkerCore& worker) {
  if (is_paused()) return;
  state().pause = HoldTime(worker, true);
  worker.note_traffic();
  worker.arm_tick();
}

Duration Leaving::end_pause() { return state_ ? state_->pause.end() : Duration{}; }

bool Leaving::defers_answer(const Dialogue& dialogue, bool is_node_lost, TimePoint now) {
  if (!is_deferring()) {
    const bool had_blocked = dialogue.client_waits() && dialogue.client_waited(now) >= kBlockedFor;
    if (!(is_node_lost ? !dialogue.is_long_answer() : had_blocked)) return false;
    state().deferred_since = now;
  }
  state_->node_ready_at = now;
  return true;
}

void Leaving::end_deferral() {
  if (state_) state_->deferred_since = kNever;
}

bool Leaving::is_answer_due(TimePoint now) const {
  const Duration deferred = now - state_->deferred_since;
  if (!state_->has_lost_node) return deferred >= kDeferInDoubt;
  return is_answer_last(now) || deferred >= kDeferDemoted;
}

bool Leaving::is_answer_last(TimePoint now) const {
  return state_->has_lost_node && now - state_->node_ready_at >= state_->quiet;
}

void Leaving::lose_node(const Dialogue& dialogue, Duration round_trip) {
  state().has_lost_node = true;
  state_->waited = dialogue.client_waits();
  state_->quiet = std::clamp(round_trip * 2, kShortestPause, kLongestPause);
}

Cut Leaving::cut_now(const LostNode& node, const RelayState& relay, TimePoint now, const DrainTimes& times) const {
  const Cut cut = leave_now(node, relay.dialogue, relay.last_active, state_->quiet, state_->waited, now, times);
  if (!is_gentle(cut) || !relay.is_answer_blocked) return cut;
  // A reader that is slow, or has stopped, has time until the deadline.
  return now - node.since < times.deadline ? Cut::kNone : Cut::kDeadline;
}

void Leaving::linger(TimePoint now) { state().lingers_since = now; }

bool Leaving::has_lingered(TimePoint now) const {
  return state_ && state_->lingers_since != kNever && now - state_->lingers_since >= kLongestLinger;
}

}  // namespace bellwether::proxy
