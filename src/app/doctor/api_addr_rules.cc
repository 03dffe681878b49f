#include <fmt/format.h>

#include <algorithm>

#include "rules.h"

namespace bellwether::app {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The node that leads by this api_addr, if one alone says so.
const Examined* owner_of(const NamedLeader& named, const std::vector<const Examined*>& ours) {
  const auto leading = claimants(ours);
  if (leading.size() != 1 || !leading.front()->leader) return nullptr;
  return leading.front()->leader->leader_address == named.url ? leading.front() : nullptr;
}

void check_one(const NamedLeader& named, const std::vector<Examined>& nodes, const Examined* owner, Diagnosis& out) {
  const std::string_view who = owner != nullptr ? std::string_view(owner->name) : kWholeCluster;
  if (named.leads_back) {
    return out.add(FindingId::kApiAddrLoops, who,
                   fmt::format("the api_addr {} leads to {}, where we listen ourselves", named.url,
                               fmt::join(named.addresses, ", ")));
  }
  if (!named.problem.empty() || named.addresses.empty()) {
    return out.add(FindingId::kApiAddrUnresolved, who,
                   fmt::format("the api_addr {} leads nowhere from here: {}", named.url, named.problem));
  }
  const auto at = [&](const Examined& node) { return contains(named.addresses, node.address); };
  const auto other = std::find_if(nodes.begin(), nodes.end(), at);
  if (other == nodes.end()) {
    if (!std::all_of(named.addresses.begin(), named.addresses.end(), is_on_loopback)) return;
    return out.add(FindingId::kApiAddrLoopback, who,
                   fmt::format("the api_addr {} leads to {}, which is none of the nodes but whoever follows it",
                               named.url, fmt::join(named.addresses, ", ")));
  }
  if (owner == nullptr || owner->address.empty() || at(*owner)) return;
  out.add(FindingId::kApiAddrOfAnother, owner->name,
          fmt::format("leads at {}, but its api_addr {} leads to {}, which is {}", owner->address, named.url,
                      other->address, other->name));
}

}  // namespace

void check_api_addresses(const ExaminedCluster& seen, const config::Config& config, Diagnosis& out) {
  const auto ours = members(seen.nodes, config);
  // Without a leader it is what nodes remember, and may be what has gone.
  if (claimants(ours).empty()) return;
  for (const NamedLeader& named : seen.named) {
    const bool is_ours = std::any_of(ours.begin(), ours.end(), [&](const Examined* node) {
      return node->leader && node->leader->leader_address == named.url;
    });
    if (is_ours) check_one(named, seen.nodes, owner_of(named, ours), out);
  }
}

}  // namespace bellwether::app
