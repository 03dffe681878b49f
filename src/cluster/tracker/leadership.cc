#include "leadership.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {
namespace {

// Has led under another process, and is none of the nodes any more.
constexpr NodeId kGoneBefore{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

void Leadership::start(const std::optional<FormerLead>& former, TimePoint now) {
  leaderless_since_ = now;
  if (!former || former->epoch == 0) return;
  epoch_ = former->epoch;
  last_leader_ = former->node.value_or(kGoneBefore);
  if (!former->node) removed_leader_name_ = former->name;
  if (former->is_over) {
    leaderless_since_ = std::min(former->since, now);
  } else if (former->node) {
    led_elsewhere_ = Led{*former->node, std::min(former->since, now)};
  }
}

void Leadership::on_former_lead(const FormerLead& former, Journal& journal) {
  if (former.epoch < epoch_) return;
  const bool is_same_term = former.epoch == epoch_;
  epoch_ = former.epoch;
  journal.enter_epoch(epoch_);
  if (leader_.has_value() && leader_ == former.node && !former.is_over) {
    leader_since_ = is_same_term ? std::min(leader_since_, former.since) : former.since;
  }
}

void Leadership::elect(const Election& won, TimePoint now, Journal& journal) {
  BW_ASSERT(!is_leader(won.node));
  const std::optional<Led> led_elsewhere = std::exchange(led_elsewhere_, std::nullopt);
  const bool goes_on = led_elsewhere.has_value() && led_elsewhere->node == won.node;
  Event& event = journal.report(EventKind::kLeaderElected);
  event.node = won.node;
  if (!goes_on) {
    event.other = last_leader_;
    event.other_name = std::exchange(removed_leader_name_, {});
    epoch_ += 1;
    if (const auto since = unsettled_since()) event.unsettled = now - *since;
  }
  event.epoch = epoch_;
  event.last_claim = last_claim();
  event.contested = won.contested;
  event.why = won.why;
  leader_ = won.node;
  last_leader_ = won.node;
  leader_since_ = goes_on ? led_elsewhere->since : now;
  claim_sent_ = won.claim_sent;
  is_followed_ = won.by_majority;
  suspect_since_.reset();
  leaderless_since_.reset();
  // The claim that won is as fresh as any that was waited for.
  if (confirm_reason_.has_value() && won.claim_sent >= confirm_since_) confirm_reason_.reset();
  journal.enter_epoch(epoch_);
}

void Leadership::lose(const std::string& why, TimePoint now, Journal& journal) {
  BW_ASSERT(leader_.has_value());
  Event& event = report(EventKind::kLeaderLost, journal);
  event.last_claim = last_claim();
  event.why = why;
  leaderless_since_ = suspect_since_.value_or(now);
  leader_.reset();
  is_followed_ = false;
  suspect_since_.reset();
  confirm_reason_.reset();
  is_stalled_ = false;
  lost_at_ = now;
  why_lost_ = why;
}

void Leadership::suspect(const std::string& why, TimePoint now, Journal& journal) {
  BW_ASSERT(is_settled());
  Event& event = report(EventKind::kLeaderSuspect, journal);
  event.last_claim = last_claim();
  event.why = why;
  suspect_since_ = now;
  why_suspect_ = why;
}

void Leadership::confirm(TimePoint sent, Journal& journal) {
  claim_sent_ = std::max(claim_sent_, sent);
  if (suspect_since_.has_value() && sent >= *suspect_since_) {
    report(EventKind::kLeaderConfirmed, journal);
    suspect_since_.reset();
  }
  if (confirm_reason_.has_value() && sent >= confirm_since_) confirm_reason_.reset();
}

void Leadership::await_confirmation(ConfirmReason reason, TimePoint since) {
  confirm_since_ = since;
  confirm_reason_ = reason;
}

void Leadership::note_stall(int waiting, bool is_stalled, Journal& journal) {
  const bool stalled = is_settled() && is_stalled;
  if (stalled == is_stalled_) return;
  is_stalled_ = stalled;
  Event& event = report(stalled ? EventKind::kStalled : EventKind::kStallEnded, journal);
  if (!stalled) return;
  event.why = fmt::format("{} exchanges wait and none completes, though health says active", waiting);
}

void Leadership::note_removed(NodeId id, std::string_view name) {
  if (last_leader_ == id) removed_leader_name_ = name;
}

std::optional<TimePoint> Leadership::unsettled_since() const {
  return suspect_since_.has_value() ? suspect_since_ : leaderless_since_;
}

std::optional<TimePoint> Leadership::last_claim() const {
  return claim_sent_ == kLongAgo ? std::nullopt : std::optional(claim_sent_);
}

bool Leadership::is_newer(NodeId id, const NodeState& candidate) const {
  if (!last_leader_.has_value()) return true;
  const bool was_leader = id == last_leader_;
  return was_leader ? candidate.claim_sent >= lost_at_ : candidate.claim_sent >= claim_sent_;
}

bool Leadership::has_not_stood_down(const NodeState& former) const {
  return former.rose_at < leader_since_ && former.replaced_at > former.denied_at;
}

bool Leadership::is_left_behind(const NodeState& former) const {
  return leader_.has_value() && is_followed_ && has_not_stood_down(former);
}

// An event about the leader of now.
Event& Leadership::report(EventKind kind, Journal& journal) const {
  Event& event = journal.report(kind);
  event.node = leader_;
  return event;
}

}  // namespace bellwether::cluster
