#include "bellwether/cluster/failover.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

constexpr Duration kLook = 100ms;         // while a record is open
constexpr Duration kNotableDoubt = 1s;    // a shorter suspicion that was unfounded is no record
constexpr Duration kWatchedFor = 10s;     // for what the old leader says when it is heard again
constexpr Duration kServedWithin = 2s;    // a client that has not been served by then does not ask
constexpr Duration kSaysMoreWithin = 1s;  // one that wakes says 200, blocks for 0.5 s, and then knows better
constexpr Duration kTrafficSample = 500ms;
constexpr Duration kFirstQuestion = 300ms;  // a healthy node knows its successor 10 ms after that one's first 200
constexpr Duration kNextQuestion = 600ms;

}  // namespace

FailoverTraffic operator-(const FailoverTraffic& a, const FailoverTraffic& b) {
  return {a.held - b.held,
          a.retried - b.retried,
          a.failed - b.failed,
          a.cut - b.cut,
          a.moved_idle - b.moved_idle,
          a.moved_at_request - b.moved_at_request,
          a.moved_after_answer - b.moved_after_answer,
          a.moved_at_deadline - b.moved_at_deadline};
}

void FailoverRecorder::on_events(const std::vector<Event>& events, const View& snapshot, const FailoverTraffic& total) {
  node_count_ = snapshot.nodes.size();
  for (const Event& event : events) {
    now_ = event.at;
    on_event(event, snapshot);
  }
  look(snapshot, total);
}

void FailoverRecorder::on_event(const Event& event, const View& snapshot) {
  switch (event.kind) {
    case EventKind::kLeaderSuspect:
      if (!going_on_) open_record(event, snapshot);
      return;
    case EventKind::kLeaderLost: {
      Record& record = going_on_ ? *going_on_ : open_record(event, snapshot);
      const NodeView* const lost = snapshot.nodes.find(*event.node);
      record.evidence.was_taken_out = lost == nullptr || lost->admin != AdminState::kReady;
      return;
    }
    case EventKind::kLeaderElected:
      return on_elected(event, snapshot);
    case EventKind::kLeaderConfirmed:
      return on_confirmed(event);
    case EventKind::kConflict:
    case EventKind::kConflictEnded:
    case EventKind::kRoleChanged:
    case EventKind::kNodeUp:
    case EventKind::kNodeDown:
    case EventKind::kForeignNode:
    case EventKind::kSameServer:
    case EventKind::kClusterIdLearned:
    case EventKind::kAdminStateChanged:
    case EventKind::kStalled:
    case EventKind::kStallEnded:
    case EventKind::kPaused:
    case EventKind::kResumed:
    case EventKind::kLoopLate:
    case EventKind::kNodeAdded:
    case EventKind::kNodeRemoved:
    case EventKind::kNodeRenamed:
      return;
  }
}

FailoverRecorder::Record& FailoverRecorder::open_record(const Event& event, const View& snapshot) {
  const bool is_replaced = event.kind == EventKind::kLeaderElected;
  going_on_ = Record{};
  Record& record = *going_on_;
  record.failover.from = is_replaced ? event.other : event.node;
  record.failover.from_name = is_replaced ? event.other_name : event.node_name;
  record.failover.epoch_from = is_replaced ? event.epoch - 1 : event.epoch;
  record.failover.first_sign = event.at - event.contested;
  record.failover.last_good = event.last_claim;
  record.failover.sign = event.why;
  record.traffic_before = traffic_before_.older;
  const NodeView* const old = record.failover.from ? snapshot.nodes.find(*record.failover.from) : nullptr;
  if (old != nullptr) record.evidence.named_at_first = old->names_leader;
  return record;
}

void FailoverRecorder::on_elected(const Event& event, const View& snapshot) {
  // The node that led under another process leads on.
  if (event.epoch <= taken_over_) return on_confirmed(event);
  if (!going_on_) open_record(event, snapshot);
  gather(*going_on_, snapshot);
  if (watched_) end(*std::exchange(watched_, std::nullopt));
  watched_ = std::exchange(going_on_, std::nullopt);
  Failover& failover = watched_->failover;
  failover.to = event.node;
  failover.to_name = event.node_name;
  failover.epoch_to = event.epoch;
  failover.elected = event.at;
  failover.leaderless = failover.from ? event.at - failover.first_sign : event.unsettled;
  watched_->evidence.next_question = event.at + kFirstQuestion;
}

void FailoverRecorder::on_confirmed(const Event& event) {
  if (!going_on_) return;
  Record record = *std::exchange(going_on_, std::nullopt);
  if (event.at - record.failover.first_sign < kNotableDoubt) return;
  record.failover.to = event.node;
  record.failover.to_name = event.node_name;
  record.failover.epoch_to = record.failover.epoch_from;
  record.failover.elected = event.at;
  record.failover.heard_again = event.at;
  record.failover.leaderless = event.at - record.failover.first_sign;
  record.failover.cause = judge(record, event.at);
  end(std::move(record));
}

void FailoverRecorder::look(const View& snapshot, const FailoverTraffic& total) {
  now_ = std::max(now_, snapshot.at);
  node_count_ = snapshot.nodes.size();
  note_traffic(total, now_);
  for (auto* slot : {&watched_, &going_on_}) {
    if (!*slot) continue;
    Record& record = **slot;
    gather(record, snapshot);
    record.failover.cause = judge(record, now_);
    record.failover.traffic = total - record.traffic_before;
  }
  if (!watched_) return;
  if (is_settled(*watched_, now_)) return end(*std::exchange(watched_, std::nullopt));
  ask_if_due(*watched_, snapshot);
}

void FailoverRecorder::note_traffic(const FailoverTraffic& total, TimePoint now) {
  traffic_now_ = total;
  if (now - traffic_before_.newer_at < kTrafficSample) return;
  traffic_before_ = {traffic_before_.newer, total, now};
}

void FailoverRecorder::on_first_success(Epoch epoch, TimePoint at) {
  if (!watched_ || watched_->failover.epoch_to != epoch || watched_->failover.first_success) return;
  watched_->failover.first_success = at;
}

TimePoint FailoverRecorder::next_look() const { return going_on_ || watched_ ? now_ + kLook : kNever; }

std::vector<NodeId> FailoverRecorder::take_questions() { return std::exchange(questions_, {}); }

std::vector<Failover> FailoverRecorder::take_ended() { return std::exchange(ended_, {}); }

std::vector<Failover> FailoverRecorder::open() const {
  std::vector<Failover> records;
  for (const auto* slot : {&watched_, &going_on_}) {
    if (*slot) records.push_back((*slot)->failover);
  }
  return records;
}

OpenFailovers FailoverRecorder::hand_over() const {
  const auto open = [](const Slot& slot) {
    return slot ? std::optional(OpenFailover{slot->failover, slot->evidence}) : std::nullopt;
  };
  return {open(going_on_), open(watched_)};
}

// Its traffic goes on from what was counted: the differences are right though the totals are others.
FailoverRecorder::Slot FailoverRecorder::slot_of(const std::optional<OpenFailover>& theirs,
                                                 const FailoverTraffic& total) {
  if (!theirs) return std::nullopt;
  return Record{theirs->failover, theirs->evidence, total - theirs->failover.traffic};
}

// The record that they have open, with the new leader that was seen here first.
FailoverRecorder::Record FailoverRecorder::completed(Record theirs, const Record& own) {
  theirs.failover.to = own.failover.to;
  theirs.failover.to_name = own.failover.to_name;
  theirs.failover.epoch_to = own.failover.epoch_to;
  theirs.failover.elected = own.failover.elected;
  theirs.failover.first_success = own.failover.first_success;
  theirs.failover.leaderless = std::max(*own.failover.elected - theirs.failover.first_sign, Duration::zero());
  theirs.evidence.next_question = own.evidence.next_question;
  return theirs;
}

void FailoverRecorder::take_over(const OpenFailovers& theirs, Epoch epoch, const View& snapshot,
                                 const FailoverTraffic& total) {
  now_ = std::max(now_, snapshot.at);
  node_count_ = snapshot.nodes.size();
  traffic_now_ = total;
  taken_over_ = epoch;
  std::erase_if(ended_, [&](const Failover& each) { return each.epoch_to <= epoch; });
  Slot own = std::exchange(watched_, slot_of(theirs.watched, total));
  Slot doubt = slot_of(theirs.going_on, total);
  if (own && own->failover.epoch_to > epoch) {
    if (watched_) end(*std::exchange(watched_, std::nullopt));
    watched_ = doubt ? completed(*std::move(doubt), *own) : *std::move(own);
    return;
  }
  if (doubt) going_on_ = std::move(doubt);
  if (going_on_ && snapshot.leader && !snapshot.suspect) end_doubt(snapshot);
}

// What another process is in doubt about leads, as it is seen here.
void FailoverRecorder::end_doubt(const View& snapshot) {
  if (snapshot.epoch != going_on_->failover.epoch_from) return going_on_.reset();
  Event confirmed;
  confirmed.kind = EventKind::kLeaderConfirmed;
  confirmed.at = now_;
  confirmed.node = snapshot.leader;
  confirmed.node_name = snapshot.name(*snapshot.leader);
  on_confirmed(confirmed);
}

// A successor that is known settles it; one that is not, after several questions, too.
void FailoverRecorder::ask_if_due(Record& record, const View& snapshot) {
  const Failover& failover = record.failover;
  Evidence& seen = record.evidence;
  const bool may_be_cut_off = failover.demoted_to == Role::kStandby || failover.demoted_to == Role::kPerformanceStandby;
  if (!may_be_cut_off || seen.knows_successor || seen.went_away || failover.from == failover.to) return;
  const NodeView* const old = snapshot.nodes.find(*failover.from);
  if (old == nullptr || !is_denial(old->role) || old->failure) return;
  if (now_ < seen.next_question || seen.questions >= kMostQuestions) return;
  ++seen.questions;
  seen.next_question = now_ + kNextQuestion;
  questions_.push_back(*failover.from);
}

bool FailoverRecorder::is_settled(const Record& record, TimePoint now) const {
  const Failover& failover = record.failover;
  const Duration led = now - *failover.elected;
  if (led >= kWatchedFor || !failover.from) return true;
  const Evidence& seen = record.evidence;
  const bool is_asked = seen.knows_successor || seen.peers_were_gone || seen.went_away ||
                        (seen.questions >= kMostQuestions && now >= seen.next_question);
  bool is_known = false;
  switch (failover.cause) {
    case FailoverCause::kStepDown:
    case FailoverCause::kCutOffFromPeers:
      is_known =
          is_asked || failover.from == failover.to || seen.claimed_on || failover.demoted_to == Role::kDisconnected;
      break;
    case FailoverCause::kHang:
    case FailoverCause::kBlocked:
    case FailoverCause::kUnreachable:
    case FailoverCause::kUnknown:
      is_known = failover.heard_again && (failover.demoted || now - *failover.heard_again >= kSaysMoreWithin);
      break;
    case FailoverCause::kCrash:
    case FailoverCause::kLostQuorum:
      is_known = !seen.voters_were_missing || seen.voters_are_back || led >= kServedWithin;
      break;
    case FailoverCause::kStart:
    case FailoverCause::kSeal:
    case FailoverCause::kStop:
    case FailoverCause::kOperator:
      is_known = true;
      break;
  }
  return is_known && (failover.first_success.has_value() || led >= kServedWithin);
}

void FailoverRecorder::end(Record record) {
  record.failover.is_open = false;
  record.failover.traffic = traffic_now_ - record.traffic_before;
  ended_.push_back(std::move(record.failover));
}

}  // namespace bellwether::cluster
