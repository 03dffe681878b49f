#pragma once

#include <optional>
#include <string>

#include "bellwether/cluster/tracker.h"
#include "cluster/evidence/identity.h"
#include "cluster/evidence/journal.h"
#include "cluster/evidence/members.h"
#include "demand.h"
#include "picture.h"
#include "probe_schedule.h"
#include "publication.h"
#include "succession.h"

namespace bellwether::cluster {

// The rules of DESIGN.md, one for each input. The rule of an input, on(), changes the class that owns the evidence, and
// passes on at once what follows from it for other classes. Then settle() applies what follows from time, orders probes
// and publishes. Between two calls the state is in the members; a call in progress builds its step in the journal.
class LeaderTracker::Rules {
 public:
  explicit Rules(TrackerOptions options);

  Step apply(const Input& input, TimePoint now);

  [[nodiscard]] const ViewPtr& view() const { return publication_.view(); }
  [[nodiscard]] ViewPtr snapshot(TimePoint now) const;

 private:
  // One for each alternative of Input: what was seen in rules.cc, the operator's orders in orders.cc.
  void on(const Start& input, TimePoint now);
  void on(const FormerLead& former, TimePoint now);
  void on(const Tick& /*input*/, TimePoint /*now*/) {}
  void on(const ProbeAnswer& answer, TimePoint now);
  void on(const ProbeFailed& failed, TimePoint now);
  void on(const LostSyn& lost, TimePoint now);
  void on(const SameServer& same, TimePoint now);
  void on(const LeaderStatement& statement, TimePoint now);
  void on(const Hint& hint, TimePoint now);
  void on(const LiveAnswer& live, TimePoint now);
  void on(const Traffic& input, TimePoint now);
  void on(const ClaimWanted& wanted, TimePoint now);
  void on(const ExchangesWaiting& exchanges, TimePoint now);
  void on(const LoopLate& loop, TimePoint now);
  void on(const SetAdminState& order, TimePoint now);
  void on(const Repin& order, TimePoint now);
  void on(const Pause& order, TimePoint now);
  void on(const Resume& order, TimePoint now);
  void on(const Reconfigure& change, TimePoint now);

  // What an answer, or its absence, says of a node.
  void on_vault_answer(NodeId id, const ProbeAnswer& answer, TimePoint now);
  void on_denial(NodeId id, TimePoint now);
  void on_silence(NodeId id, const std::string& what, TimePoint now);
  void state_role(NodeId id, Role role, TimePoint now);
  void void_claims_of_other_names(NodeId id, TimePoint now);
  void on_cluster_id_learned(std::optional<NodeId> by, TimePoint now);
  void expel_strangers(std::optional<NodeId> but, TimePoint now);
  void wake_up(TimePoint now);

  // What the operator's orders consist of.
  void set_admin_state(NodeId id, AdminState state, TimePoint now);
  void take_over_settings(const TrackerOptions& options, TimePoint now);
  void take_over_nodes(const TopologyPtr& next, TimePoint now);
  void on_removed(NodeId id, const Topology& before, TimePoint now);

  [[nodiscard]] Step settle(TimePoint now);
  void notice_identity_dispute();
  void publish(TimePoint now);
  [[nodiscard]] PaceContext pace(TimePoint now) const;
  [[nodiscard]] TimePoint next_wake(TimePoint now) const;
  [[nodiscard]] Picture picture() const;

  TrackerOptions options_;  // its topology is that of the start; members_ has the present one
  Journal journal_;
  Members members_;
  ClusterIdentity identity_;
  ProbeSchedule probes_;
  Demand demand_;
  Succession succession_;
  bool is_identity_disputed_ = false;  // and that has been told
  Publication publication_;
};

}  // namespace bellwether::cluster
