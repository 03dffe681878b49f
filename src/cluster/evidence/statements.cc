#include "statements.h"

#include <algorithm>

#include "bellwether/base/text.h"

namespace bellwether::cluster {

void Statements::record(const LeaderStatement& statement) {
  if (LeaderStatement* const before = stated_.find(statement.node)) {
    *before = statement;
  } else {
    stated_.add(statement.node, statement);
  }
}

void Statements::keep(const Topology& topology) {
  stated_.keep_if([&](NodeId id, const LeaderStatement& /*statement*/) { return topology.nodes.has(id); });
}

bool Statements::all_have_stated(const Members& members) const {
  return std::all_of(members.ids().begin(), members.ids().end(),
                     [&](NodeId id) { return !members.at(id).seen.up || stated_.has(id); });
}

// By its configured address, or by the api_addr that it states itself.
bool Statements::names(const LeaderStatement& statement, NodeId id, const Members& members) const {
  if (statement.node == id && statement.is_self) return true;
  if (statement.leader_address.empty()) return false;
  const auto is_named = [&](const std::string& address) {
    return equals_ignoring_case(without_trailing_slash(statement.leader_address), without_trailing_slash(address));
  };
  const LeaderStatement* const its_own = stated_.find(id);
  return is_named(members.url(id)) || (its_own != nullptr && its_own->is_self && is_named(its_own->leader_address));
}

bool Statements::says_it_leads(NodeId id, const Members& members) const {
  const LeaderStatement* const statement = stated_.find(id);
  return statement != nullptr && names(*statement, id, members);
}

bool Statements::follows(NodeId id, NodeId leader, const Members& members) const {
  const LeaderStatement* const statement = stated_.find(id);
  return statement != nullptr && !says_it_leads(id, members) && names(*statement, leader, members);
}

int Statements::count_naming(NodeId id, const Members& members) const {
  return static_cast<int>(std::count_if(
      stated_.begin(), stated_.end(), [&](const LeaderStatement& statement) { return names(statement, id, members); }));
}

bool Statements::state_one_identity(NodeId a, NodeId b) const {
  const LeaderStatement* const first = stated_.find(a);
  const LeaderStatement* const second = stated_.find(b);
  return first != nullptr && second != nullptr && !first->identity.empty() && first->identity == second->identity;
}

TimePoint Statements::received(NodeId id) const {
  const LeaderStatement* const statement = stated_.find(id);
  return statement != nullptr ? statement->received : kNever;
}

}  // namespace bellwether::cluster
