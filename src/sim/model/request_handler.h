#pragma once

#include <optional>
#include <vector>

#include "backends.h"
#include "consistency.h"
#include "model_options.h"
#include "processes.h"
#include "raft.h"
#include "request.h"
#include "status_api.h"

namespace bellwether::sim {

// What the nodes do with requests (src/vault/FACTS.md 2): each is answered, passed on to the leader, or kept with its
// node until the node answers again or has a quorum for its write. Keeps one entry per unanswered request. Pure.
class RequestHandler {
 public:
  // All of these must outlive it.
  RequestHandler(const ModelOptions& options, Processes& processes, Raft& raft, Backends& backends,
                 const StatusApi& status);

  void receive(RequestId id, Request request, TimePoint now);
  void forget(RequestId id);
  // Does what the changes of the cluster since the last call mean for the requests that are kept.
  void follow_raft(TimePoint now);
  // The node's process has stopped, and raft knows. Follows raft.
  void on_stopped(int node, TimePoint now);
  // Whether the node answers as something else than Vault, until its process stops.
  void set_not_vault(int node, bool is_not_vault) { at(node).is_not_vault = is_not_vault; }

 private:
  struct Pending {
    RequestId id;
    Request request;
  };
  struct Node {
    std::vector<Pending> waiting;  // for the end of a block or of a freeze
    std::vector<Pending> stuck;    // writes that wait for quorum
    bool is_not_vault = false;
  };

  void serve(int node, Pending pending, TimePoint now);
  void serve_all(int node, std::vector<Pending> pending, TimePoint now);
  void serve_data(int node, Pending pending, TimePoint now);
  void serve_seal(int node, Pending pending, TimePoint now);
  void execute(int node, Pending pending, TimePoint now);  // on a node that is active
  void pass_on(int node, Pending pending, TimePoint now);  // a standby's forward or redirect
  // Of what a node answers whatever its role; nullopt: the request is none of that.
  [[nodiscard]] std::optional<http::Response> answer_itself(int node, const Request& request, TimePoint now);
  [[nodiscard]] bool cannot_answer(int node) const;
  [[nodiscard]] bool forwards_by_headers(int node, const Request& request, TimePoint now) const;
  [[nodiscard]] http::Response redirect(int node, const Request& request) const;
  void follow(const RaftChange& change, TimePoint now);
  void fail_stuck(int node, TimePoint now);
  void release_forwards_to(int node, TimePoint now);
  void sign(int node, http::Response& response) const;
  void answer(RequestId id, http::Response response, TimePoint now);
  [[nodiscard]] Node& at(int node) { return nodes_[static_cast<std::size_t>(node)]; }

  const ModelOptions& options_;
  Processes& processes_;
  Raft& raft_;
  Backends& backends_;
  const StatusApi& status_;
  Consistency consistency_;
  std::vector<Node> nodes_;
};

}  // namespace bellwether::sim
