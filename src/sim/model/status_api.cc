#include "status_api.h"

#include <fmt/format.h>

#include <string_view>

namespace bellwether::sim {

StatusApi::StatusApi(const ModelOptions& options, WallClock clock, const Raft& raft, const KvStore& store, Prng& prng)
    : options_(options),
      clock_(clock),
      raft_(raft),
      store_(store),
      cluster_id_(random_uuid(prng)),
      foreign_cluster_id_(random_uuid(prng)),
      is_foreign_(options.urls.size()) {}

std::optional<http::Response> StatusApi::answer(int node, const Request& request, TimePoint now) const {
  const std::string_view path = request.path();
  if (path == "/v1/sys/health") return health_answer(facts(node, now), request);
  if (path == "/v1/sys/leader") return leader_answer(facts(node, now));
  if (path == "/v1/sys/seal-status") return seal_status(node, now);
  if (path == "/v1/sys/init" && request.method == "GET") {
    return json_answer(200, {{"initialized", raft_.node(node).stated != Stated::kUninitialized}});
  }
  return std::nullopt;
}

http::Response StatusApi::seal_status(int node, TimePoint now) const { return seal_status_answer(facts(node, now)); }

// What the node was made to say, or for how long there has been no leader.
Stated StatusApi::stated(int node, TimePoint now) const {
  const RaftNode& n = raft_.node(node);
  const bool is_leaderless = raft_.leaderless_since() != kNever && now - raft_.leaderless_since() > kDisconnectedAfter;
  const bool says_so = !options_.openbao && !n.is_active() && n.stated == Stated::kItself;
  return says_so && is_leaderless ? Stated::kDisconnected : n.stated;
}

NodeFacts StatusApi::facts(int node, TimePoint now) const {
  const RaftNode& n = raft_.node(node);
  NodeFacts facts;
  facts.openbao = options_.openbao;
  facts.active = n.is_active();
  facts.sealed = n.role == NodeRole::kSealed;
  facts.stated = stated(node, now);
  facts.cluster_id = is_foreign_[static_cast<std::size_t>(node)] ? foreign_cluster_id_ : cluster_id_;
  facts.cluster_name = "vault-cluster-" + facts.cluster_id.substr(0, 8);
  if (n.knows_leader >= 0) facts.leader_url = options_.url(n.knows_leader);
  facts.own_url = options_.url(node);
  // The cluster address is only shown, never connected to.
  facts.leader_cluster_url = fmt::format("https://n{}:8201", facts.active ? node + 1 : n.knows_leader + 1);
  facts.active_since = clock_.at(n.active_since);
  facts.now = clock_.at(now);
  facts.index = 100 + store_.puts();
  return facts;
}

}  // namespace bellwether::sim
