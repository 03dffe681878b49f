#pragma once

#include <cstdint>

#include "bellwether/base/time.h"
#include "bellwether/cluster/view.h"
#include "send_gate.h"
#include "shared.h"
#include "view_lease.h"

namespace bellwether::proxy {

// Whether a worker may send to a node by the view that it has: no newer epoch has begun (SendGate), and neither its own
// thread nor the control thread has stood still since the leader claimed (ViewLease). Asks for the claims that give the
// clearance back. Used on the worker's thread only.
class Clearance {
 public:
  Clearance(Shared& shared, Seat& seat);
  ~Clearance();
  Clearance(const Clearance&) = delete;
  Clearance& operator=(const Clearance&) = delete;

  // Another epoch has begun, and its view is on its way here.
  [[nodiscard]] bool is_fenced() const { return shared_.gate.is_closed(seat_.index); }
  // Whether the view is fresh enough to send anything to its leader.
  [[nodiscard]] bool is_fresh() const { return lease_.is_valid(shared_.control.load(), seat_.loop->now()); }
  // Asked before bytes are given to a node that belong to the epoch in view; held while they are.
  [[nodiscard]] SendPermit ask_to_send() { return {shared_.gate, seat_.index, &Clearance::on_left_gate, this}; }

  // Something waits outside of the hold until the view is fresh again.
  void note_withheld() { withholds_ = true; }
  // True, once, if something was withheld and may be sent now.
  [[nodiscard]] bool take_up_withheld();

  // A claim of the leader's is wanted that is asked for at `since` or later. Each mode is told when one has come.
  void want_claim(TimePoint since);
  // Whether what was wanted is newer than what has come, and asking for that.
  [[nodiscard]] bool wants_claim() const { return claim_.asked < claim_wanted_; }
  void ask_for_wanted_claim() { want_claim(claim_wanted_); }
  // The newest that we were told of, which is not every one.
  [[nodiscard]] const cluster::Claim& claim() const { return claim_; }
  // `is_of_view`: it is the claim of the leader and epoch in view.
  void take_claim(const cluster::Claim& claim, bool is_of_view);

  // `before`: the view until now, null if there was none. Opens the gate for `round` if no newer round has closed it.
  void on_view(const cluster::View* before, const cluster::View& view, std::uint64_t round);
  // is_fresh(); if not, the claim that makes it so is asked for.
  bool keep_fresh();
  // ProxySettings::suspect_after.
  void set_suspect_after(Duration suspect_after);

 private:
  static void on_left_gate(void* self, std::uint64_t round);
  void on_stopped(Duration lasted);

  Shared& shared_;
  Seat& seat_;
  ViewLease lease_;
  std::uint64_t left_round_ = 0;  // the newest round that the control side was told we do not send in
  cluster::Claim claim_;
  TimePoint claim_wanted_ = TimePoint::min();  // asked for then or later
  bool claim_is_asked_for_ = false;            // one asking at a time
  bool withholds_ = false;
  bool has_leader_ = false;  // in view
};

}  // namespace bellwether::proxy
