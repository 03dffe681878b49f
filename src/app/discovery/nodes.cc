#include "nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bellwether/base/ip_range.h"
#include "bellwether/net/listener.h"

namespace bellwether::app {

namespace {

constexpr int kRoundsDown = 3;  // a node down for that many looks may have moved

NodePlan plan_of(const config::Node& node) {
  NodePlan plan;
  plan.name = node.name;
  plan.url = node.url;
  plan.host = node.host;
  plan.is_service = node.is_service;
  plan.may_be_local = node.may_be_local;
  plan.port = node.port;
  plan.tls = node.tls;
  plan.server_name = node.server_name.empty() ? node.host : node.server_name;
  plan.host_header = authority(node);
  plan.public_url = node.public_address.empty() ? node.url : node.public_address;
  return plan;
}

Result<void> add_several(const config::Node& node, const std::vector<net::Address>& addresses,
                         std::vector<NodePlan>& plans) {
  if (node.name != authority(node)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("node \"{}\": {} has {} addresses, but one node is one address; remove its name to make "
                            "each address a node, or list the addresses",
                            node.name, node.host, addresses.size()));
  }
  for (const net::Address& address : addresses) {
    NodePlan plan = plan_of(node);
    plan.is_one_of_several = true;
    plan.name = node.name + "/" + (node.is_service ? address.to_string() : address.host());
    if (node.is_service) plan.host_header = address.to_string();
    plan.url = fmt::format("{}://{}", node.tls ? "https" : "http", address.to_string());
    if (node.is_service || node.public_address.empty() || node.public_address == node.url) plan.public_url = plan.url;
    plan.resolved = address;
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

const NodePlan* find_plan(const std::vector<NodePlan>& plans, NodeId id) {
  const auto found = std::find_if(plans.begin(), plans.end(), [&](const NodePlan& plan) { return plan.id == id; });
  return found != plans.end() ? &*found : nullptr;
}

// Of the plans that lead to one address the present node that has it, else the first.
std::size_t holder_of(const net::Address& address, const std::vector<NodePlan>& plans,
                      const std::vector<NodePlan>& present) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].resolved != address) continue;
    const NodePlan* const before = find_plan(present, plans[i].id);
    if (before != nullptr && before->address == address) return i;
    if (!first) first = i;
  }
  return *first;
}

void give_addresses(std::vector<NodePlan>& plans, const std::vector<NodePlan>& present) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    NodePlan& plan = plans[i];
    if (!plan.resolved) continue;
    const std::size_t holder = holder_of(*plan.resolved, plans, present);
    if (holder == i) {
      plan.address = plan.resolved;
    } else {
      plan.same_as = holder;
      plan.unresolved = why_same_server(*plan.resolved);
    }
  }
}

Result<std::vector<NodePlan>> expand(const std::vector<config::Node>& nodes, const std::vector<ResolvedName>& found) {
  std::vector<NodePlan> plans;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto addresses = found[i] ? *found[i] : std::vector<net::Address>{};
    if (addresses.size() > 1 || (nodes[i].is_service && !addresses.empty())) {
      if (auto added = add_several(nodes[i], addresses, plans); !added) return tl::unexpected(added.error());
      continue;
    }
    plans.push_back(plan_of(nodes[i]));
    if (!addresses.empty()) plans.back().resolved = addresses.front();
    if (!found[i]) plans.back().unresolved = found[i].error().message;
  }
  if (plans.size() <= config::kMaxNodes) return plans;
  return fail(ErrorKind::kLimit, fmt::format("nodes: their names lead to {} addresses, and there may be {} nodes",
                                             plans.size(), config::kMaxNodes));
}

// Gives each of `next` that has no id yet that of the first present one that nobody has and that is it, by `is_it`.
template <typename IsIt>
void match(const std::vector<NodePlan>& next, const std::vector<NodePlan>& present,
           std::vector<std::optional<NodeId>>& ids, IsIt is_it) {
  for (std::size_t i = 0; i < next.size(); ++i) {
    for (std::size_t k = 0; k < present.size() && !ids[i]; ++k) {
      const bool is_taken = std::find(ids.begin(), ids.end(), std::optional(present[k].id)) != ids.end();
      if (!is_taken && is_it(next[i], present[k])) ids[i] = present[k].id;
    }
  }
}

void assign_ids(std::vector<NodePlan>& next, const std::vector<NodePlan>& present, NodeId& unused) {
  std::vector<std::optional<NodeId>> ids(next.size());
  const auto has_address_of = [](const NodePlan& a, const NodePlan& present_one) {
    return a.tls == present_one.tls && present_one.address && a.resolved == present_one.address;
  };
  const auto have_one_address = [](const NodePlan& a, const NodePlan& b) {
    return a.tls == b.tls && a.resolved && a.resolved == b.resolved;
  };
  const auto have_one_host = [](const NodePlan& a, const NodePlan& b) {
    return a.tls == b.tls && a.host == b.host && a.port == b.port;
  };
  match(next, present, ids,
        [&](const NodePlan& a, const NodePlan& b) { return has_address_of(a, b) && have_one_host(a, b); });
  match(next, present, ids, has_address_of);
  match(next, present, ids,
        [&](const NodePlan& a, const NodePlan& b) { return have_one_address(a, b) && have_one_host(a, b); });
  match(next, present, ids,
        [&](const NodePlan& a, const NodePlan& b) { return have_one_host(a, b) && (!a.resolved || !b.resolved); });
  for (std::size_t i = 0; i < next.size(); ++i) {
    next[i].id = ids[i].value_or(unused);
    if (!ids[i]) ++unused.number;
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

std::vector<ResolvedName> usable_answers(std::vector<ResolvedName> answers) {
  for (ResolvedName& each : answers) {
    if (each) each = usable_addresses(*each);
  }
  return answers;
}

std::string authority(const config::Node& node) {
  if (node.is_service) return node.host;
  const bool is_bare_ipv6 = node.host.find(':') != std::string::npos && node.host.front() != '[';
  return is_bare_ipv6 ? fmt::format("[{}]:{}", node.host, node.port) : fmt::format("{}:{}", node.host, node.port);
}

bool has_name(const config::Node& node) { return !net::Address::parse(authority(node)); }

std::string why_same_server(const net::Address& address) {
  return fmt::format("both names lead to {}", address.to_string());
}

Result<std::vector<NodePlan>> plan_nodes(const std::vector<config::Node>& nodes,
                                         const std::vector<ResolvedName>& found) {
  NodeId unused;
  return replan_nodes(nodes, usable_answers(found), {}, unused);
}

Result<std::vector<NodePlan>> replan_nodes(const std::vector<config::Node>& nodes,
                                           const std::vector<ResolvedName>& found, const std::vector<NodePlan>& present,
                                           NodeId& unused) {
  auto plans = expand(nodes, found);
  if (!plans) return plans;
  assign_ids(*plans, present, unused);
  give_addresses(*plans, present);
  return plans;
}

std::vector<std::string> keep_known_addresses(const std::vector<config::Node>& nodes,
                                              const std::vector<NodePlan>& present, std::vector<ResolvedName>& found) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (found[i] && !found[i]->empty()) continue;
    std::vector<net::Address> known;
    for (const NodePlan& plan : present) {
      const bool is_same_name = plan.host == nodes[i].host && plan.port == nodes[i].port;
      if (is_same_name && plan.resolved) known.push_back(*plan.resolved);
    }
    if (known.empty()) continue;
    found[i] = std::move(known);
    kept.push_back(nodes[i].host);
  }
  return kept;
}

namespace {

std::string shown(const NodePlan& plan) {
  return plan.resolved ? fmt::format("{} ({}, {})", plan.name, plan.url, plan.resolved->to_string())
                       : fmt::format("{} ({})", plan.name, plan.url);
}

void add_changes_of_kept(const NodePlan& before, const NodePlan& after, const std::vector<NodePlan>& next,
                         std::vector<std::string>& changes) {
  const auto changed = [&](std::string_view what, const std::string& from, const std::string& to) {
    if (from != to) changes.push_back(fmt::format("node {}: {} {} -> {}", after.name, what, from, to));
  };
  if (before.name != after.name) changes.push_back(fmt::format("node {} is called {}", before.name, after.name));
  changed("url", before.url, after.url);
  changed("server_name", before.server_name, after.server_name);
  changed("public_address", before.public_url, after.public_url);
  if (before.address == after.address && before.same_as.has_value() == after.same_as.has_value()) return;
  changes.push_back(after.same_as ? fmt::format("node {} is another name of {}", after.name, next[*after.same_as].name)
                                  : fmt::format("node {} has an address", shown(after)));
}

}  // namespace

std::vector<std::string> node_changes(const std::vector<NodePlan>& present, const std::vector<NodePlan>& next) {
  std::vector<std::string> changes;
  for (const NodePlan& plan : present) {
    if (find_plan(next, plan.id) == nullptr) changes.push_back("-node " + shown(plan));
  }
  for (const NodePlan& plan : next) {
    if (const NodePlan* const before = find_plan(present, plan.id)) {
      add_changes_of_kept(*before, plan, next, changes);
    } else {
      changes.push_back("+node " + shown(plan));
    }
  }
  const auto have_one_order = [](const NodePlan& a, const NodePlan& b) { return a.id == b.id; };
  const bool is_same_order = std::equal(present.begin(), present.end(), next.begin(), next.end(), have_one_order);
  if (changes.empty() && !is_same_order) changes.emplace_back("the nodes have another order");
  return changes;
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

namespace {

std::vector<ResolvedName> without_answers(const std::vector<config::Node>& nodes, Duration patience) {
  std::vector<ResolvedName> found;
  for (const config::Node& node : nodes) {
    found.emplace_back(fail(ErrorKind::kTimeout, fmt::format("cannot resolve \"{}\": no answer within {}", node.host,
                                                             format_duration(patience))));
  }
  return found;
}

// Of this machine or of its links.
bool is_local(const net::Address& address) {
  static const std::vector<IpRange> ranges = [] {
    std::vector<IpRange> parsed;
    for (const auto* text : {"127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::"}) {
      parsed.push_back(IpRange::parse(text).value());
    }
    return parsed;
  }();
  return is_in_any(address.host(), ranges);
}

// What a name server says is data from outside: only it has a TTL.
Result<net::NameAnswer> without_local(Result<net::NameAnswer> answer, const std::string& host) {
  if (!answer || !answer->ttl) return answer;
  const net::Address first = answer->addresses.front();
  std::erase_if(answer->addresses, is_local);
  if (!answer->addresses.empty()) return answer;
  return fail(ErrorKind::kInvalid, fmt::format("cannot use \"{}\": its name server leads to {}, which is local to this "
                                               "machine; dns_allow_local permits that",
                                               host, first.host()));
}

// A node of the configuration, or one of now.
template <typename Named>
void ask(net::Resolver& resolver, const Named& node, net::Resolver::OnResolved on_resolved) {
  if (!node.may_be_local) {
    on_resolved = [host = node.host, told = std::move(on_resolved)](Result<net::NameAnswer> answer) {
      told(without_local(std::move(answer), host));
    };
  }
  if (node.is_service) return resolver.resolve_service(node.host, std::move(on_resolved));
  resolver.resolve(node.host, node.port, std::move(on_resolved));
}

// One asking for many names. Shared with the callbacks: an answer may come after all is over.
struct Asking {
  Asking(net::Loop& loop, std::function<void(ResolvedNames)> on_done)
      : done(std::move(on_done)), timer(loop, [this] { finish(); }) {}

  void finish() {
    timer.cancel();
    if (const auto callback = std::exchange(done, {})) callback(std::move(found));
  }

  void note(std::size_t index, const Result<net::NameAnswer>& answer) {
    if (!done) return;
    found.names[index] = answer.map([](const net::NameAnswer& it) { return it.addresses; });
    if (answer) found.ttl = net::least_ttl(found.ttl, answer->ttl);
    if (++count == found.names.size()) finish();
  }

  ResolvedNames found;
  std::size_t count = 0;
  std::function<void(ResolvedNames)> done;
  net::Timer timer;
};

}  // namespace

void resolve_all_later(net::Loop& loop, net::Resolver& resolver, const std::vector<config::Node>& nodes,
                       Duration patience, std::function<void(ResolvedNames)> on_done) {
  const auto asking = std::make_shared<Asking>(loop, std::move(on_done));
  asking->found.names = without_answers(nodes, patience);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ask(resolver, nodes[i], [asking, i](const Result<net::NameAnswer>& answer) { asking->note(i, answer); });
  }
  asking->timer.arm_in(patience);
}

std::vector<ResolvedName> resolve_all(net::Loop& loop, net::Resolver& resolver, const std::vector<config::Node>& nodes,
                                      Duration patience) {
  // Shared with the callback: the loop may be stopped before.
  const auto answers = std::make_shared<std::vector<ResolvedName>>();
  resolve_all_later(loop, resolver, nodes, patience,
                    [answers](ResolvedNames found) { *answers = std::move(found.names); });
  const bool has_ended = loop.run_until([&] { return answers->size() == nodes.size(); }, patience * 2);
  return has_ended ? std::move(*answers) : without_answers(nodes, patience);
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
    const bool down = is_down_(plans_[i].id);
    rounds_down_[i] = down ? rounds_down_[i] + 1 : 0;
    const bool moved_perhaps = rounds_down_[i] > 0 && rounds_down_[i] % kRoundsDown == 0;
    const bool is_settled = plans_[i].is_one_of_several && plans_[i].same_as;
    // A service is asked for by NameRefresh alone: one address would make one node of it.
    if (is_settled || plans_[i].is_service || (plans_[i].address && !moved_perhaps)) continue;
    ask(resolver_, plans_[i], [weak = std::weak_ptr(alive_), i](const Result<net::NameAnswer>& answer) {
      if (const auto self = weak.lock()) (*self)->on_resolved(i, answer);
    });
  }
  timer_.arm_in(look_interval_);
}

void AddressKeeper::on_answer(NodeId node, const std::vector<net::Address>& found) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (plans_[i].id == node) return on_found(i, found);
  }
}

void AddressKeeper::on_resolved(std::size_t index, const Result<net::NameAnswer>& found) {
  if (found) return on_found(index, usable_addresses(found->addresses));
  if (!plans_[index].address && !plans_[index].same_as)
    callbacks_.on_unresolved(plans_[index].id, found.error().message);
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
    plan.resolved = plan.address = address;
    plan.same_as.reset();
    return;
  }
  if (plan.address || found.empty()) return;
  plan.same_as = other_with(found.front(), index, plans_);
  if (!plan.same_as) return;
  plan.resolved = found.front();
  callbacks_.on_same_server(plan.id, plans_[*plan.same_as].id, found.front());
}

bool AddressKeeper::offer(std::size_t index, const net::Address& address) {
  std::vector<net::Address>& refused = refused_[index];
  if (std::find(refused.begin(), refused.end(), address) != refused.end()) return false;
  if (callbacks_.on_address(plans_[index].id, address)) return true;
  refused.push_back(address);
  return false;
}

}  // namespace bellwether::app
