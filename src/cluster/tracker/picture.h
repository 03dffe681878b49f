#pragma once

#include <string>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker_options.h"
#include "bellwether/cluster/view.h"
#include "cluster/evidence/identity.h"
#include "cluster/evidence/members.h"
#include "demand.h"
#include "succession.h"

namespace bellwether::cluster {

inline constexpr const char* kIdentityDispute =
    "the nodes state different cluster_ids and no majority agrees; set cluster_id";

// Draws a View of the tracker's state, why new requests wait included. Reads, and keeps nothing: made for one use.
class Picture {
 public:
  struct Subject {
    const TrackerOptions& options;
    const Members& members;
    const ClusterIdentity& identity;
    const Succession& succession;
    const Demand& demand;
  };
  explicit Picture(const Subject& subject) : subject_(subject) {}

  // All of the view but its serial and its nodes.
  [[nodiscard]] View heading(TimePoint now) const;
  [[nodiscard]] View whole(TimePoint now) const;
  [[nodiscard]] const Members& members() const { return subject_.members; }

 private:
  // Why new requests wait, the same for people.
  struct HoldState {
    HoldReason reason = HoldReason::kNone;
    std::string why;
  };
  [[nodiscard]] HoldState hold_state() const;
  [[nodiscard]] std::string why_leaderless() const;

  Subject subject_;
};

}  // namespace bellwether::cluster
