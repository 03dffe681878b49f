#include "world.h"

#include <utility>

#include "catch.hpp"

namespace bellwether::cluster::testing {

World::World(TrackerOptions options, OnProbe on_probe, OnAskLeader on_ask_leader)
    : tracker_(options), on_probe_(std::move(on_probe)), on_ask_leader_(std::move(on_ask_leader)) {}

void World::start(TimePoint at, const std::optional<FormerLead>& former) {
  now_ = at;
  tell(Start{former});
}

void World::at(TimePoint when, std::function<void()> what) { queue_.emplace(when, std::move(what)); }

void World::run_until(TimePoint until) {
  for (int turns = 0;; ++turns) {
    if (turns > 1'000'000) FAIL("a wake that never lies ahead");
    const TimePoint next_work = queue_.empty() ? kNever : queue_.begin()->first;
    const TimePoint next = std::min(next_work, wake_at_);
    if (next > until) break;
    now_ = std::max(now_, next);
    if (next_work <= wake_at_) {
      const auto work = queue_.extract(queue_.begin());
      work.mapped()();
    } else {
      wake_at_ = kNever;
      tell(Tick{});
    }
  }
  now_ = until;
}

bool World::tell(const Input& input) {
  Step step = tracker_.apply(input, now_);
  const bool is_accepted = !step.refused.has_value();
  carry_out(std::move(step));
  return is_accepted;
}

void World::carry_out(Step step) {
  wake_at_ = step.wake_at;
  if (step.view != last_view_) {
    last_view_ = step.view;
    if (on_view) on_view(*step.view);
  }
  if (on_events && !step.events.empty()) on_events(step.events);
  for (Event& event : step.events) events_.push_back(std::move(event));
  for (const ProbeOrder& order : step.probes) {
    ++probes_[order.node];
    open_[order.probe] = Kept{order.node, now_};
    const ProbeId probe = order.probe;
    at(now_ + timeout_check, [this, probe] { end_probe(probe, ProbeFailure::kAnswerTimeout); });
    const std::optional<Reply> reply = on_probe_(order.node, now_);
    if (reply.has_value()) {
      const ProbeEnd end = reply->end;
      at(now_ + reply->after, [this, probe, end] { end_probe(probe, end); });
    }
  }
  for (const NodeId node : step.ask_leader) {
    const std::optional<std::string> said = on_ask_leader_(node, now_);
    if (!said.has_value()) continue;
    const bool states_identity = said->rfind("is ", 0) == 0;
    const bool is_self = *said == "self" || states_identity;
    LeaderStatement statement{node, now_, now_ + 1ms, is_self, *said == "self" ? "" : *said, {}};
    if (states_identity) statement.leader_address = statement.identity = said->substr(3);
    at(now_ + 1ms, [this, statement] { tell(statement); });
  }
}

void World::end_probe(ProbeId probe, const ProbeEnd& end) {
  const auto found = open_.extract(probe);
  if (found.empty()) return;
  if (const auto* failure = std::get_if<ProbeFailure>(&end)) {
    tell(ProbeFailed{probe, *failure});
  } else {
    tell(ProbeAnswer{probe, found.mapped().sent, now_, std::get<HealthFacts>(end)});
  }
}

void World::release(NodeId node, const std::function<ProbeEnd(TimePoint)>& end, bool only_newest) {
  std::vector<std::pair<ProbeId, TimePoint>> kept;
  for (const auto& [probe, what] : open_) {
    if (what.node == node) kept.emplace_back(probe, what.sent);
  }
  if (only_newest && !kept.empty()) kept.erase(kept.begin(), kept.end() - 1);
  for (const auto& [probe, sent] : kept) end_probe(probe, end(sent));
}

std::size_t World::outstanding(NodeId node) const {
  return static_cast<std::size_t>(
      std::count_if(open_.begin(), open_.end(), [&](const auto& each) { return each.second.node == node; }));
}

TopologyPtr next_topology(const Topology& present, std::vector<NodeDescription> nodes, NodeId& next) {
  auto made = std::make_shared<Topology>();
  for (NodeDescription& node : nodes) {
    std::optional<NodeId> id;
    for (const NodeId known : present.nodes.ids()) {
      if (present.nodes.at(known).url == node.url) id = known;
    }
    if (!id) {
      id = next;
      ++next.number;
    }
    made->nodes.add(*id, std::move(node));
  }
  return made;
}

HealthFacts facts(Role role, const std::string& id) {
  HealthFacts result;
  result.role = role;
  result.status = 200;
  result.cluster_id = id;
  result.version = "2.6.2";
  if (role == Role::kSealed || role == Role::kUninitialized) result.cluster_id.clear();
  if (role == Role::kError) {
    result.status = 500;
    result.cluster_id.clear();
    result.problem = "not an answer of Vault's";
  }
  return result;
}

}  // namespace bellwether::cluster::testing
