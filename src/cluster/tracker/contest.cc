#include "contest.h"

#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/assert.h"

namespace bellwether::cluster {

Contest::Contest(NodeId challenger, const Leadership& leadership, TimePoint now)
    : leader_(*leadership.leader()),
      challenger_(challenger),
      epoch_(leadership.epoch()),
      leader_since_(leadership.leader_since()),
      begun_(now),
      patience_from_(leader_since_),
      asked_at_(now) {
  BW_ASSERT(leader_ != challenger_);
}

// A contest is no conflict before: most leaders that are contested have just stood down, and say so when asked.
bool Contest::note_leader_claim(TimePoint sent) {
  if (sent < begun_) return false;
  leader_claims_anew_ = true;
  return true;
}

// Both nodes have a moment to state in /v1/sys/leader who they are: they may be names of one server. A challenger that
// states that the leader leads is asked once more: it denies, or claims_and_follows().
void Contest::report_conflict_if_due(const Evidence& evidence, TimePoint now, Journal& journal) {
  if (!leader_claims_anew_ || is_conflict_) return;
  const Members& members = evidence.members;
  const Statements& statements = evidence.statements;
  if (statements.follows(challenger_, leader_, members)) return;
  const bool both_say_so = statements.says_it_leads(leader_, members) && statements.says_it_leads(challenger_, members);
  if (!both_say_so && now - begun_ < evidence.options.suspect_after) return;
  is_conflict_ = true;
  Event& event = journal.report(EventKind::kConflict);
  event.node = leader_;
  event.other = challenger_;
  event.why = fmt::format("{} leads, and {} claims to lead too", members.name(leader_), members.name(challenger_));
}

// The challenger wins when the leader stays unanswered for its patience (unless the challenger is left behind), when it
// was seen to turn from standby to active and no majority names the leader, or when a majority names the challenger.
// Otherwise the leader stays.
Contest::Ruling Contest::judge(const Evidence& evidence, TimePoint now, Journal& journal) {
  if (const std::optional<Ruling> one_server = find_one_server(evidence)) return *one_server;
  report_conflict_if_due(evidence, now, journal);
  const bool unanswered = leader_patience_over(evidence) <= now;
  const bool is_left_behind = evidence.leadership.is_left_behind(evidence.members.at(challenger_));
  if (unanswered && !is_left_behind) {
    Ruling won{.verdict = Verdict::kChallengerLeads};
    won.why = fmt::format("{} does not answer", evidence.members.name(leader_));
    return won;
  }
  return count_statements(evidence, now);
}

std::optional<Contest::Ruling> Contest::find_one_server(const Evidence& evidence) const {
  Ruling one_server{.verdict = Verdict::kOneServer};
  if (evidence.statements.state_one_identity(leader_, challenger_)) {
    one_server.why = "both state the same api_addr, cluster address and active_time";
    one_server.outcome = "both are names of one server";
    return one_server;
  }
  if (claims_and_follows(evidence)) {
    one_server.why = fmt::format("it claims to lead and states that {} leads, as the name of a balancer does",
                                 evidence.members.name(leader_));
    one_server.outcome = "the challenger states that the leader leads";
    return one_server;
  }
  return std::nullopt;
}

// Each answer of the name of a balancer may come from another server. One server that states whom it follows, and
// claims after that, is unlikely: it would have taken over in between, while the leader claims.
bool Contest::claims_and_follows(const Evidence& evidence) const {
  return leader_claims_anew_ && evidence.statements.follows(challenger_, leader_, evidence.members) &&
         evidence.members.at(challenger_).claim_sent >= evidence.statements.received(challenger_);
}

Contest::Ruling Contest::count_statements(const Evidence& evidence, TimePoint now) const {
  const Members& members = evidence.members;
  const bool all_have_stated = evidence.statements.all_have_stated(members);
  Ruling ruling;
  if (!all_have_stated && now - asked_at_ < evidence.options.suspect_after) return ruling;
  const int majority = members.servers() / 2 + 1;
  const bool leader_is_followed = evidence.statements.count_naming(leader_, members) >= majority;
  const bool challenger_is_followed = evidence.statements.count_naming(challenger_, members) >= majority;
  if (challenger_is_followed || (challenger_rose(evidence) && !leader_is_followed)) {
    ruling.verdict = Verdict::kChallengerLeads;
    ruling.why = in_numbers(evidence);
    ruling.by_majority = challenger_is_followed;
    return ruling;
  }
  if (leader_is_followed || all_have_stated) ruling.leader_is_followed = leader_is_followed;
  ruling.ask_again = now - asked_at_ >= evidence.options.inter;
  return ruling;
}

bool Contest::challenger_rose(const Evidence& evidence) const {
  const NodeState& challenger = evidence.members.at(challenger_);
  return challenger.rose_at != kLongAgo && challenger.rose_at >= leader_since_;
}

// When the leader will have left its probe unanswered for too long. Who led before, fell silent and now claims again
// has most likely just woken, and does not know yet that another node leads: then the leader has as long as ever.
TimePoint Contest::leader_patience_over(const Evidence& evidence) const {
  const bool may_have_woken = evidence.leadership.has_not_stood_down(evidence.members.at(challenger_));
  const TrackerOptions& options = evidence.options;
  const Duration patience = may_have_woken ? options.suspect_after : options.conflict_patience;
  return evidence.leader_probes.patience_over(patience_from_, patience);
}

std::string Contest::in_numbers(const Evidence& evidence) const {
  const Members& members = evidence.members;
  return fmt::format("of {} nodes {} name {} and {} name {}", members.size(),
                     evidence.statements.count_naming(leader_, members), members.name(leader_),
                     evidence.statements.count_naming(challenger_, members), members.name(challenger_));
}

TimePoint Contest::due(const Evidence& evidence, TimePoint now) const {
  TimePoint due = asked_at_ + evidence.options.inter;
  const TimePoint silent_witnesses = asked_at_ + evidence.options.suspect_after;
  if (!evidence.statements.all_have_stated(evidence.members)) due = std::max(due, silent_witnesses);
  for (const TimePoint at : {silent_witnesses, begun_ + evidence.options.suspect_after}) {
    if (at > now) due = std::min(due, at);
  }
  if (evidence.leadership.is_left_behind(evidence.members.at(challenger_))) return due;
  return std::min(due, leader_patience_over(evidence));
}

}  // namespace bellwether::cluster
