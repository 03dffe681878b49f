#include "nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/net/listener.h"

namespace bellwether::app {

namespace {

constexpr int kRoundsDown = 3;  // a node down for that many looks may have moved

std::string authority(const std::string& host, std::uint16_t port) {
  const bool bare_ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  return bare_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

NodePlan plan_of(const config::Node& node) {
  NodePlan plan;
  plan.name = node.name;
  plan.url = node.url;
  plan.host = node.host;
  plan.port = node.port;
  plan.tls = node.tls;
  plan.server_name = node.server_name.empty() ? node.host : node.server_name;
  plan.host_header = authority(node.host, node.port);
  plan.public_url = node.public_address.empty() ? node.url : node.public_address;
  return plan;
}

Result<void> add_several(const config::Node& node, const std::vector<net::Address>& addresses,
                         std::vector<NodePlan>& plans) {
  if (node.name != authority(node.host, node.port)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("node \"{}\": {} has {} addresses, but one node is one address; remove its name to make "
                            "each address a node, or list the addresses",
                            node.name, node.host, addresses.size()));
  }
  for (const net::Address& address : addresses) {
    NodePlan plan = plan_of(node);
    plan.name = node.name + "/" + address.host();
    plan.url = fmt::format("{}://{}", node.tls ? "https" : "http", address.to_string());
    if (node.public_address.empty() || node.public_address == node.url) plan.public_url = plan.url;
    plan.address = address;
    plans.push_back(std::move(plan));
  }
  return {};
}

// The place of another plan that has this address.
std::optional<std::size_t> other_with(const net::Address& address, std::size_t index,
                                      const std::vector<NodePlan>& plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (i != index && plans[i].address == address) return i;
  }
  return std::nullopt;
}

void mark_second_names(std::vector<NodePlan>& plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].address) continue;
    const auto first = other_with(*plans[i].address, i, plans);
    if (!first || *first > i) continue;
    plans[i].same_as = first;
    plans[i].unresolved = why_same_server(*plans[i].address);
    plans[i].address.reset();
  }
}

}  // namespace

std::vector<net::Address> usable_addresses(const std::vector<net::Address>& found) {
  std::vector<net::Address> usable;
  const auto is_ipv4 = [](const net::Address& address) { return address.family() == AF_INET; };
  const bool any_ipv4 = std::any_of(found.begin(), found.end(), is_ipv4);
  for (const net::Address& address : found) {
    if (any_ipv4 && !is_ipv4(address)) continue;
    if (std::find(usable.begin(), usable.end(), address) == usable.end()) usable.push_back(address);
  }
  return usable;
}

std::string why_same_server(const net::Address& address) {
  return fmt::format("both names lead to {}", address.to_string());
}

Result<std::vector<NodePlan>> plan_nodes(const std::vector<config::Node>& nodes,
                                         const std::vector<ResolvedName>& found) {
  std::vector<NodePlan> plans;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto addresses = found[i] ? usable_addresses(*found[i]) : std::vector<net::Address>{};
    if (addresses.size() > 1) {
      if (auto added = add_several(nodes[i], addresses, plans); !added) return tl::unexpected(added.error());
      continue;
    }
    plans.push_back(plan_of(nodes[i]));
    if (!addresses.empty()) plans.back().address = addresses.front();
    if (!found[i]) plans.back().unresolved = found[i].error().message;
  }
  mark_second_names(plans);
  return plans;
}

bool leads_back(const net::Address& node, const std::vector<config::Listen>& listen) {
  return std::any_of(listen.begin(), listen.end(), [&](const config::Listen& each) {
    const auto own = net::Address::parse(each.address);
    if (!own || own->is_unix() || own->port() != node.port()) return false;
    const bool takes_all = own->host() == "0.0.0.0" || own->host() == "::";
    // What can be bound is this machine's.
    return takes_all ? net::bind_listener(node.with_port(0), {}).has_value() : *own == node;
  });
}

Result<void> check_no_loop(const std::vector<NodePlan>& plans, const std::vector<config::Listen>& listen) {
  for (const NodePlan& plan : plans) {
    if (!plan.address || !leads_back(*plan.address, listen)) continue;
    return fail(ErrorKind::kInvalid, fmt::format("node \"{}\": {} leads to {}, where we listen ourselves", plan.name,
                                                 plan.host, plan.address->to_string()));
  }
  return {};
}

std::vector<ResolvedName> resolve_all(net::Loop& loop, net::Resolver& resolver, const std::vector<config::Node>& nodes,
                                      Duration patience) {
  struct Answers {
    std::vector<ResolvedName> found;
    std::size_t count = 0;
  };
  // Shared with the callbacks: an answer may come after we have stopped waiting.
  const auto answers = std::make_shared<Answers>();
  for (const config::Node& node : nodes) {
    answers->found.emplace_back(fail(ErrorKind::kTimeout, fmt::format("cannot resolve \"{}\": no answer within {}",
                                                                      node.host, format_duration(patience))));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    resolver.resolve(nodes[i].host, nodes[i].port, [answers, i](ResolvedName result) {
      ++answers->count;
      answers->found[i] = std::move(result);
    });
  }
  loop.run_until([&] { return answers->count == nodes.size(); }, patience);
  return answers->found;
}

AddressKeeper::AddressKeeper(net::Loop& loop, net::Resolver& resolver, std::vector<NodePlan>& plans, IsDown is_down,
                             Callbacks callbacks, Duration look_interval)
    : resolver_(resolver),
      plans_(plans),
      is_down_(std::move(is_down)),
      callbacks_(std::move(callbacks)),
      look_interval_(look_interval),
      rounds_down_(plans.size()),
      refused_(plans.size()),
      alive_(std::make_shared<AddressKeeper*>(this)),
      timer_(loop, [this] { look(); }) {
  timer_.arm_in(look_interval_);
}

AddressKeeper::~AddressKeeper() = default;

void AddressKeeper::look() {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const bool down = is_down_(node_at(i));
    rounds_down_[i] = down ? rounds_down_[i] + 1 : 0;
    const bool moved_perhaps = rounds_down_[i] > 0 && rounds_down_[i] % kRoundsDown == 0;
    if (plans_[i].address && !moved_perhaps) continue;
    resolver_.resolve(plans_[i].host, plans_[i].port, [weak = std::weak_ptr(alive_), i](const ResolvedName& result) {
      if (const auto self = weak.lock()) (*self)->on_resolved(i, result);
    });
  }
  timer_.arm_in(look_interval_);
}

void AddressKeeper::on_resolved(std::size_t index, const ResolvedName& found) {
  if (found) return on_found(index, usable_addresses(*found));
  if (!plans_[index].address && !plans_[index].same_as) callbacks_.on_unresolved(node_at(index), found.error().message);
}

void AddressKeeper::on_found(std::size_t index, const std::vector<net::Address>& found) {
  NodePlan& plan = plans_[index];
  std::erase_if(refused_[index], [&](const net::Address& refused) {
    return std::find(found.begin(), found.end(), refused) == found.end();
  });
  const bool still_there = plan.address && std::find(found.begin(), found.end(), *plan.address) != found.end();
  if (still_there) return;
  for (const net::Address& address : found) {
    if (other_with(address, index, plans_) || !offer(index, address)) continue;
    plan.address = address;
    plan.same_as.reset();
    return;
  }
  if (plan.address || found.empty()) return;
  plan.same_as = other_with(found.front(), index, plans_);
  if (plan.same_as) callbacks_.on_same_server(node_at(index), node_at(*plan.same_as), found.front());
}

bool AddressKeeper::offer(std::size_t index, const net::Address& address) {
  std::vector<net::Address>& refused = refused_[index];
  if (std::find(refused.begin(), refused.end(), address) != refused.end()) return false;
  if (callbacks_.on_address(node_at(index), address)) return true;
  refused.push_back(address);
  return false;
}

}  // namespace bellwether::app
