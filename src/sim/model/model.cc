#include "model.h"

#include <algorithm>
#include <utility>

namespace bellwether::sim {

Model::Model(ModelOptions options, TimePoint now)
    : options_(std::move(options)),
      clock_{options_.wall_at_start, now},
      prng_(options_.seed),
      processes_(options_.urls.size()),
      raft_(options_, processes_, prng_, now),
      backends_(options_, clock_, prng_),
      status_(options_, clock_, raft_, backends_.store(), prng_),
      requests_(options_, processes_, raft_, backends_, status_),
      faults_(options_, processes_, raft_, status_, requests_) {}

void Model::receive(RequestId id, Request request, TimePoint now) {
  tick(now);
  requests_.receive(id, std::move(request), now);
}

void Model::forget(RequestId id) {
  requests_.forget(id);
  processes_.forget(id);
}

Result<void> Model::inject(int node, std::string_view fault, Duration argument, TimePoint now) {
  return faults_.inject(node, fault, argument, now);
}

void Model::tick(TimePoint now) {
  for (TimePoint due = next_due(); due <= now; due = next_due()) do_due(due);
}

TimePoint Model::next_due() const { return std::min({faults_.next_due(), raft_.next_due(), processes_.next_due()}); }

void Model::do_due(TimePoint now) {
  for (int i = 0; i < raft_.size(); ++i) {
    faults_.do_due(i, now);
    if (!processes_.is_running(i)) continue;
    raft_.do_due(i, now);
    requests_.follow_raft(now);
  }
  raft_.elect_if_due(now);
  processes_.do_due(now);
}

NodeState Model::state(int node) const {
  const RaftNode& n = raft_.node(node);
  return {processes_.state(node), n.is_active() ? NodeRole::kActive : n.role, n.is_blocked(), n.is_partitioned,
          n.knows_leader};
}

}  // namespace bellwether::sim
