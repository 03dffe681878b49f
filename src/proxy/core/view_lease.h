#pragma once

#include "bellwether/base/time.h"

namespace bellwether::proxy {

// Whether a worker may send by the view that it has. After its own thread or the control thread has stood still, the
// view is as old as that stop, and another node may lead by now: nothing is sent before the leader has claimed in
// answer to a question that was asked after the stop. Pure; one for each worker.
class ViewLease {
 public:
  // What the control thread tells all workers.
  struct ControlState {
    TimePoint due = kNever;                     // it will run again by then
    TimePoint claims_since = TimePoint::min();  // older claims do not count: it stood still until then
  };

  ViewLease() = default;
  // `patience`: how late the control thread may be.
  explicit ViewLease(Duration patience) : patience_(patience) {}
  void set_patience(Duration patience) { patience_ = patience; }

  // The worker's own thread stood still from then on. What the control thread learned meanwhile counts: a stop of that
  // thread is told by ControlState.
  void on_stopped(TimePoint since) { stopped_since_ = since; }
  // Another leader or epoch in view, with the newest claim that the view knows of.
  void on_new_leader(TimePoint claim_asked) { newest_claim_ = claim_asked; }
  // A claim of the leader in view was asked for at that moment.
  void on_claim(TimePoint asked) { newest_claim_ = asked > newest_claim_ ? asked : newest_claim_; }

  [[nodiscard]] bool is_valid(const ControlState& control, TimePoint now) const {
    return !is_control_overdue(control, now) && newest_claim_ >= needs_claim_since(control);
  }
  // The moment at which or after which a claim must have been asked for.
  [[nodiscard]] TimePoint needs_claim_since(const ControlState& control) const {
    return control.claims_since > stopped_since_ ? control.claims_since : stopped_since_;
  }

 private:
  [[nodiscard]] bool is_control_overdue(const ControlState& control, TimePoint now) const {
    return control.due < now && now - control.due > patience_;
  }

  Duration patience_{};
  TimePoint stopped_since_ = TimePoint::min();
  TimePoint newest_claim_ = TimePoint::min();
};

}  // namespace bellwether::proxy
