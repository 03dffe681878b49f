#include <algorithm>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "bellwether/cluster/failover.h"

// What the evidence says about the cause; src/vault/FACTS.md and tests/traces say how each looks.
namespace bellwether::cluster {
namespace {

// SIGTERM hands over in 0.03 to 0.87 s, an election after SIGKILL takes 2 to 12.
constexpr Duration kHandover = 1s;
// A leader that gives up by itself blocks for 0.5 to 0.93 s before it says so.
constexpr Duration kLongestBlock = 1500ms;
// ... and says so that much after its successor at the latest: they end one block together.
constexpr Duration kSameMoment = 250ms;
// A standby on its way to being sealed.
constexpr Duration kSealing = 2s;
// A frozen leader that wakes says 200 for some 20 ms before it knows (raft, PostgreSQL).
constexpr Duration kWaking = 200ms;

bool is_cut(const std::optional<ProbeFailure>& failure) {
  return failure == ProbeFailure::kRefused || failure == ProbeFailure::kReset || failure == ProbeFailure::kClosed;
}

bool has_no_route(const std::optional<ProbeFailure>& failure) {
  return failure == ProbeFailure::kConnectTimeout || failure == ProbeFailure::kUnreachable;
}

// A probe of a healthy node may fail once; a node that is gone stays gone.
constexpr Duration kVotersMissing = 500ms;

bool could_vote(const NodeView& node) {
  const bool is_member =
      node.role == Role::kActive || node.role == Role::kStandby || node.role == Role::kPerformanceStandby;
  return is_member && !node.failure.has_value() && !node.same_as;
}

std::size_t voters_in(const View& view) {
  return static_cast<std::size_t>(std::count_if(view.nodes.begin(), view.nodes.end(), could_vote));
}

std::size_t servers_in(const View& view) {
  return static_cast<std::size_t>(
      std::count_if(view.nodes.begin(), view.nodes.end(), [](const NodeView& node) { return !node.same_as; }));
}

}  // namespace

std::string_view to_text(FailoverCause cause) {
  switch (cause) {
    case FailoverCause::kStart:
      return "start";
    case FailoverCause::kStepDown:
      return "step_down";
    case FailoverCause::kSeal:
      return "seal";
    case FailoverCause::kStop:
      return "stop";
    case FailoverCause::kCrash:
      return "crash";
    case FailoverCause::kHang:
      return "hang";
    case FailoverCause::kBlocked:
      return "blocked";
    case FailoverCause::kUnreachable:
      return "unreachable";
    case FailoverCause::kCutOffFromPeers:
      return "cut_off_from_peers";
    case FailoverCause::kLostQuorum:
      return "lost_quorum";
    case FailoverCause::kOperator:
      return "operator";
    case FailoverCause::kUnknown:
      return "unknown";
  }
  BW_ASSERT(!"a cause without a name");
}

void FailoverRecorder::gather(Record& record, const View& snapshot) const {
  if (!record.failover.from) return;
  if (!record.failover.elected) {
    const NodeView* const old = snapshot.nodes.find(*record.failover.from);
    const auto others = std::count_if(snapshot.nodes.begin(), snapshot.nodes.end(),
                                      [&](const NodeView& node) { return &node != old && could_vote(node); });
    const std::size_t with_old_leader = static_cast<std::size_t>(others) + 1;
    if (with_old_leader < snapshot.nodes.size() / 2 + 1) record.evidence.peers_were_gone = true;
  }
  gather_voters(record, snapshot);
  gather_from_old_leader(record, snapshot);
}

// A leader that is gone takes its own vote with it. That an election had to wait for votes is only sure once they are
// back: nodes on a shared storage elect without a majority.
void FailoverRecorder::gather_voters(Record& record, const View& snapshot) const {
  Evidence& seen = record.evidence;
  const bool is_majority = voters_in(snapshot) >= servers_in(snapshot) / 2 + 1;
  if (record.failover.elected) {
    seen.voters_are_back = seen.voters_are_back || is_majority;
  } else if (is_majority) {
    seen.voters_missing_since.reset();
  } else {
    if (!seen.voters_missing_since) seen.voters_missing_since = snapshot.at;
    seen.voters_were_missing = seen.voters_were_missing || snapshot.at - *seen.voters_missing_since >= kVotersMissing;
  }
}

void FailoverRecorder::gather_from_old_leader(Record& record, const View& snapshot) const {
  Failover& failover = record.failover;
  Evidence& seen = record.evidence;
  const NodeView* const found = snapshot.nodes.find(*failover.from);
  if (found == nullptr) {
    seen.went_away = true;
    return;
  }
  const NodeView& old = *found;
  const bool denies = is_denial(old.role);
  if (!failover.demoted && !failover.heard_again) {
    seen.was_cut = seen.was_cut || is_cut(old.failure);
    seen.had_no_route = seen.had_no_route || has_no_route(old.failure);
  }
  if (denies && !failover.demoted) {
    failover.demoted = old.role_since;
    failover.demoted_to = old.role;
  } else if (denies && old.role_since - *failover.demoted <= kSealing &&
             (old.role == Role::kSealed || old.role == Role::kDisconnected)) {
    failover.demoted_to = old.role;
  }
  if (failover.elected) gather_after_election(record, old, *snapshot.topology);
}

void FailoverRecorder::gather_after_election(Record& record, const NodeView& old, const Topology& topology) const {
  Failover& failover = record.failover;
  Evidence& seen = record.evidence;
  seen.went_away = seen.went_away || (failover.demoted && is_cut(old.failure));
  if (old.failure || !old.answered_at) return;
  if (!failover.heard_again && *old.answered_at > *failover.elected) failover.heard_again = old.answered_at;
  if (failover.from == failover.to) return;
  const TimePoint asked = *old.answered_at - old.latency;
  if (old.role == Role::kActive && asked > *failover.elected) {
    if (!seen.claimed_on_since) seen.claimed_on_since = old.answered_at;
    seen.claimed_on = seen.claimed_on || asked - *seen.claimed_on_since >= kWaking;
  }
  const auto names = [&](NodeId node) {
    const NodeDescription* const known = topology.nodes.find(node);
    return known != nullptr && equals_ignoring_case(old.names_leader, known->url);
  };
  const bool names_successor = names(*failover.to);
  const bool names_another =
      !old.names_leader.empty() && old.names_leader != seen.named_at_first && !names(*failover.from);
  seen.knows_successor = seen.knows_successor || (seen.questions > 0 && (names_successor || names_another));
}

FailoverCause FailoverRecorder::judge(const Record& record, TimePoint now) const {
  const Failover& failover = record.failover;
  const Evidence& seen = record.evidence;
  if (!failover.from) return FailoverCause::kStart;
  if (seen.was_taken_out) return FailoverCause::kOperator;
  const bool is_back = failover.to == failover.from;
  // Whoever restarts says something else before it leads again, but for one that has nobody to ask.
  const bool led_all_along = is_back && !failover.demoted && node_count_ > 1;
  const bool lacked_votes = seen.voters_were_missing && (!failover.elected || seen.voters_are_back);
  if (seen.was_cut) {
    if (led_all_along) return FailoverCause::kUnreachable;
    if (lacked_votes) return FailoverCause::kLostQuorum;
    return failover.elected && *failover.elected - failover.first_sign <= kHandover && !is_back ? FailoverCause::kStop
                                                                                                : FailoverCause::kCrash;
  }
  if (seen.had_no_route) return FailoverCause::kUnreachable;
  if (seen.claimed_on) return FailoverCause::kCutOffFromPeers;
  if (!failover.demoted) {
    if (seen.peers_were_gone || (lacked_votes && !is_back)) return FailoverCause::kLostQuorum;
    return is_back ? FailoverCause::kBlocked : FailoverCause::kHang;
  }
  switch (failover.demoted_to) {
    case Role::kSealed:
      return FailoverCause::kSeal;
    case Role::kDisconnected:
      return FailoverCause::kCutOffFromPeers;
    case Role::kStandby:
    case Role::kPerformanceStandby:
      return judge_standby(record, now);
    case Role::kDrSecondary:
    case Role::kUninitialized:
    case Role::kRemoved:
    case Role::kForeign:
    case Role::kUnknown:
    case Role::kActive:
    case Role::kError:
    case Role::kSilent:
      return FailoverCause::kUnknown;
  }
  return FailoverCause::kUnknown;
}

FailoverCause FailoverRecorder::judge_standby(const Record& record, TimePoint now) const {
  const Failover& failover = record.failover;
  const Evidence& seen = record.evidence;
  if (seen.peers_were_gone) return FailoverCause::kLostQuorum;
  const bool was_silent_long = *failover.demoted - failover.first_sign > kLongestBlock;
  if (was_silent_long && failover.elected && *failover.demoted - *failover.elected > kSameMoment) {
    return FailoverCause::kHang;
  }
  if (node_count_ == 1) return FailoverCause::kStepDown;
  // Who stepped down stays out of the next elections; who was cut off comes back.
  if (failover.to == failover.from) return FailoverCause::kCutOffFromPeers;
  const bool had_its_chance = !seen.went_away && seen.questions >= kMostQuestions && now >= seen.next_question;
  return had_its_chance && !seen.knows_successor ? FailoverCause::kCutOffFromPeers : FailoverCause::kStepDown;
}

}  // namespace bellwether::cluster
