#include "name_answers.h"

#include <algorithm>

namespace bellwether::app {
namespace {

using Addresses = std::vector<net::Address>;

constexpr std::size_t kMostLeft = 64;

bool has(const Addresses& addresses, const net::Address& one) {
  return std::find(addresses.begin(), addresses.end(), one) != addresses.end();
}

bool has_any(const Addresses& addresses, const Addresses& of) {
  return std::any_of(of.begin(), of.end(), [&](const net::Address& each) { return has(addresses, each); });
}

bool has_all(const Addresses& addresses, const Addresses& of) {
  return std::all_of(of.begin(), of.end(), [&](const net::Address& each) { return has(addresses, each); });
}

void add_missing(Addresses& into, const Addresses& from) {
  for (const net::Address& each : from) {
    if (!has(into, each)) into.push_back(each);
  }
}

// A promise of "at the latest" is kept a little early.
constexpr Duration almost(Duration interval) { return interval - interval / 10; }

}  // namespace

// One name at one moment: its nodes of now, and what they have come to.
struct NameAnswers::Look {
  Look(const config::Node& n, const std::vector<NodePlan>& present, const NodeStates& s, TimePoint t, Duration e)
      : node(n), states(s), now(t), every(e) {
    for (const NodePlan& plan : present) {
      if (plan.host != n.host || plan.port != n.port) continue;
      const NodeId server = plan.same_as ? present[*plan.same_as].id : plan.id;
      plans.emplace_back(&plan, server);
      if (plan.resolved && !has(known, *plan.resolved)) known.push_back(*plan.resolved);
    }
  }

  [[nodiscard]] bool is_down(const net::Address& address) const {
    return std::all_of(plans.begin(), plans.end(), [&](const auto& each) {
      return each.first->resolved != address || states.is_down(each.second);
    });
  }
  [[nodiscard]] bool is_held(const net::Address& address) const {
    return std::any_of(plans.begin(), plans.end(), [&](const auto& each) {
      return each.first->resolved == address && states.is_held(each.first->id);
    });
  }
  [[nodiscard]] bool are_all_down() const {
    return std::all_of(known.begin(), known.end(), [this](const net::Address& each) { return is_down(each); });
  }
  // The only node of the name, if the answer has another place for it.
  [[nodiscard]] const NodePlan* moved(const Addresses& answer) const {
    if (plans.size() != 1 || answer.size() != 1) return nullptr;
    const auto& [plan, server] = plans.front();
    const bool is_there = plan->resolved && has(answer, *plan->resolved);
    return !is_there && ((!plan->address && !plan->same_as) || states.is_down(server)) ? plan : nullptr;
  }
  // Of the family that is in use, while a node of it answers: one query of the two may fail. Of a node that has a name
  // of its own, one address.
  [[nodiscard]] Addresses usable(const Addresses& answer) const {
    Addresses usable = usable_addresses(answer);
    if (!known.empty() && !are_all_down()) {
      usable.clear();
      add_missing(usable, answer);
      std::erase_if(usable, [this](const net::Address& each) { return each.family() != known.front().family(); });
    }
    const bool is_one = node.name != authority(node);
    if (!is_one || usable.size() < 2) return usable;
    return {!known.empty() && has(usable, known.front()) ? known.front() : usable.front()};
  }

  const config::Node& node;
  const NodeStates& states;
  const TimePoint now;
  const Duration every;
  std::vector<std::pair<const NodePlan*, NodeId>> plans;  // of the name, and whose server each is
  Addresses known;
};

NameAnswers::Settled NameAnswers::settle(const std::vector<config::Node>& nodes, const std::vector<NodePlan>& present,
                                         std::vector<ResolvedName> answers, const NodeStates& states, TimePoint now,
                                         Duration every) {
  Settled settled;
  decltype(names_) names;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!has_name(nodes[i])) {
      settled.found.push_back(std::move(answers[i]));
      continue;
    }
    const std::pair key(nodes[i].host, nodes[i].port);
    const auto before = names_.find(key);
    Name& name = names.insert({key, before != names_.end() ? before->second : Name{}}).first->second;
    name.report.host = authority(nodes[i]);
    settle_one(name, Look(nodes[i], present, states, now, every), std::move(answers[i]), settled);
  }
  names_ = std::move(names);
  return settled;
}

void NameAnswers::settle_one(Name& name, const Look& look, ResolvedName answer, Settled& settled) {
  if (!answer || answer->empty()) {
    ++failures_;
    name.report.problem = answer ? "it has no address" : answer.error().message;
    settled.found.push_back(std::move(answer));  // see keep_known_addresses()
    return;
  }
  ++answers_;
  name.report.answered = look.now;
  name.report.problem.clear();
  Addresses usable = look.usable(*answer);
  if (const NodePlan* const moved = look.moved(usable)) {
    settled.moved.emplace_back(moved->id, usable.front());
    settled.found.emplace_back(fail(ErrorKind::kUnavailable, moved->unresolved));
    return;
  }
  settled.found.emplace_back(settle_answer(name, look, std::move(usable)));
}

NameAnswers::Addresses NameAnswers::settle_answer(Name& name, const Look& look, Addresses answer) {
  if (answer.empty()) return look.known;
  const bool is_elsewhere = !look.known.empty() && !has_any(look.known, answer) && !has_all(name.left, answer);
  if (!is_elsewhere) name.answers_elsewhere = 0;
  if (look.are_all_down() || (is_elsewhere && has_moved(name, look, answer))) {
    add_missing(name.left, look.known);
    if (name.left.size() > kMostLeft) name.left.clear();
    name.missing.clear();
    name.answers_elsewhere = 0;
    return answer;
  }
  if (is_elsewhere) return look.known;
  std::map<std::string, Missing> missing;
  Addresses settled;  // in the order of before, whatever that of the answer is
  for (const net::Address& address : look.known) {
    if (has(answer, address)) {
      settled.push_back(address);
      continue;
    }
    const auto before = name.missing.find(address.to_string());
    Missing lacks = before != name.missing.end() ? before->second : Missing{0, look.now};
    ++lacks.answers;
    missing.insert({address.to_string(), lacks});
    const bool is_long =
        lacks.answers >= kAnswersToLeave && look.now - lacks.since >= almost(look.every * (kAnswersToLeave - 1));
    const bool leaves = !look.is_held(address) && (is_long || look.is_down(address));
    if (!leaves) settled.push_back(address);
  }
  name.missing = std::move(missing);
  add_missing(settled, answer);
  return settled;
}

// REQUIRES: the answer has nothing in common with what is known
bool NameAnswers::has_moved(Name& name, const Look& look, const Addresses& answer) {
  const bool is_repeated =
      name.answers_elsewhere > 0 && has_all(name.elsewhere, answer) && has_all(answer, name.elsewhere);
  if (!is_repeated) name.elsewhere_since = look.now;
  name.answers_elsewhere = is_repeated ? name.answers_elsewhere + 1 : 1;
  name.elsewhere = answer;
  return name.answers_elsewhere >= kAnswersToMove && look.now - name.elsewhere_since >= almost(look.every);
}

std::vector<NameAnswers::Report> NameAnswers::reports() const {
  std::vector<Report> reports;
  for (const auto& [key, name] : names_) reports.push_back(name.report);
  return reports;
}

std::vector<ResolvedName> keep_missing_addresses(const std::vector<config::Node>& nodes,
                                                 const std::vector<NodePlan>& present,
                                                 std::vector<ResolvedName> answers, const NodeStates& states) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!answers[i]) continue;
    for (const NodePlan& plan : present) {
      const bool is_of_name = plan.host == nodes[i].host && plan.port == nodes[i].port && plan.is_one_of_several;
      const bool serves = is_of_name && plan.address && !states.is_down(plan.id);
      if (!serves || has(*answers[i], *plan.address)) continue;
      const bool overlaps = std::any_of(present.begin(), present.end(), [&](const NodePlan& each) {
        return each.host == nodes[i].host && each.resolved && has(*answers[i], *each.resolved);
      });
      if (overlaps) answers[i]->push_back(*plan.address);
    }
  }
  return answers;
}

}  // namespace bellwether::app
