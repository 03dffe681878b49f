#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/cluster/tracker_options.h"
#include "cluster/evidence/identity.h"
#include "cluster/evidence/journal.h"
#include "cluster/evidence/members.h"
#include "cluster/evidence/statements.h"
#include "contest.h"
#include "leadership.h"
#include "probe_schedule.h"

namespace bellwether::cluster {

// Decides who leads. Rules tells it of each claim, denial, silence and statement once the state of the node in question
// has been brought up to date; it carries out what follows for the lead: elections, suspicions, losses and contests.
class Succession {
 public:
  // REQUIRES: what is passed outlives this object.
  Succession(const TrackerOptions& options, const ClusterIdentity& identity, Members& members, ProbeSchedule& probes,
             Journal& journal);

  [[nodiscard]] const Leadership& leadership() const { return leadership_; }
  // While another node claims to lead and it is open which of the two does.
  [[nodiscard]] const std::optional<Contest>& contest() const { return contest_; }
  [[nodiscard]] bool may_lead(const NodeState& candidate) const;
  // The newest claim of the leader. Nothing while it is in doubt who leads: a claim confirms nothing then.
  [[nodiscard]] std::optional<Claim> claim() const;

  void start(const std::optional<FormerLead>& former, TimePoint now) { leadership_.start(former, now); }
  void on_former_lead(const FormerLead& former) { leadership_.on_former_lead(former, journal_); }
  // REQUIRES of what concerns a node: it is one of the members, and its state is up to date.
  void on_claim(NodeId id, TimePoint sent, TimePoint now);
  void on_silence(NodeId id, const std::string& what, TimePoint now);
  void on_statement(const LeaderStatement& statement);
  // The node may neither lead nor contest any longer: it has denied to lead, or the operator has taken it out.
  void withdraw(NodeId id, const std::string& why_lost, const std::string& contest_outcome, TimePoint now);
  void end_contest_of(NodeId challenger, const std::string& outcome);
  // Whether exchanges wait for the leader and none completes.
  void on_exchanges(int waiting, bool is_stalled) { leadership_.note_stall(waiting, is_stalled, journal_); }
  // Our own process stood still until now.
  void excuse_stop(TimePoint now);
  // The leader, if there is one, must claim anew before anything is sent to it.
  void await_confirmation(ConfirmReason reason, TimePoint now);
  // The members are those of `topology` now. The caller calls on_removed() for each node that is missing, afterwards.
  void take_over(const Topology& topology) { statements_.keep(topology); }
  void on_removed(NodeId id, std::string_view name, TimePoint now);

  // What follows from time.
  void settle(TimePoint now);
  [[nodiscard]] TimePoint next_wake(TimePoint now) const;

 private:
  void notice_lateness(TimePoint now);
  void elect_waiting_claimant(const std::string& why, TimePoint now);
  void become_leader(Election won, TimePoint now);
  void become_leaderless(const std::string& why, TimePoint now);
  void become_suspect(const std::string& why, TimePoint now);

  void begin_contest(NodeId challenger, TimePoint now);
  void resolve_contest(TimePoint now);
  void carry_out(const Contest::Ruling& ruling, TimePoint now);
  // `leader` is the leader that was contested; nothing if it was lost.
  void end_contest(const std::string& outcome, std::optional<NodeId> leader);
  void ask_whom_they_follow(TimePoint now);

  [[nodiscard]] bool is_challenger(NodeId id) const { return contest_.has_value() && contest_->challenger() == id; }
  [[nodiscard]] bool others_were_asked(NodeId claimant, TimePoint now) const;
  [[nodiscard]] std::vector<NodeId> waiting_claimants(TimePoint now) const;
  [[nodiscard]] bool has_late_probe(NodeId id, TimePoint now) const;
  [[nodiscard]] Contest::Evidence evidence() const;

  const TrackerOptions& options_;
  const ClusterIdentity& identity_;
  Members& members_;
  ProbeSchedule& probes_;
  Journal& journal_;

  Leadership leadership_;
  Statements statements_;
  std::optional<Contest> contest_;
};

}  // namespace bellwether::cluster
