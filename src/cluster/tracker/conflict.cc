#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "rules.h"

namespace bellwether::cluster {
// Another node claims while the leader is not suspect: ask both again, and ask everybody whom they follow.
void LeaderTracker::Rules::contest(NodeId challenger, TimePoint now) {
  BW_ASSERT(leader_.has_value() && !is_leader(challenger));
  if (contest_.has_value()) return;
  contest_ = Contest{.challenger = challenger, .patience_from = leader_since_, .begun = now};
  probe_all_now();
  ask_whom_they_follow(now);
}

// A contest is no conflict before: most leaders that are contested have just stood down, and say so when asked.
void LeaderTracker::Rules::on_claim_in_contest(TimePoint sent, TimePoint now) {
  if (!contest_.has_value() || sent < contest_->begun) return;
  contest_->leader_claims_anew = true;
  report_conflict_if_due(now);
}

// Both nodes have a moment to state in /v1/sys/leader who they are: they may be names of one server. A challenger that
// states that the leader leads is asked once more: it denies, or claims_and_follows().
void LeaderTracker::Rules::report_conflict_if_due(TimePoint now) {
  if (!contest_.has_value() || !contest_->leader_claims_anew || contest_->both_lead) return;
  const NodeId challenger = contest_->challenger;
  if (follows_leader(challenger)) return;
  const bool both_say_so = says_it_leads(*leader_) && says_it_leads(challenger);
  if (!both_say_so && now - contest_->begun < options_.suspect_after) return;
  contest_->both_lead = true;
  Event& event = report(EventKind::kConflict, now);
  event.node = leader_;
  event.other = challenger;
  event.epoch = epoch_;
  event.why = fmt::format("{} leads, and {} claims to lead too", name(*leader_), name(challenger));
}

void LeaderTracker::Rules::ask_whom_they_follow(TimePoint now) {
  contest_->asked_at = now;
  for (const NodeId id : nodes_.ids()) {
    node(id).statement.reset();
    if (node(id).seen.up) pending_.ask_leader.push_back(id);
  }
}

void LeaderTracker::Rules::end_contest(const std::string& outcome, TimePoint now) {
  const Contest ended = *std::exchange(contest_, std::nullopt);
  if (!ended.both_lead) return;
  Event& event = report(EventKind::kConflictEnded, now);
  event.node = leader_;
  event.other = ended.challenger;
  event.epoch = epoch_;
  event.why = outcome;
}

// By its configured address, or by the api_addr that it states itself.
bool LeaderTracker::Rules::names(const LeaderStatement& statement, NodeId id) const {
  if (statement.node == id && statement.is_self) return true;
  if (statement.leader_address.empty()) return false;
  const auto is_named = [&](const std::string& address) {
    return equals_ignoring_case(without_trailing_slash(statement.leader_address), without_trailing_slash(address));
  };
  const auto& its_own = node(id).statement;
  return is_named(url(id)) || (its_own.has_value() && its_own->is_self && is_named(its_own->leader_address));
}

bool LeaderTracker::Rules::says_it_leads(NodeId id) const {
  const auto& statement = node(id).statement;
  return statement.has_value() && names(*statement, id);
}

bool LeaderTracker::Rules::follows_leader(NodeId id) const {
  const auto& statement = node(id).statement;
  return statement.has_value() && !says_it_leads(id) && names(*statement, *leader_);
}

int LeaderTracker::Rules::nodes_naming(NodeId id) const {
  return static_cast<int>(std::count_if(nodes_.begin(), nodes_.end(), [&](const NodeState& witness) {
    return witness.statement.has_value() && names(*witness.statement, id);
  }));
}

bool LeaderTracker::Rules::all_have_said_whom_they_follow() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const NodeState& witness) { return !witness.seen.up || witness.statement.has_value(); });
}

std::string LeaderTracker::Rules::evidence() const {
  return fmt::format("of {} nodes {} name {} and {} name {}", nodes_.size(), nodes_naming(*leader_), name(*leader_),
                     nodes_naming(contest_->challenger), name(contest_->challenger));
}

bool LeaderTracker::Rules::challenger_rose() const {
  const NodeState& challenger = node(contest_->challenger);
  return challenger.rose_at != kLongAgo && challenger.rose_at >= leader_since_;
}

// It led before, another node replaced it, and since then it has only claimed.
bool LeaderTracker::Rules::has_not_stood_down(const NodeState& former) const {
  return former.rose_at < leader_since_ && former.replaced_at > former.denied_at;
}

// A former leader that goes on claiming though a majority follows the present one is cut off from its peers: that the
// present one is late is no sign that it is wrong to follow. Its loss, or a majority, brings the former one back.
bool LeaderTracker::Rules::is_left_behind(NodeId id) const {
  return leader_.has_value() && followed_ == leader_ && has_not_stood_down(node(id));
}

// How long the leader may leave its probe unanswered in a contest. Who led before, fell silent and now claims again has
// most likely just woken, and does not know yet: then as long as ever.
Duration LeaderTracker::Rules::contest_patience() const {
  return has_not_stood_down(node(contest_->challenger)) ? options_.suspect_after : options_.conflict_patience;
}

// The challenger wins when the leader stays unanswered for contest_patience() (unless the challenger is left behind),
// when it was seen to turn from standby to active and no majority names the leader, or when a majority names the
// challenger. Otherwise the leader stays.
void LeaderTracker::Rules::resolve_contest(TimePoint now) {
  if (!contest_.has_value()) return;
  const NodeId challenger = contest_->challenger;
  if (!may_lead(node(challenger))) {
    end_contest("the challenger may not lead any more", now);
    return;
  }
  if (state_one_identity(*leader_, challenger)) {
    become_same_server(challenger, *leader_, "both state the same api_addr, cluster address and active_time", now);
    end_contest("both are names of one server", now);
    return;
  }
  if (claims_and_follows(challenger)) {
    const std::string why =
        fmt::format("it claims to lead and states that {} leads, as the name of a balancer does", name(*leader_));
    become_same_server(challenger, *leader_, why, now);
    end_contest("the challenger states that the leader leads", now);
    return;
  }
  report_conflict_if_due(now);
  const NodeState& leader = node(*leader_);
  const Duration patience = contest_patience();
  const bool unanswered =
      std::any_of(leader.outstanding.begin(), leader.outstanding.end(), [&](const OutstandingProbe& p) {
        return !is_overtaken(leader, p.ordered) && now - std::max(p.late_from, contest_->patience_from) >= patience;
      });
  const auto win = [&](const std::string& why) { become_leader(challenger, node(challenger).claim_sent, why, now); };
  if (unanswered && !is_left_behind(challenger)) {
    win(fmt::format("{} does not answer", name(*leader_)));
    return;
  }
  if (!all_have_said_whom_they_follow() && now - contest_->asked_at < options_.suspect_after) return;
  const int majority = servers() / 2 + 1;
  const bool leader_is_followed = nodes_naming(*leader_) >= majority;
  const bool challenger_is_followed = nodes_naming(challenger) >= majority;
  if (challenger_is_followed || (challenger_rose() && !leader_is_followed)) {
    if (challenger_is_followed) followed_ = challenger;
    win(evidence());
    return;
  }
  if (leader_is_followed) {
    followed_ = leader_;
  } else if (all_have_said_whom_they_follow()) {
    followed_.reset();
  }
  // Undecided: the leader stays, and the question is asked again.
  if (now - contest_->asked_at >= options_.inter) ask_whom_they_follow(now);
}

}  // namespace bellwether::cluster
