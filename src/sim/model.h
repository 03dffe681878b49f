#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "answers.h"
#include "auth_api.h"
#include "bellwether/base/prng.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "kv_store.h"
#include "request.h"

namespace bellwether::sim {

// What was measured on raft with performance_multiplier 1 (src/vault/FACTS.md 5, tests/traces) and is not an option.
inline constexpr Duration kTermElection = 50ms;      // SIGTERM hands over at once
inline constexpr Duration kQuorumElection = 300ms;   // from quorum regained to a leader
inline constexpr Duration kWokenLease = 20ms;        // a woken leader answers what waited before it knows
inline constexpr Duration kLearnDelay = 10ms;        // standbys name the new leader that much after its first 200
inline constexpr Duration kRejoinDelay = 900ms;      // a healed node knows the leader again
inline constexpr Duration kStepDownPause = 10s;      // who stepped down is not elected for that long, unless alone
inline constexpr Duration kDisconnectedAfter = 10s;  // Vault: a leaderless standby says 474 (V:vault/ha.go)

struct ModelOptions {
  std::vector<std::string> urls;  // api_addr of each node
  Duration election = 500ms;
  Duration demotion_block = 500ms;
  Duration crash_election = 2s;
  Duration unseal_after = 1s;
  Duration lease = 500ms;           // a leader without quorum goes on saying 200 for that long, as was measured
  Duration replication_lag = 30ms;  // what a standby's own reads are behind
  bool standby_reads = true;
  bool openbao = true;
  bool consistency_headers = false;     // model_consistency.cc
  bool missing_header_forward = false;  // a standby forwards whatever carries no consistency header, health included
  bool names_itself = false;            // each answer says whose it is, as with enable_response_header_raft_node_id
  std::uint64_t seed = 1;
  std::string root_token = "root";
  WallTime wall_at_start{};
};

// A request of some client's connection to `node`.
struct RequestId {
  int node = 0;
  std::uint64_t exchange = 0;
  friend bool operator==(const RequestId&, const RequestId&) = default;
};

// What the model wants done to the outside, in order.
struct Answer {
  RequestId id;
  http::Response response;
};
enum class ProcessChange : std::uint8_t { kStop, kStart, kFreeze, kThaw };  // kStop closes and refuses connections
struct ChangeProcess {
  int node = 0;
  ProcessChange change{};
};
using Action = std::variant<Answer, ChangeProcess>;

enum class Process : std::uint8_t { kRunning, kStopped, kFrozen };
enum class NodeRole : std::uint8_t { kStandby, kActive, kSealed };

// For people and tests: how a node is doing.
struct NodeState {
  Process process = Process::kRunning;
  NodeRole role = NodeRole::kStandby;
  bool blocked = false;  // answers nothing: its role is changing
  bool partitioned = false;
  int knows_leader = -1;
};

// A Vault cluster on raft, without sockets and without a clock: requests, faults and time go in; answers and process
// changes come out through take_actions(). A request is answered at once, or kept until tick() gets to its answer, or
// dropped with its node. Deterministic: the same inputs give the same outputs. Bounded by what the caller lets in: it
// keeps one entry per unanswered request.
class Model {
 public:
  Model(ModelOptions options, TimePoint now);  // node 0 leads from the start

  void receive(RequestId id, Request request, TimePoint now);
  void forget(RequestId id);  // the client has left; a request that was not executed will not be
  [[nodiscard]] Result<void> inject(int node, std::string_view fault, Duration argument, TimePoint now);
  void tick(TimePoint now);  // whatever is due by now
  [[nodiscard]] TimePoint next_due() const;
  [[nodiscard]] std::vector<Action> take_actions();

  [[nodiscard]] int leader() const;  // who leads and says so now; -1: nobody
  [[nodiscard]] NodeState state(int node) const;
  [[nodiscard]] const std::string& url(int node) const { return options_.urls[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const KvStore& store() const { return store_; }
  [[nodiscard]] const AuthApi& auth() const { return auth_; }
  [[nodiscard]] static const std::vector<std::string_view>& faults();

 private:
  struct Pending {
    RequestId id;
    Request request;
  };
  struct Node {
    Process process = Process::kRunning;
    NodeRole role = NodeRole::kStandby;
    NodeRole after_block = NodeRole::kStandby;
    bool partitioned = false;
    bool pretends = false;  // split brain: says that it leads
    bool foreign = false;
    bool not_vault = false;
    Stated stated = Stated::kItself;
    Duration slow{};
    int knows_leader = -1;
    TimePoint learns_at = kNever;   // knows the present leader from then on
    TimePoint lease_ends = kNever;  // active without quorum: writes are stuck
    TimePoint block_ends = kNever;  // answers nothing until then
    TimePoint starts_at = kNever;   // a stopped one
    TimePoint undo_at = kNever;     // of a fault with a duration
    TimePoint electable_from{};
    TimePoint cut_at = kNever;  // what was written later has not arrived
    TimePoint active_since{};
    std::string_view undo;
    std::vector<Pending> waiting;  // for the end of a block or of a freeze
    std::vector<Pending> stuck;    // writes that wait for quorum
    std::vector<Answer> held;      // made before a freeze, to leave after it
  };

  // model_faults.cc
  using Fault = Result<void> (Model::*)(int node, Duration argument, TimePoint now);
  struct FaultRow;
  static const std::vector<FaultRow>& fault_table();
  Result<void> step_down(int node, Duration argument, TimePoint now);
  Result<void> seal(int node, Duration argument, TimePoint now);
  Result<void> unseal(int node, Duration argument, TimePoint now);
  Result<void> crash(int node, Duration argument, TimePoint now);
  Result<void> terminate(int node, Duration argument, TimePoint now);
  Result<void> restart(int node, Duration argument, TimePoint now);
  Result<void> hang(int node, Duration argument, TimePoint now);
  Result<void> wake(int node, Duration argument, TimePoint now);
  Result<void> slow(int node, Duration argument, TimePoint now);
  Result<void> partition(int node, Duration argument, TimePoint now);
  Result<void> heal(int node, Duration argument, TimePoint now);
  Result<void> split_brain(int node, Duration argument, TimePoint now);
  Result<void> foreign(int node, Duration argument, TimePoint now);
  Result<void> not_vault(int node, Duration argument, TimePoint now);
  template <Stated kStated>
  Result<void> state_role(int node, Duration argument, TimePoint now);
  Result<void> stop(int node, Duration election, TimePoint now);

  // model_election.cc
  [[nodiscard]] bool is_alive(int node) const;  // takes part in raft, reachable or not
  [[nodiscard]] bool has_quorum() const;        // among the nodes that reach each other
  [[nodiscard]] bool leader_has_quorum() const;
  [[nodiscard]] bool is_blocked(const Node& node) const { return node.block_ends != kNever; }
  void reconcile(TimePoint now, Duration election);  // after any change in who reaches whom
  void end_leadership(int node, NodeRole next, Duration election, TimePoint now);
  void block(int node, NodeRole next, TimePoint now);
  void end_lease(int node, TimePoint now);
  void end_block(int node, TimePoint now);
  void elect(TimePoint now);
  void start(int node, TimePoint now);
  void learn(int node, TimePoint now);

  // model_consistency.cc
  [[nodiscard]] std::uint64_t index_of(int node, TimePoint now) const;  // of the storage, as far as the node has it
  [[nodiscard]] bool forwards_by_headers(int node, const Request& request, TimePoint now) const;
  [[nodiscard]] std::optional<http::Response> refuse_index(int node, const Request& request, TimePoint now) const;
  void state_index(const Request& request, http::Response& response, TimePoint now) const;

  // model_requests.cc
  void serve(int node, Pending pending, TimePoint now);
  void serve_data(int node, Pending pending, TimePoint now);
  [[nodiscard]] std::optional<http::Response> answer_about_itself(int node, const Request& request, TimePoint now);
  void serve_seal(int node, Pending pending, TimePoint now);
  void pass_on(int node, Pending pending, TimePoint now);  // a standby's forward or redirect
  [[nodiscard]] http::Response redirect(int node, const Request& request) const;
  [[nodiscard]] http::Response execute(const Request& request, TimePoint as_of, TimePoint now);
  [[nodiscard]] http::Response execute_system(const Request& request, TimePoint now);
  [[nodiscard]] nlohmann::json raft_servers() const;
  [[nodiscard]] nlohmann::json nodes_answer(TimePoint now) const;
  [[nodiscard]] bool is_allowed(const Request& request) const;
  void serve_all(int node, std::vector<Pending> pending, TimePoint now);
  void sign(int node, http::Response& response) const;
  void answer(RequestId id, http::Response response, TimePoint now);
  void release_forwards_to(int node, TimePoint now);

  void do_due(TimePoint now);  // everything whose time is exactly the next due one
  [[nodiscard]] Node& at(int node) { return nodes_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] const Node& at(int node) const { return nodes_[static_cast<std::size_t>(node)]; }
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] bool is_active(const Node& node) const { return node.role == NodeRole::kActive || node.pretends; }
  [[nodiscard]] NodeFacts facts(int node, TimePoint now) const;
  [[nodiscard]] WallTime wall(TimePoint now) const;

  ModelOptions options_;
  TimePoint started_;
  Prng prng_;
  std::vector<Node> nodes_;
  KvStore store_;
  AuthApi auth_;
  std::string cluster_id_, foreign_cluster_id_;
  int leader_ = 0;      // whom the quorum follows; a frozen or cut-off one until its successor is there
  int advertised_ = 0;  // the last one that led
  TimePoint leaderless_since_ = kNever;
  TimePoint election_at_ = kNever;
  std::multimap<TimePoint, Answer> delayed_;  // of slow nodes
  std::vector<Action> actions_;
};

}  // namespace bellwether::sim
