#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/input.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/tracker_options.h"
#include "bellwether/cluster/view.h"

namespace bellwether::cluster {

// A probe that the owner must start now.
struct ProbeOrder {
  ProbeId probe = 0;
  NodeId node;
  bool fresh_connection = false;  // the kept one may be dead: open another
};

enum class EventKind : std::uint8_t {
  kRoleChanged,  // node, from, to
  kNodeUp,
  kNodeDown,
  kLeaderElected,    // node (new), other (old, if one was led to before), epoch
  kLeaderLost,       // node, why
  kLeaderSuspect,    // node, why
  kLeaderConfirmed,  // node: suspicion ended
  kConflict,         // node (leader), other (challenger): both claim, the leader asked again; why = evidence
  kConflictEnded,
  kForeignNode,       // node, why
  kSameServer,        // node, other, why: both are names of one server
  kClusterIdLearned,  // why = the id
  kAdminStateChanged,
  kStalled,  // the leader answers health but no exchange completes
  kStallEnded,
  kPaused,    // why
  kResumed,   // why
  kLoopLate,  // our own loop stood still
  kNodeAdded,
  kNodeRemoved,  // why, if it led
  kNodeRenamed,  // why
};
[[nodiscard]] std::string_view to_text(EventKind kind);

// A transition, for the log, the metrics and the page. Never repeated while nothing changes.
struct Event {
  EventKind kind{};
  TimePoint at{};
  std::optional<NodeId> node;
  std::optional<NodeId> other;
  std::string node_name;  // as they are called then, or were when they were removed; empty: there is none
  std::string other_name;
  Epoch epoch = 0;
  Role from = Role::kUnknown;
  Role to = Role::kUnknown;
  Duration contested{};  // of kLeaderElected: how long the leader that it replaces was in contest with it
  Duration unsettled{};  // of kLeaderElected: how long nobody was led to for sure, the suspicion before a loss included
  std::optional<TimePoint> last_claim;  // of a leader's suspicion, loss or replacement: when its last one was asked for
  std::string why;
};

// What the owner must do after each input, in this order: publish the view if it is new, record the events, start the
// probes, ask the leader questions, and apply Tick at wake_at at the latest.
struct Step {
  ViewPtr view;  // never null; the same pointer as before if nothing visible changed
  std::vector<Event> events;
  std::vector<ProbeOrder> probes;
  std::vector<NodeId> ask_leader;  // GET /v1/sys/leader of these
  std::optional<Claim> claim;      // a new one of the leader's, unless it is suspect or contested
  TimePoint wake_at = kNever;
  std::optional<Error> refused;  // the input is an operator's order, and was not carried out (kInvalid)
};

// Decides who leads. Pure: takes inputs and time, gives a view and orders. Owned by the prober, one thread.
// `now` must not go back from call to call.
//
// The rules are those of src/cluster/DESIGN.md; each has a scenario in tests/unit/cluster/scenarios.
class LeaderTracker {
 public:
  explicit LeaderTracker(TrackerOptions options);
  ~LeaderTracker();
  LeaderTracker(LeaderTracker&&) noexcept;
  LeaderTracker& operator=(LeaderTracker&&) noexcept;

  [[nodiscard]] Step apply(const Input& input, TimePoint now);

  [[nodiscard]] const ViewPtr& view() const;
  // The same picture with what changes too often to be published: the last answers, their times and latencies.
  [[nodiscard]] ViewPtr snapshot(TimePoint now) const;

 private:
  class Rules;
  std::unique_ptr<Rules> rules_;
};

}  // namespace bellwether::cluster
