#include <algorithm>

#include "bellwether/base/assert.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/cluster/view.h"

namespace bellwether::cluster {

std::string_view to_text(Role role) {
  switch (role) {
    case Role::kUnknown:
      return "unknown";
    case Role::kActive:
      return "active";
    case Role::kStandby:
      return "standby";
    case Role::kPerformanceStandby:
      return "performance_standby";
    case Role::kDrSecondary:
      return "dr_secondary";
    case Role::kSealed:
      return "sealed";
    case Role::kUninitialized:
      return "uninitialized";
    case Role::kRemoved:
      return "removed";
    case Role::kDisconnected:
      return "disconnected";
    case Role::kError:
      return "error";
    case Role::kSilent:
      return "silent";
    case Role::kForeign:
      return "foreign";
  }
  BW_ASSERT(!"a role without a name");
}

bool is_denial(Role role) {
  switch (role) {
    case Role::kStandby:
    case Role::kPerformanceStandby:
    case Role::kDrSecondary:
    case Role::kSealed:
    case Role::kUninitialized:
    case Role::kRemoved:
    case Role::kDisconnected:
    case Role::kForeign:
      return true;
    case Role::kUnknown:
    case Role::kActive:
    case Role::kError:
    case Role::kSilent:
      return false;
  }
  BW_ASSERT(!"a role that neither claims nor denies");
}

std::string_view to_text(AdminState state) {
  switch (state) {
    case AdminState::kReady:
      return "ready";
    case AdminState::kDrain:
      return "drain";
    case AdminState::kMaint:
      return "maint";
  }
  BW_ASSERT(!"an admin state without a name");
}

std::optional<AdminState> admin_state_from(std::string_view text) {
  for (AdminState state : {AdminState::kReady, AdminState::kDrain, AdminState::kMaint}) {
    if (to_text(state) == text) return state;
  }
  return std::nullopt;
}

std::string_view to_text(ProbeFailure failure) {
  switch (failure) {
    case ProbeFailure::kRefused:
      return "refused";
    case ProbeFailure::kReset:
      return "reset";
    case ProbeFailure::kClosed:
      return "closed";
    case ProbeFailure::kConnectTimeout:
      return "connect_timeout";
    case ProbeFailure::kAnswerTimeout:
      return "answer_timeout";
    case ProbeFailure::kTls:
      return "tls";
    case ProbeFailure::kUnreachable:
      return "unreachable";
  }
  BW_ASSERT(!"a probe failure without a name");
}

std::string_view to_text(HintKind kind) {
  switch (kind) {
    case HintKind::kRefused:
      return "refused";
    case HintKind::kReset:
      return "reset";
    case HintKind::kClosed:
      return "closed";
    case HintKind::kRedirected:
      return "redirected";
    case HintKind::kNotActive:
      return "not_active";
    case HintKind::kSealed:
      return "sealed";
    case HintKind::kSlow:
      return "slow";
  }
  BW_ASSERT(!"a hint without a name");
}

std::string_view to_text(HoldReason reason) {
  switch (reason) {
    case HoldReason::kNone:
      return "none";
    case HoldReason::kStarting:
      return "starting";
    case HoldReason::kNoLeader:
      return "no_leader";
    case HoldReason::kSuspect:
      return "suspect";
    case HoldReason::kConflict:
      return "conflict";
    case HoldReason::kIdle:
      return "idle";
    case HoldReason::kPaused:
      return "paused";
  }
  BW_ASSERT(!"a hold reason without a name");
}

std::string_view to_text(EventKind kind) {
  switch (kind) {
    case EventKind::kRoleChanged:
      return "node_role_changed";
    case EventKind::kNodeUp:
      return "node_up";
    case EventKind::kNodeDown:
      return "node_down";
    case EventKind::kLeaderElected:
      return "leader_changed";
    case EventKind::kLeaderLost:
      return "leader_lost";
    case EventKind::kLeaderSuspect:
      return "leader_suspect";
    case EventKind::kLeaderConfirmed:
      return "leader_confirmed";
    case EventKind::kConflict:
      return "conflict";
    case EventKind::kConflictEnded:
      return "conflict_ended";
    case EventKind::kForeignNode:
      return "foreign_node";
    case EventKind::kSameServer:
      return "node_named_twice";
    case EventKind::kClusterIdLearned:
      return "cluster_id_learned";
    case EventKind::kAdminStateChanged:
      return "node_admin_state_changed";
    case EventKind::kStalled:
      return "leader_stalled";
    case EventKind::kStallEnded:
      return "leader_stall_ended";
    case EventKind::kPaused:
      return "paused";
    case EventKind::kResumed:
      return "resumed";
    case EventKind::kLoopLate:
      return "loop_late";
    case EventKind::kNodeAdded:
      return "node_added";
    case EventKind::kNodeRemoved:
      return "node_removed";
    case EventKind::kNodeRenamed:
      return "node_renamed";
  }
  BW_ASSERT(!"an event without a name");
}

bool NodeView::could_take_over() const {
  const bool could_win = !same_as && (role == Role::kStandby || role == Role::kPerformanceStandby);
  return could_win && up && may_serve_clients();
}

bool NodeView::may_serve_clients() const { return is_ours && role != Role::kForeign && admin == AdminState::kReady; }

int View::takeover_candidates() const {
  return static_cast<int>(
      std::count_if(nodes.begin(), nodes.end(), [](const NodeView& node) { return node.could_take_over(); }));
}

}  // namespace bellwether::cluster
