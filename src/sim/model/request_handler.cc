#include "request_handler.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace bellwether::sim {
namespace {

constexpr std::string_view kNoLeader = "local node not active but active cluster node not found";

bool only_reads(const Request& request) { return request.is_read() || AuthApi::is_lookup(request); }

}  // namespace

RequestHandler::RequestHandler(const ModelOptions& options, Processes& processes, Raft& raft, Backends& backends,
                               const StatusApi& status)
    : options_(options),
      processes_(processes),
      raft_(raft),
      backends_(backends),
      status_(status),
      consistency_(options, backends.store()),
      nodes_(options.urls.size()) {}

void RequestHandler::receive(RequestId id, Request request, TimePoint now) {
  if (processes_.state(id.node) == Process::kStopped) return;
  serve(id.node, {id, std::move(request)}, now);
}

void RequestHandler::forget(RequestId id) {
  const auto is_it = [&](const Pending& pending) { return pending.id == id; };
  for (Node& node : nodes_) {
    std::erase_if(node.waiting, is_it);
    std::erase_if(node.stuck, is_it);
  }
}

void RequestHandler::follow_raft(TimePoint now) {
  // To serve a request may change the cluster again, which is followed from within.
  for (const RaftChange& change : raft_.take_changes()) follow(change, now);
}

void RequestHandler::follow(const RaftChange& change, TimePoint now) {
  switch (change.kind) {
    case RaftChange::Kind::kQuorumRegained:
      return serve_all(change.node, std::exchange(at(change.node).stuck, {}), now);
    case RaftChange::Kind::kLeadershipLost:
      return fail_stuck(change.node, now);
    case RaftChange::Kind::kAnswersAgain:
      return serve_all(change.node, std::exchange(at(change.node).waiting, {}), now);
    case RaftChange::Kind::kLeaderLearned:
      // Its forwards to the old leader end with that connection.
      for (int i = 0; i < raft_.size(); ++i) {
        if (i != raft_.node(change.node).knows_leader) release_forwards_to(i, now);
      }
      return;
  }
}

// Raft took these entries but never committed them (V:vault/ha.go; seen in traces/raft-partition).
void RequestHandler::fail_stuck(int node, TimePoint now) {
  for (const Pending& stuck : std::exchange(at(node).stuck, {})) {
    answer(stuck.id, errors_answer(500, {"1 error occurred:\n\t* leadership lost while committing log\n\n"}), now);
  }
}

void RequestHandler::release_forwards_to(int node, TimePoint now) {
  Node& n = at(node);
  std::vector<Pending> kept;
  std::vector<Pending> released;
  for (Pending& pending : std::exchange(n.waiting, {})) {
    const bool moved_on = pending.id.node != node && raft_.node(pending.id.node).knows_leader != node;
    (moved_on ? released : kept).push_back(std::move(pending));
  }
  n.waiting = std::move(kept);
  for (const Pending& pending : released) answer(pending.id, redirect(pending.id.node, pending.request), now);
}

void RequestHandler::on_stopped(int node, TimePoint now) {
  Node& n = at(node);
  std::vector<Pending> lost = std::exchange(n.waiting, {});
  for (Pending& stuck : std::exchange(n.stuck, {})) lost.push_back(std::move(stuck));
  n.is_not_vault = false;
  const auto is_its_own = [&](const Pending& pending) { return pending.id.node == node; };
  for (Node& other : nodes_) {
    std::erase_if(other.waiting, is_its_own);
    std::erase_if(other.stuck, is_its_own);
  }
  follow_raft(now);
  for (const Pending& pending : lost) {
    if (!is_its_own(pending)) answer(pending.id, redirect(pending.id.node, pending.request), now);
  }
}

void RequestHandler::serve_all(int node, std::vector<Pending> pending, TimePoint now) {
  for (Pending& each : pending) {
    if (each.id.node == node) {
      serve(node, std::move(each), now);
    } else if (node == raft_.elected()) {
      serve_data(node, std::move(each), now);
    } else {
      // Forwarded here by a standby: the call fails, and it falls back to what it knows itself.
      answer(each.id, redirect(each.id.node, each.request), now);
    }
  }
}

bool RequestHandler::cannot_answer(int node) const {
  return processes_.state(node) == Process::kFrozen || raft_.node(node).is_blocked();
}

void RequestHandler::serve(int node, Pending pending, TimePoint now) {
  Node& n = at(node);
  if (cannot_answer(node)) {
    n.waiting.push_back(std::move(pending));
  } else if (n.is_not_vault) {
    answer(pending.id, {429, {{"Content-Type", "text/plain"}}, "Too Many Requests\n"}, now);
  } else if (forwards_by_headers(node, pending.request, now)) {
    serve(raft_.leader(), std::move(pending), now);
  } else if (std::optional<http::Response> own = answer_itself(node, pending.request, now)) {
    answer(pending.id, std::move(*own), now);
  } else if (auto refusal = consistency_.refuse(pending.request, raft_.data_as_of(node, now))) {
    answer(pending.id, std::move(*refusal), now);
  } else if (pending.request.path() == "/v1/sys/seal") {
    serve_seal(node, std::move(pending), now);
  } else {
    serve_data(node, std::move(pending), now);
  }
}

// A standby sends such a request to the leader, whatever it asks for.
bool RequestHandler::forwards_by_headers(int node, const Request& request, TimePoint now) const {
  const RaftNode& n = raft_.node(node);
  if (n.is_active() || n.role != NodeRole::kStandby || raft_.leader() < 0) return false;
  return consistency_.wants_leader(request, raft_.data_as_of(node, now));
}

std::optional<http::Response> RequestHandler::answer_itself(int node, const Request& request, TimePoint now) {
  const std::string_view path = request.path();
  const bool is_sealed = raft_.node(node).role == NodeRole::kSealed;
  if (path == "/v1/sys/unseal") {
    if (!request.is_put()) return errors_answer(405, {});
    if (is_sealed) static_cast<void>(raft_.unseal(node, now));
    follow_raft(now);
    return status_.seal_status(node, now);
  }
  if (path == "/v1/sys/step-down" && is_sealed) return empty_answer(204);
  return status_.answer(node, request, now);
}

// Never forwarded; the leader answers when it has sealed, after the silence of its demotion.
void RequestHandler::serve_seal(int node, Pending pending, TimePoint now) {
  const RaftNode& n = raft_.node(node);
  if (n.role == NodeRole::kSealed) {
    answer(pending.id, empty_answer(204), now);
  } else if (!pending.request.is_put()) {
    answer(pending.id, errors_answer(405, {}), now);
  } else if (!backends_.is_allowed(pending.request)) {
    answer(pending.id, errors_answer(403, {"permission denied"}), now);
  } else if (!options_.standby_reads && !n.is_active()) {
    answer(pending.id, errors_answer(500, {"vault cannot seal when in standby mode; please restart instead"}), now);
  } else {
    static_cast<void>(raft_.seal(node, now));
    follow_raft(now);
    serve(node, std::move(pending), now);
  }
}

void RequestHandler::serve_data(int node, Pending pending, TimePoint now) {
  const RaftNode& n = raft_.node(node);
  const Request& request = pending.request;
  if (n.role == NodeRole::kSealed || n.stated == Stated::kUninitialized) {
    answer(pending.id, errors_answer(503, {"Vault is sealed"}), now);
  } else if (n.is_active()) {
    execute(node, std::move(pending), now);
  } else if (raft_.is_cut_off(node)) {
    answer(pending.id, errors_answer(500, {std::string(kNoLeader)}), now);
  } else if (options_.standby_reads && only_reads(request)) {
    answer(pending.id, backends_.execute(request, {raft_.data_as_of(node, now), now, raft_.elected()}), now);
  } else {
    if (options_.standby_reads) backends_.execute_until_write(request);
    pass_on(node, std::move(pending), now);
  }
}

void RequestHandler::execute(int node, Pending pending, TimePoint now) {
  const Request& request = pending.request;
  if (raft_.node(node).lacks_quorum() && !only_reads(request)) {
    at(node).stuck.push_back(std::move(pending));
    return;
  }
  http::Response response = backends_.execute(request, {raft_.data_as_of(node, now), now, raft_.elected()});
  sign(node, response);
  consistency_.state_index(request, response, now);
  answer(pending.id, std::move(response), now);
  if (request.path() == "/v1/sys/step-down" && request.is_put() && backends_.is_allowed(request)) {
    static_cast<void>(raft_.step_down(node, now));
    follow_raft(now);
  }
}

void RequestHandler::pass_on(int node, Pending pending, TimePoint now) {
  const int to = raft_.node(node).knows_leader;
  const bool is_unwanted = !pending.request.header("X-Vault-No-Request-Forwarding").value_or("").empty();
  const bool cannot_reach =
      to < 0 || to == node || processes_.state(to) == Process::kStopped || raft_.node(to).is_partitioned;
  const bool must_wait = !cannot_reach && cannot_answer(to);
  if (is_unwanted || cannot_reach || (!must_wait && to != raft_.elected())) {
    answer(pending.id, redirect(node, pending.request), now);
  } else if (must_wait) {
    at(to).waiting.push_back(std::move(pending));
  } else {
    serve_data(to, std::move(pending), now);
  }
}

http::Response RequestHandler::redirect(int node, const Request& request) const {
  const int to = raft_.node(node).knows_leader;
  if (to < 0 || to == node) return errors_answer(500, {std::string(kNoLeader)});
  http::Response response{307, {{"Cache-Control", "no-store"}}, ""};
  response.headers.push_back({"Location", options_.url(to) + request.target});
  return response;
}

// Who executed it, though another may have passed it on.
void RequestHandler::sign(int node, http::Response& response) const {
  constexpr std::string_view kNodeId = "X-Vault-Raft-Node-ID";
  const bool signed_already = std::any_of(response.headers.begin(), response.headers.end(),
                                          [&](const auto& header) { return header.name == kNodeId; });
  if (options_.names_itself && !signed_already) {
    response.headers.push_back({std::string(kNodeId), "n" + std::to_string(node + 1)});
  }
}

void RequestHandler::answer(RequestId id, http::Response response, TimePoint now) {
  sign(id.node, response);
  processes_.answer({id, std::move(response)}, now);
}

}  // namespace bellwether::sim
