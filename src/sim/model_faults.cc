#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/text.h"
#include "model.h"

namespace bellwether::sim {

// `undo` names the fault that ends it, if it may be given a duration.
struct Model::FaultRow {
  std::string_view name;
  Fault fault;
  std::string_view undo;
};

const std::vector<Model::FaultRow>& Model::fault_table() {
  static const std::vector<FaultRow> kTable = {
      {"step-down", &Model::step_down, ""},
      {"seal", &Model::seal, "unseal"},
      {"unseal", &Model::unseal, ""},
      {"crash", &Model::crash, "restart"},
      {"restart", &Model::restart, ""},
      {"term", &Model::terminate, "restart"},
      {"hang", &Model::hang, "wake"},
      {"wake", &Model::wake, ""},
      {"slow", &Model::slow, ""},
      {"partition", &Model::partition, "heal"},
      {"heal", &Model::heal, ""},
      {"split-brain", &Model::split_brain, "heal"},
      {"foreign", &Model::foreign, "heal"},
      {"not-vault", &Model::not_vault, "heal"},
      {"uninitialized", &Model::state_role<Stated::kUninitialized>, "heal"},
      {"removed", &Model::state_role<Stated::kRemoved>, "heal"},
      {"disconnected", &Model::state_role<Stated::kDisconnected>, "heal"},
      {"dr-secondary", &Model::state_role<Stated::kDrSecondary>, "heal"},
      {"performance-standby", &Model::state_role<Stated::kPerformanceStandby>, "heal"},
  };
  return kTable;
}

const std::vector<std::string_view>& Model::faults() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const FaultRow& row : fault_table()) names.push_back(row.name);
    return names;
  }();
  return kNames;
}

Result<void> Model::inject(int node, std::string_view fault, Duration argument, TimePoint now) {
  if (node < 0 || node >= size()) {
    return fail(ErrorKind::kInvalid, fmt::format("there is no node {}: the cluster has {}", node + 1, size()));
  }
  const auto row = std::find_if(fault_table().begin(), fault_table().end(),
                                [&](const FaultRow& candidate) { return candidate.name == fault; });
  if (row == fault_table().end()) {
    const auto near = nearest(fault, faults());
    return fail(ErrorKind::kInvalid, fmt::format("unknown fault \"{}\"{}", fault,
                                                 near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
  }
  Result<void> done = (this->*row->fault)(node, argument, now);
  if (!done) return done;
  at(node).undo_at = kNever;
  if (argument > Duration{} && !row->undo.empty()) {
    at(node).undo = row->undo;
    at(node).undo_at = now + argument;
  }
  return {};
}

Result<void> Model::step_down(int node, Duration, TimePoint now) {
  if (leader_ != node || leader() != node) {
    return fail(ErrorKind::kInvalid, fmt::format("n{} does not lead", node + 1));
  }
  at(node).electable_from = now + kStepDownPause;
  end_leadership(node, NodeRole::kStandby, options_.election, now);
  return {};
}

Result<void> Model::seal(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (n.process != Process::kRunning) return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  if (leader_ == node) {
    end_leadership(node, NodeRole::kSealed, options_.election, now);
    return {};
  }
  if (is_blocked(n)) {
    n.after_block = NodeRole::kSealed;
  } else {
    n.role = NodeRole::kSealed;
    n.pretends = false;
    n.learns_at = kNever;
  }
  reconcile(now, options_.crash_election);
  return {};
}

Result<void> Model::unseal(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (is_blocked(n) && n.after_block == NodeRole::kSealed) {
    n.after_block = NodeRole::kStandby;
  } else if (n.role == NodeRole::kSealed && n.process == Process::kRunning) {
    n.role = NodeRole::kStandby;
    n.knows_leader = -1;
    n.learns_at = now + kLearnDelay;
  } else {
    return fail(ErrorKind::kInvalid, fmt::format("n{} is not sealed", node + 1));
  }
  reconcile(now, kQuorumElection);
  return {};
}

Result<void> Model::stop(int node, Duration election, TimePoint now) {
  Node& n = at(node);
  if (n.process == Process::kStopped) return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  std::vector<Pending> lost = std::exchange(n.waiting, {});
  for (Pending& stuck : std::exchange(n.stuck, {})) lost.push_back(std::move(stuck));
  Node fresh;
  fresh.process = Process::kStopped;
  fresh.partitioned = n.partitioned;
  fresh.cut_at = n.partitioned ? n.cut_at : kNever;
  fresh.foreign = n.foreign;
  fresh.knows_leader = n.knows_leader;
  fresh.electable_from = now;
  n = std::move(fresh);
  std::erase_if(delayed_, [&](const auto& entry) { return entry.second.id.node == node; });
  for (Node& other : nodes_) {
    std::erase_if(other.waiting, [&](const Pending& pending) { return pending.id.node == node; });
    std::erase_if(other.stuck, [&](const Pending& pending) { return pending.id.node == node; });
  }
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kStop});
  if (leader_ == node) {
    leader_ = -1;
    leaderless_since_ = now;
    election_at_ = kNever;
  }
  reconcile(now, election);
  for (Pending& pending : lost) {
    if (pending.id.node != node) answer(pending.id, redirect(pending.id.node, pending.request), now);
  }
  return {};
}

Result<void> Model::crash(int node, Duration, TimePoint now) { return stop(node, options_.crash_election, now); }

Result<void> Model::terminate(int node, Duration, TimePoint now) { return stop(node, kTermElection, now); }

Result<void> Model::restart(int node, Duration, TimePoint now) {
  if (at(node).process != Process::kStopped) {
    if (Result<void> stopped = stop(node, options_.crash_election, now); !stopped) return stopped;
  }
  at(node).starts_at = now + options_.unseal_after;
  return {};
}

Result<void> Model::hang(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (n.process != Process::kRunning) return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  n.process = Process::kFrozen;
  n.cut_at = std::min(n.cut_at, now);
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kFreeze});
  reconcile(now, options_.crash_election);
  return {};
}

Result<void> Model::wake(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (n.process != Process::kFrozen) return fail(ErrorKind::kInvalid, fmt::format("n{} does not hang", node + 1));
  n.process = Process::kRunning;
  actions_.emplace_back(ChangeProcess{node, ProcessChange::kThaw});
  for (Answer& held : std::exchange(n.held, {})) actions_.emplace_back(std::move(held));
  // Deposed in its sleep: what it says first is about the time before.
  if (n.role == NodeRole::kActive && leader_ != node && !is_blocked(n)) {
    n.lease_ends = now + kWokenLease;
  } else if (!n.partitioned) {
    n.cut_at = kNever;
  }
  reconcile(now, kQuorumElection);
  serve_all(node, std::exchange(n.waiting, {}), now);
  return {};
}

Result<void> Model::slow(int node, Duration argument, TimePoint) {
  at(node).slow = argument;
  return {};
}

Result<void> Model::partition(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (n.partitioned) return fail(ErrorKind::kInvalid, fmt::format("n{} is cut off already", node + 1));
  n.partitioned = true;
  n.cut_at = now;
  n.learns_at = kNever;
  if (n.role != NodeRole::kActive) n.knows_leader = -1;
  reconcile(now, options_.crash_election);
  return {};
}

Result<void> Model::heal(int node, Duration, TimePoint now) {
  Node& n = at(node);
  if (std::exchange(n.partitioned, false)) {
    n.cut_at = kNever;
    if (n.role == NodeRole::kStandby && n.process == Process::kRunning) n.learns_at = now + kRejoinDelay;
    // Healed within its lease, but the others have elected meanwhile.
    if (n.role == NodeRole::kActive && leader_ != node && !is_blocked(n)) end_lease(node, now);
  }
  n.pretends = false;
  n.foreign = false;
  n.not_vault = false;
  n.stated = Stated::kItself;
  reconcile(now, kQuorumElection);
  return {};
}

Result<void> Model::split_brain(int node, Duration, TimePoint) {
  if (at(node).role != NodeRole::kStandby || at(node).process != Process::kRunning) {
    return fail(ErrorKind::kInvalid, fmt::format("n{} is not a running standby", node + 1));
  }
  at(node).pretends = true;
  return {};
}

Result<void> Model::foreign(int node, Duration, TimePoint) {
  at(node).foreign = true;
  return {};
}

Result<void> Model::not_vault(int node, Duration, TimePoint) {
  at(node).not_vault = true;
  return {};
}

template <Stated kStated>
Result<void> Model::state_role(int node, Duration, TimePoint now) {
  if (leader_ == node) return fail(ErrorKind::kInvalid, fmt::format("n{} leads: step it down first", node + 1));
  at(node).stated = kStated;
  reconcile(now, options_.crash_election);
  return {};
}

}  // namespace bellwether::sim
