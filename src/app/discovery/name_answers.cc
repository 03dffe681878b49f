#include "name_answers.h"

#include <algorithm>
#include <set>

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
  Look(const config::Node& n, const std::vector<NodePlan>& present, const NodeStates& s, TimePoint t, Duration e,
       const Addresses& doubtful)
      : node(n), states(s), now(t), every(e) {
    for (const NodePlan& plan : present) {
      if (plan.host != n.host || plan.port != n.port) continue;
      const NodeId server = plan.same_as ? present[*plan.same_as].id : plan.id;
      plans.emplace_back(&plan, server);
      const bool counts = plan.resolved && !has(doubtful, *plan.resolved);
      if (counts && !has(known, *plan.resolved)) known.push_back(*plan.resolved);
    }
    if (!any_leads(doubtful)) add_missing(known, of_our_cluster(doubtful));
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
    if (node.is_service || plans.size() != 1 || answer.size() != 1) return nullptr;
    const auto& [plan, server] = plans.front();
    const bool is_there = plan->resolved && has(answer, *plan->resolved);
    return !is_there && ((!plan->address && !plan->same_as) || states.is_down(server)) ? plan : nullptr;
  }
  // It is one address, then.
  [[nodiscard]] bool has_own_name() const { return node.name != authority(node); }
  // Of the family that is in use, while a node of it answers: one query of the two may fail. Of both if none does for
  // long, so that whichever is not broken serves. Of a node that has a name of its own, one address.
  [[nodiscard]] Addresses usable(const Addresses& answer, bool tries_both) const {
    const bool is_one = has_own_name();
    if (known.empty() || (are_all_down() && (is_one || !tries_both))) return one_if(is_one, usable_addresses(answer));
    Addresses usable;
    add_missing(usable, answer);
    if (const std::optional<int> family = family_in_use()) {
      std::erase_if(usable, [&](const net::Address& each) { return each.family() != *family; });
    }
    return one_if(is_one, std::move(usable));
  }
  [[nodiscard]] Addresses one_if(bool is_one, Addresses usable) const {
    if (!is_one || usable.size() < 2) return usable;
    return {!known.empty() && has(usable, known.front()) ? known.front() : usable.front()};
  }
  // That of the leader, else of a node that answers, IPv4 before IPv6; none if nobody does.
  [[nodiscard]] std::optional<int> family_in_use() const {
    std::optional<int> family;
    for (const auto& [plan, server] : plans) {
      if (plan->resolved && has(known, *plan->resolved) && states.is_leader(server)) return plan->resolved->family();
    }
    for (const net::Address& each : known) {
      if (!is_down(each) && family != AF_INET) family = each.family();
    }
    return family;
  }
  // What the nodes of the answer say proves that the name has moved.
  [[nodiscard]] bool leads_elsewhere(const Addresses& answer) const {
    return (is_other_cluster(answer) && !states.is_cluster_given()) || any_leads(of_our_cluster(answer));
  }
  [[nodiscard]] bool is_other_cluster(const Addresses& answer) const {
    return !clusters_of(known).empty() && !clusters_of(answer).empty() && of_our_cluster(answer).empty();
  }
  [[nodiscard]] bool any_leads(const Addresses& addresses) const {
    return std::any_of(plans.begin(), plans.end(), [&](const auto& each) {
      return each.first->resolved && has(addresses, *each.first->resolved) && states.says_it_leads(each.second);
    });
  }
  [[nodiscard]] bool are_of_another_cluster(const net::Address& one, const Addresses& others) const {
    const std::set<std::string> its = clusters_of({one}), theirs = clusters_of(others);
    return !its.empty() && !theirs.empty() && !theirs.contains(*its.begin());
  }
  [[nodiscard]] Addresses of_our_cluster(const Addresses& addresses) const {
    const std::set<std::string> ours = clusters_of(known);
    Addresses of_ours;
    for (const net::Address& each : addresses) {
      const std::set<std::string> its = clusters_of({each});
      if (std::any_of(its.begin(), its.end(), [&](const auto& id) { return ours.contains(id); }))
        of_ours.push_back(each);
    }
    return of_ours;
  }
  [[nodiscard]] std::set<std::string> clusters_of(const Addresses& addresses) const {
    std::set<std::string> ids;
    for (const auto& [plan, server] : plans) {
      if (plan->resolved && has(addresses, *plan->resolved)) ids.insert(states.cluster_id(server));
    }
    ids.erase("");
    return ids;
  }

  const config::Node& node;
  const NodeStates& states;
  const TimePoint now;
  const Duration every;
  std::vector<std::pair<const NodePlan*, NodeId>> plans;  // of the name, and whose server each is
  Addresses known;                                        // what the name stands for, without what is in doubt
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
    settle_one(name, Look(nodes[i], present, states, now, every, name.elsewhere), std::move(answers[i]), settled);
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
  name.answers_while_down = !look.known.empty() && look.are_all_down() ? name.answers_while_down + 1 : 0;
  Addresses usable = look.usable(*answer, name.answers_while_down >= kAnswersToTryBoth);
  if (const NodePlan* const moved = look.moved(usable)) {
    settled.moved.emplace_back(moved->id, usable.front());
    settled.found.emplace_back(fail(ErrorKind::kUnavailable, moved->unresolved));
    return;
  }
  settled.found.emplace_back(settle_answer(name, look, std::move(usable), settled.is_in_doubt));
}

NameAnswers::Addresses NameAnswers::settle_answer(Name& name, const Look& look, Addresses answer, bool& is_in_doubt) {
  if (answer.empty()) return look.known;
  const bool is_elsewhere = !look.known.empty() && !has_any(look.known, answer) && !has_all(name.left, answer);
  if (look.are_all_down() || (is_elsewhere && has_moved(name, look, answer))) {
    if (look.is_other_cluster(answer)) {
      name.former = look.known;
      name.left.clear();
    } else {
      add_missing(name.left, look.known);
    }
    if (name.left.size() > kMostLeft) name.left.clear();
    name.missing.clear();
    name.forget_elsewhere();
    return answer;
  }
  if (is_elsewhere) {
    if (look.has_own_name()) return look.known;
    is_in_doubt = true;
    Addresses both = look.known;
    std::erase_if(both, [&](const net::Address& each) { return look.is_down(each) && !look.is_held(each); });
    add_missing(both, answer);
    return both;
  }
  name.forget_elsewhere();
  const std::optional<int> family = look.family_in_use();
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
    const bool is_of_other_family = family && address.family() != *family;
    const bool leaves = !look.is_held(address) && (is_long || is_of_other_family || look.is_down(address));
    if (!leaves) settled.push_back(address);
  }
  name.missing = std::move(missing);
  add_missing(settled, answer);
  return settled;
}

// REQUIRES: the answer has nothing in common with what is known
bool NameAnswers::has_moved(Name& name, const Look& look, const Addresses& answer) {
  if (look.leads_elsewhere(answer) && !has_any(name.former, answer)) return true;
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

NameAnswers::Addresses NameAnswers::keep_missing(const config::Node& node, const std::vector<NodePlan>& present,
                                                 const Addresses& answer, const NodeStates& states) {
  const Look look(node, present, states, {}, {}, {});
  Addresses kept = look.usable(answer, true);
  for (const auto& [plan, server] : look.plans) {
    const bool serves = plan->is_one_of_several && plan->address && !states.is_down(plan->id);
    if (!serves || has(kept, *plan->address) || look.are_of_another_cluster(*plan->address, kept)) continue;
    const bool overlaps = std::any_of(present.begin(), present.end(), [&](const NodePlan& each) {
      return each.host == node.host && each.resolved && has(kept, *each.resolved);
    });
    if (overlaps) kept.push_back(*plan->address);
  }
  return kept;
}

std::vector<ResolvedName> keep_missing_addresses(const std::vector<config::Node>& nodes,
                                                 const std::vector<NodePlan>& present,
                                                 std::vector<ResolvedName> answers, const NodeStates& states) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (answers[i]) answers[i] = NameAnswers::keep_missing(nodes[i], present, *answers[i], states);
  }
  return answers;
}

}  // namespace bellwether::app
