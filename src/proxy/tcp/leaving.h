#pragma once

#include <memory>

#include "bellwether/base/time.h"
#include "proxy/core/dialogue.h"
#include "proxy/core/drain_policy.h"
#include "proxy/core/places.h"

namespace bellwether::proxy {

class WorkerCore;

// How a tcp session and its node stand when it is asked whether the session ends.
struct RelayState {
  const Dialogue& dialogue;
  TimePoint last_active;   // when the session last moved a byte
  bool is_answer_blocked;  // the client does not take what the node said
};

// What a tcp session waits for while its node takes no requests, for now or for good, until it is clear that the node
// takes requests again or the session has ended: the pause of its client, the deferral of its node's answer, what was
// under way when the node was lost, and the time that the client is given to close. Decides; its session carries out.
// Owns memory only while there is something to wait for: nearly every session has none.
class Leaving {
 public:
  explicit operator bool() const { return state_ != nullptr; }
  void clear() { state_.reset(); }  // the node takes requests, or the session is to have another one

  // The client began a request that the node is not given: what the client says stays unread until end_pause().
  void pause(WorkerCore& worker);  // no-op if it is paused
  Duration end_pause();            // how long it was; zero if it was none
  [[nodiscard]] bool is_paused() const { return state_ && state_->pause; }
  [[nodiscard]] TimePoint paused_since() const { return state_->pause.since(); }  // REQUIRES: is_paused()

  // Asked when the node has said something. True: that stays unread until end_deferral().
  [[nodiscard]] bool defers_answer(const Dialogue& dialogue, bool is_node_lost, TimePoint now);
  void end_deferral();
  [[nodiscard]] bool is_deferring() const { return state_ && state_->deferred_since != kNever; }
  // What was deferred is passed on now. REQUIRES: is_deferring()
  [[nodiscard]] bool is_answer_due(TimePoint now) const;
  // ... as the last words of a lost node, which has been quiet behind them. REQUIRES: is_deferring()
  [[nodiscard]] bool is_answer_last(TimePoint now) const;

  // The node's standing is gone. `round_trip`: from the client to the node.
  void lose_node(const Dialogue& dialogue, Duration round_trip);
  [[nodiscard]] bool has_lost_node() const { return state_ && state_->has_lost_node; }
  [[nodiscard]] bool needs_steps() const { return has_lost_node() || is_deferring(); }
  // Whether the session ends now, and why. REQUIRES: needs_steps(), or did until end_deferral()
  [[nodiscard]] Cut cut_now(const LostNode& node, const RelayState& relay, TimePoint now,
                            const DrainTimes& times) const;

  // The session has parted from its node, and the client is given kLongestLinger to close.
  void linger(TimePoint now);
  [[nodiscard]] bool has_lingered(TimePoint now) const;

 private:
  struct State {
    HoldTime pause;                     // while it runs the client is paused
    TimePoint deferred_since = kNever;  // kNever: no answer is deferred
    TimePoint node_ready_at{};          // when the latest bytes of the deferred answer came
    TimePoint lingers_since = kNever;
    Duration quiet{};            // how long the node must be quiet after a short answer
    bool has_lost_node = false;  // the node's standing is gone
    bool waited = false;         // the client waited for an answer then
  };
  [[nodiscard]] State& state();

  std::unique_ptr<State> state_;
};

// Whether a session that is cut for that reason has time for what its node said last: nothing else is broken by it.
[[nodiscard]] bool is_gentle(Cut cut);

}  // namespace bellwether::proxy
