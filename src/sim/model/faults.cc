#include "faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/text.h"

namespace bellwether::sim {

// `undo` names the fault that ends it, if it may be given a duration.
struct Faults::Row {
  std::string_view name;
  Fault fault;
  std::string_view undo;
};

Faults::Faults(const ModelOptions& options, Processes& processes, Raft& raft, StatusApi& status,
               RequestHandler& requests)
    : options_(options),
      processes_(processes),
      raft_(raft),
      status_(status),
      requests_(requests),
      schedules_(options.urls.size()) {}

const std::vector<Faults::Row>& Faults::table() {
  static const std::vector<Row> kTable = {
      {"step-down", &Faults::step_down, ""},
      {"seal", &Faults::seal, "unseal"},
      {"unseal", &Faults::unseal, ""},
      {"crash", &Faults::crash, "restart"},
      {"restart", &Faults::restart, ""},
      {"term", &Faults::terminate, "restart"},
      {"hang", &Faults::hang, "wake"},
      {"wake", &Faults::wake, ""},
      {"slow", &Faults::slow, ""},
      {"partition", &Faults::partition, "heal"},
      {"heal", &Faults::heal, ""},
      {"split-brain", &Faults::split_brain, "heal"},
      {"foreign", &Faults::foreign, "heal"},
      {"not-vault", &Faults::not_vault, "heal"},
      {"uninitialized", &Faults::state_role<Stated::kUninitialized>, "heal"},
      {"removed", &Faults::state_role<Stated::kRemoved>, "heal"},
      {"disconnected", &Faults::state_role<Stated::kDisconnected>, "heal"},
      {"dr-secondary", &Faults::state_role<Stated::kDrSecondary>, "heal"},
      {"performance-standby", &Faults::state_role<Stated::kPerformanceStandby>, "heal"},
  };
  return kTable;
}

const std::vector<std::string_view>& Faults::names() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const Row& row : table()) names.push_back(row.name);
    return names;
  }();
  return kNames;
}

Result<void> Faults::inject(int node, std::string_view fault, Duration argument, TimePoint now) {
  if (node < 0 || node >= raft_.size()) {
    return fail(ErrorKind::kInvalid, fmt::format("there is no node {}: the cluster has {}", node + 1, raft_.size()));
  }
  const auto row =
      std::find_if(table().begin(), table().end(), [&](const Row& candidate) { return candidate.name == fault; });
  if (row == table().end()) {
    const auto near = nearest(fault, names());
    return fail(ErrorKind::kInvalid, fmt::format("unknown fault \"{}\"{}", fault,
                                                 near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
  }
  Result<void> done = (this->*row->fault)(node, argument, now);
  if (!done) return done;
  requests_.follow_raft(now);
  at(node).undo_at = kNever;
  if (argument > Duration{} && !row->undo.empty()) {
    at(node).undo = row->undo;
    at(node).undo_at = now + argument;
  }
  return {};
}

void Faults::do_due(int node, TimePoint now) {
  if (at(node).undo_at <= now) {
    at(node).undo_at = kNever;
    // The state may have changed since; then there is nothing to undo.
    static_cast<void>(inject(node, std::exchange(at(node).undo, {}), Duration{}, now));
  }
  if (at(node).starts_at <= now) start(node, now);
}

TimePoint Faults::next_due() const {
  TimePoint due = kNever;
  for (const Schedule& schedule : schedules_) due = std::min({due, schedule.undo_at, schedule.starts_at});
  return due;
}

Result<void> Faults::step_down(int node, Duration, TimePoint now) { return raft_.step_down(node, now); }

Result<void> Faults::seal(int node, Duration, TimePoint now) { return raft_.seal(node, now); }

Result<void> Faults::unseal(int node, Duration, TimePoint now) { return raft_.unseal(node, now); }

Result<void> Faults::stop(int node, Duration election, TimePoint now) {
  if (processes_.state(node) == Process::kStopped) {
    return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  }
  processes_.stop(node);
  raft_.on_stopped(node, election, now);
  requests_.on_stopped(node, now);
  at(node).starts_at = kNever;
  return {};
}

Result<void> Faults::crash(int node, Duration, TimePoint now) { return stop(node, options_.crash_election, now); }

Result<void> Faults::terminate(int node, Duration, TimePoint now) { return stop(node, kTermElection, now); }

Result<void> Faults::restart(int node, Duration, TimePoint now) {
  if (processes_.state(node) != Process::kStopped) {
    if (Result<void> stopped = stop(node, options_.crash_election, now); !stopped) return stopped;
  }
  at(node).starts_at = now + options_.unseal_after;
  return {};
}

void Faults::start(int node, TimePoint now) {
  at(node).starts_at = kNever;
  processes_.start(node);
  raft_.on_started(node, now);
  requests_.follow_raft(now);
}

Result<void> Faults::hang(int node, Duration, TimePoint now) {
  if (!processes_.is_running(node)) return fail(ErrorKind::kInvalid, fmt::format("n{} does not run", node + 1));
  processes_.freeze(node);
  raft_.on_frozen(node, now);
  return {};
}

Result<void> Faults::wake(int node, Duration, TimePoint now) {
  if (processes_.state(node) != Process::kFrozen) {
    return fail(ErrorKind::kInvalid, fmt::format("n{} does not hang", node + 1));
  }
  processes_.thaw(node);
  raft_.on_thawed(node, now);
  return {};
}

Result<void> Faults::slow(int node, Duration argument, TimePoint) {
  processes_.set_delay(node, argument);
  return {};
}

Result<void> Faults::partition(int node, Duration, TimePoint now) { return raft_.partition(node, now); }

Result<void> Faults::heal(int node, Duration, TimePoint now) {
  status_.set_foreign(node, false);
  requests_.set_not_vault(node, false);
  raft_.heal(node, now);
  return {};
}

Result<void> Faults::split_brain(int node, Duration, TimePoint) { return raft_.pretend_to_lead(node); }

Result<void> Faults::foreign(int node, Duration, TimePoint) {
  status_.set_foreign(node, true);
  return {};
}

Result<void> Faults::not_vault(int node, Duration, TimePoint) {
  requests_.set_not_vault(node, true);
  return {};
}

template <Stated kStated>
Result<void> Faults::state_role(int node, Duration, TimePoint now) {
  return raft_.state_role(node, kStated, now);
}

}  // namespace bellwether::sim
