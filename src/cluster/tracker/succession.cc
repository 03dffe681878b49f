#include "succession.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {

Succession::Succession(const TrackerOptions& options, const ClusterIdentity& identity, Members& members,
                       ProbeSchedule& probes, Journal& journal)
    : options_(options), identity_(identity), members_(members), probes_(probes), journal_(journal) {}

bool Succession::may_lead(const NodeState& candidate) const {
  return candidate.seen.admin == AdminState::kReady &&
         identity_.judge(candidate.cluster_id, true) == ClusterIdentity::Verdict::kOurs;
}

std::optional<Claim> Succession::claim() const {
  if (!leadership_.is_settled() || contest_.has_value()) return std::nullopt;
  return Claim{*leadership_.leader(), leadership_.epoch(), leadership_.claim_sent()};
}

void Succession::on_claim(NodeId id, TimePoint sent, TimePoint now) {
  const NodeState& claimant = members_.at(id);
  if (!may_lead(claimant)) return;
  const std::optional<NodeId> leader = leadership_.leader();
  if (leader.has_value() && claimant.seen.same_as == leader) return;
  if (leader == id) {
    leadership_.confirm(sent, journal_);
    if (contest_.has_value() && contest_->note_leader_claim(sent))
      contest_->report_conflict_if_due(evidence(), now, journal_);
    return;
  }
  if (!leadership_.is_newer(id, claimant)) {
    probes_.of(id).ask_soon();
    return;
  }
  if (!leader.has_value()) {
    elect_waiting_claimant("it is the only one that claims to lead", now);
  } else if (leadership_.is_suspect() && !leadership_.is_left_behind(claimant)) {
    become_leader({id, sent, fmt::format("it claims to lead while {} is suspect", members_.name(*leader))}, now);
  } else {
    begin_contest(id, now);
  }
}

void Succession::on_silence(NodeId id, const std::string& what, TimePoint now) {
  if (!leadership_.is_leader(id)) return;
  const std::string_view name = members_.name(id);
  become_suspect(fmt::format("{}: {}", name, what), now);
  if (leadership_.is_leader(id) && !members_.at(id).seen.up)
    become_leaderless(fmt::format("{} has not answered {} times: {}", name, options_.fall, what), now);
}

void Succession::on_statement(const LeaderStatement& statement) {
  const NodeId id = statement.node;
  statements_.record(statement);
  members_.at(id).seen.names_leader =
      statement.is_self && statement.leader_address.empty() ? members_.url(id) : statement.leader_address;
  if (is_challenger(id) && statements_.follows(id, *leadership_.leader(), members_)) probes_.of(id).ask_soon();
}

void Succession::withdraw(NodeId id, const std::string& why_lost, const std::string& contest_outcome, TimePoint now) {
  end_contest_of(id, contest_outcome);
  if (leadership_.is_leader(id)) become_leaderless(why_lost, now);
}

void Succession::end_contest_of(NodeId challenger, const std::string& outcome) {
  if (is_challenger(challenger)) end_contest(outcome, leadership_.leader());
}

void Succession::excuse_stop(TimePoint now) {
  if (contest_.has_value()) contest_->excuse_stop(now);
}

void Succession::await_confirmation(ConfirmReason reason, TimePoint now) {
  if (leadership_.leader().has_value()) leadership_.await_confirmation(reason, now);
}

void Succession::on_removed(NodeId id, std::string_view name, TimePoint now) {
  leadership_.note_removed(id, name);
  withdraw(id, fmt::format("{} was removed from the nodes", name), "the challenger was removed", now);
}

void Succession::settle(TimePoint now) {
  notice_lateness(now);
  if (!leadership_.leader().has_value()) elect_waiting_claimant("it is the only one that claims to lead", now);
  resolve_contest(now);
}

TimePoint Succession::next_wake(TimePoint now) const {
  TimePoint wake = kNever;
  if (leadership_.is_settled()) wake = std::min(wake, probes_.of(*leadership_.leader()).late_from(options_));
  if (contest_.has_value()) wake = std::min(wake, contest_->due(evidence(), now));
  const TimePoint all_had_their_chance = members_.newest_since() + options_.suspect_after;
  if (!leadership_.leader().has_value() && all_had_their_chance > now) wake = std::min(wake, all_had_their_chance);
  return wake;
}

void Succession::notice_lateness(TimePoint now) {
  if (!leadership_.is_settled()) return;
  const NodeId leader = *leadership_.leader();
  if (has_late_probe(leader, now)) become_suspect(fmt::format("{}'s probe is late", members_.name(leader)), now);
}

// Without a leader: the node that claims and may lead. Where two do, the one that answers, then the newer claim; the
// other contests it.
void Succession::elect_waiting_claimant(const std::string& why, TimePoint now) {
  BW_ASSERT(!leadership_.leader().has_value());
  std::vector<NodeId> claimants = waiting_claimants(now);
  std::stable_sort(claimants.begin(), claimants.end(), [&](NodeId a, NodeId b) {
    const bool a_late = has_late_probe(a, now);
    const bool b_late = has_late_probe(b, now);
    return a_late != b_late ? b_late : members_.at(a).claim_sent > members_.at(b).claim_sent;
  });
  if (claimants.empty()) return;
  become_leader({claimants[0], members_.at(claimants[0]).claim_sent, why}, now);
  const auto other = std::find_if(claimants.begin() + 1, claimants.end(),
                                  [&](NodeId each) { return members_.at(each).seen.same_as != claimants[0]; });
  if (other != claimants.end()) begin_contest(*other, now);
}

std::vector<NodeId> Succession::waiting_claimants(TimePoint now) const {
  std::vector<NodeId> claimants;
  for (const NodeId id : members_.ids()) {
    const NodeState& candidate = std::as_const(members_).at(id);
    if (candidate.seen.role != Role::kActive || candidate.claim_sent == kLongAgo) continue;
    if (!may_lead(candidate) || !leadership_.is_newer(id, candidate) || !others_were_asked(id, now)) continue;
    claimants.push_back(id);
  }
  return claimants;
}

// Before the cluster_id is settled, one claim is believed only when every other node has had its chance to contradict.
bool Succession::others_were_asked(NodeId claimant, TimePoint now) const {
  if (!identity_.pinned().empty() || now - members_.newest_since() >= options_.suspect_after) return true;
  return std::all_of(members_.ids().begin(), members_.ids().end(),
                     [&](NodeId id) { return id == claimant || was_heard(members_.at(id)); });
}

void Succession::become_leader(Election won, TimePoint now) {
  NodeState& winner = members_.at(won.node);
  BW_ASSERT(winner.seen.role == Role::kActive && may_lead(winner));
  const std::optional<NodeId> replaced = leadership_.leader();
  if (const auto last = leadership_.last_leader(); last && members_.has(*last)) members_.at(*last).replaced_at = now;
  if (contest_.has_value()) won.contested = now - contest_->begun();
  leadership_.elect(won, now, journal_);
  if (contest_.has_value()) end_contest(fmt::format("{} leads: {}", members_.name(won.node), won.why), replaced);
  if (winner.seen.same_as.has_value()) members_.forget_same_server(won.node);
  probes_.reset_hints();
  probes_.hurry_all();
}

void Succession::become_leaderless(const std::string& why, TimePoint now) {
  leadership_.lose(why, now, journal_);
  probes_.reset_hints();
  if (contest_.has_value()) end_contest(why, std::nullopt);
  elect_waiting_claimant("it claims to lead, and " + why, now);
}

void Succession::become_suspect(const std::string& why, TimePoint now) {
  if (leadership_.is_suspect()) return;
  leadership_.suspect(why, now, journal_);
  probes_.reset_hints();
  if (!contest_.has_value()) return;
  const NodeId challenger = contest_->challenger();
  const NodeState& waiting = members_.at(challenger);
  if (leadership_.is_left_behind(waiting)) return;
  if (!may_lead(waiting) || has_late_probe(challenger, now)) return;  // its next claim will do
  become_leader({challenger, waiting.claim_sent, fmt::format("it claims to lead while {}", why)}, now);
}

// Another node claims while the leader is not suspect, or must not be replaced all the same: ask both again, and ask
// everybody whom they follow.
void Succession::begin_contest(NodeId challenger, TimePoint now) {
  BW_ASSERT(leadership_.leader().has_value() && !leadership_.is_leader(challenger));
  if (contest_.has_value()) return;
  contest_.emplace(challenger, leadership_, now);
  probes_.ask_all_soon();
  ask_whom_they_follow(now);
}

void Succession::resolve_contest(TimePoint now) {
  if (!contest_.has_value()) return;
  if (may_lead(members_.at(contest_->challenger()))) {
    carry_out(contest_->judge(evidence(), now, journal_), now);
  } else {
    end_contest("the challenger may not lead any more", leadership_.leader());
  }
}

void Succession::carry_out(const Contest::Ruling& ruling, TimePoint now) {
  const NodeId challenger = contest_->challenger();
  switch (ruling.verdict) {
    case Contest::Verdict::kOneServer:
      members_.make_same_server(challenger, *leadership_.leader(), ruling.why, journal_);
      end_contest(ruling.outcome, leadership_.leader());
      return;
    case Contest::Verdict::kChallengerLeads:
      become_leader({.node = challenger,
                     .claim_sent = members_.at(challenger).claim_sent,
                     .why = ruling.why,
                     .by_majority = ruling.by_majority},
                    now);
      return;
    case Contest::Verdict::kUndecided:
      if (ruling.leader_is_followed.has_value()) leadership_.note_followed(*ruling.leader_is_followed);
      if (ruling.ask_again) ask_whom_they_follow(now);
      return;
  }
}

void Succession::end_contest(const std::string& outcome, std::optional<NodeId> leader) {
  const Contest ended = *std::exchange(contest_, std::nullopt);
  if (!ended.is_conflict()) return;
  Event& event = journal_.report(EventKind::kConflictEnded);
  event.node = leader;
  event.other = ended.challenger();
  event.epoch = ended.epoch();
  event.why = outcome;
}

void Succession::ask_whom_they_follow(TimePoint now) {
  contest_->note_asked(now);
  statements_.clear();
  for (const NodeId id : members_.ids()) {
    if (members_.at(id).seen.up) journal_.ask_leader(id);
  }
}

bool Succession::has_late_probe(NodeId id, TimePoint now) const {
  return std::as_const(probes_).of(id).has_late_probe(options_, now);
}

Contest::Evidence Succession::evidence() const {
  return {members_, statements_, leadership_, probes_.of(*leadership_.leader()), options_};
}

}  // namespace bellwether::cluster
