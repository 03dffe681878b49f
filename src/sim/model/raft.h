#pragma once

#include <cstdint>
#include <vector>

#include "answers.h"
#include "bellwether/base/prng.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "model_options.h"
#include "processes.h"

namespace bellwether::sim {

enum class NodeRole : std::uint8_t { kStandby, kActive, kSealed };

// What a node is in its cluster, and what it knows of the leader.
struct RaftNode {
  NodeRole role = NodeRole::kStandby;
  NodeRole after_block = NodeRole::kStandby;
  bool is_partitioned = false;
  bool pretends = false;  // split brain: says that it leads
  Stated stated = Stated::kItself;
  int knows_leader = -1;
  TimePoint learns_at = kNever;   // knows the present leader from then on
  TimePoint lease_ends = kNever;  // active without quorum: writes are stuck
  TimePoint block_ends = kNever;  // answers nothing until then
  TimePoint electable_from{};
  TimePoint cut_at = kNever;  // what was written later has not arrived
  TimePoint active_since{};

  [[nodiscard]] bool is_active() const { return role == NodeRole::kActive || pretends; }
  [[nodiscard]] bool is_blocked() const { return block_ends != kNever; }
  [[nodiscard]] bool lacks_quorum() const { return lease_ends != kNever; }
};

// What a change of the cluster means for the requests that a node keeps.
struct RaftChange {
  enum class Kind : std::uint8_t {
    kQuorumRegained,  // its stuck writes are executed
    kLeadershipLost,  // its stuck writes fail
    kAnswersAgain,    // what waited for it is served
    kLeaderLearned,   // what it forwarded to another node is answered
  };
  Kind kind{};
  int node = 0;
};

// Who leads a simulated raft cluster, and how a node starts and stops leading: elections, quorum, leases, the silence
// of a demotion, seals and partitions. Each command changes the cluster at once, and adds what that means for requests
// to what take_changes() returns, in order. Pure: time goes in.
class Raft {
 public:
  // Node 0 leads from the start. `options`, `processes` and `prng` must outlive it.
  Raft(const ModelOptions& options, const Processes& processes, Prng& prng, TimePoint now);

  [[nodiscard]] int leader() const;                      // who leads and says so now; -1: nobody
  [[nodiscard]] int elected() const { return leader_; }  // as leader_
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] const RaftNode& node(int node) const { return nodes_[static_cast<std::size_t>(node)]; }
  // Up to when the node has what was written to the cluster.
  [[nodiscard]] TimePoint data_as_of(int node, TimePoint now) const;
  [[nodiscard]] bool is_cut_off(int node) const { return this->node(node).is_partitioned && size() > 1; }
  [[nodiscard]] TimePoint leaderless_since() const { return leaderless_since_; }

  // What administrators do. They return an error where the node's state has no room for it.
  [[nodiscard]] Result<void> step_down(int node, TimePoint now);
  [[nodiscard]] Result<void> seal(int node, TimePoint now);
  [[nodiscard]] Result<void> unseal(int node, TimePoint now);

  // What befalls a node. The first four follow what was done to its process.
  void on_started(int node, TimePoint now);
  void on_stopped(int node, Duration election, TimePoint now);
  void on_frozen(int node, TimePoint now);
  void on_thawed(int node, TimePoint now);
  [[nodiscard]] Result<void> partition(int node, TimePoint now);
  void heal(int node, TimePoint now);  // and what it stated falsely
  [[nodiscard]] Result<void> pretend_to_lead(int node);
  [[nodiscard]] Result<void> state_role(int node, Stated stated, TimePoint now);

  // What time does to a node, and to the cluster. REQUIRES of do_due: the node's process runs
  void do_due(int node, TimePoint now);
  void elect_if_due(TimePoint now);
  [[nodiscard]] TimePoint next_due() const;
  [[nodiscard]] std::vector<RaftChange> take_changes();

 private:
  [[nodiscard]] bool is_alive(int node) const;  // takes part in raft, reachable or not
  [[nodiscard]] bool has_quorum() const;        // among the nodes that reach each other
  [[nodiscard]] bool leader_has_quorum() const;
  void reconcile(TimePoint now, Duration election);  // after any change in who reaches whom
  void become_leaderless(TimePoint now);
  void end_leadership(int node, NodeRole next, TimePoint now);
  void block(int node, NodeRole next, TimePoint now);
  void end_lease(int node, TimePoint now);
  void end_block(int node, TimePoint now);
  void learn(int node);
  void elect(TimePoint now);
  [[nodiscard]] std::vector<int> candidates(TimePoint now) const;
  [[nodiscard]] RaftNode& at(int node) { return nodes_[static_cast<std::size_t>(node)]; }

  const ModelOptions& options_;
  const Processes& processes_;
  Prng& prng_;
  std::vector<RaftNode> nodes_;
  int leader_ = 0;      // whom the quorum follows; a frozen or cut-off one until its successor is there
  int advertised_ = 0;  // the last one that led
  TimePoint leaderless_since_ = kNever;
  TimePoint election_at_ = kNever;
  std::vector<RaftChange> changes_;
};

}  // namespace bellwether::sim
