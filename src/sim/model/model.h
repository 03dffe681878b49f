#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backends.h"
#include "bellwether/base/prng.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "faults.h"
#include "model_options.h"
#include "processes.h"
#include "raft.h"
#include "request.h"
#include "request_handler.h"
#include "status_api.h"

namespace bellwether::sim {

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
// keeps one entry per unanswered request. Its parts depend on each other in one direction: Faults on RequestHandler,
// that on StatusApi and Backends, all of these on Raft, and Raft on Processes.
class Model {
 public:
  Model(ModelOptions options, TimePoint now);  // node 0 leads from the start
  Model(const Model&) = delete;                // its parts know each other's place
  Model& operator=(const Model&) = delete;

  void receive(RequestId id, Request request, TimePoint now);
  void forget(RequestId id);  // the client has left; a request that was not executed will not be
  [[nodiscard]] Result<void> inject(int node, std::string_view fault, Duration argument, TimePoint now);
  void tick(TimePoint now);  // whatever is due by now
  [[nodiscard]] TimePoint next_due() const;
  [[nodiscard]] std::vector<Action> take_actions() { return processes_.take_actions(); }

  [[nodiscard]] int leader() const { return raft_.leader(); }  // who leads and says so now; -1: nobody
  [[nodiscard]] NodeState state(int node) const;
  [[nodiscard]] const std::string& url(int node) const { return options_.url(node); }
  [[nodiscard]] const KvStore& store() const { return backends_.store(); }
  [[nodiscard]] const AuthApi& auth() const { return backends_.auth(); }
  [[nodiscard]] static const std::vector<std::string_view>& faults() { return Faults::names(); }

 private:
  void do_due(TimePoint now);  // everything whose time is exactly the next due one

  const ModelOptions options_;
  const WallClock clock_;
  Prng prng_;
  Processes processes_;
  Raft raft_;
  Backends backends_;
  StatusApi status_;
  RequestHandler requests_;
  Faults faults_;
};

}  // namespace bellwether::sim
