#include "node_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "plan.h"

namespace bellwether::app {
namespace {

void warn_of_unresolved(const log::ClusterLog& log, const std::vector<NodePlan>& plans) {
  for (const NodePlan& node : plans) {
    if (!node.address && !node.same_as)
      log.warn("node_unresolved", {{"node", node.name}, {"host", node.host}, {"why", node.unresolved}});
  }
}

}  // namespace

NodeSet::NodeSet(net::Loop& loop, net::Resolver& resolver, const config::Config& config, ListenElsewhere elsewhere,
                 log::ClusterLog log)
    : loop_(loop), resolver_(resolver), config_(config), elsewhere_(std::move(elsewhere)), log_(std::move(log)) {}

Result<void> NodeSet::take_first(const std::vector<ResolvedName>& found) {
  auto plans = plan_nodes(config_.nodes, found);
  if (!plans) return tl::unexpected(plans.error());
  if (auto straight = check_no_loop(*plans, with_elsewhere(config_.listen)); !straight) return straight;
  plans_ = std::move(*plans);
  unused_ = {static_cast<std::uint32_t>(plans_.size())};
  warn_of_unresolved(log_, plans_);
  return {};
}

bool NodeSet::any_is_tls() const {
  return std::any_of(plans_.begin(), plans_.end(), [](const NodePlan& node) { return node.tls; });
}

std::string NodeSet::names() const {
  std::vector<std::string> names;
  for (const NodePlan& node : plans_) names.push_back(node.name);
  return fmt::format("{}", fmt::join(names, ","));
}

void NodeSet::begin(probe::Prober& prober, proxy::Proxy& proxy) {
  prober_ = &prober;
  proxy_ = &proxy;
  note_listeners();
  tell_same_servers();
  keep_addresses();
}

void NodeSet::note_listeners() {
  listen_ = config_.listen;
  for (std::size_t i = 0; i < listen_.size(); ++i) {
    if (!proxy_->addresses()[i].is_unix()) listen_[i].address = proxy_->addresses()[i].to_string();
  }
}

std::vector<config::Listen> NodeSet::with_elsewhere(std::vector<config::Listen> own) const {
  const std::vector<config::Listen> others = elsewhere_();
  own.insert(own.end(), others.begin(), others.end());
  return own;
}

std::vector<config::Listen> NodeSet::real_listeners(std::vector<config::Listen> wanted) const {
  const std::vector<config::Listen>& open = config_.listen;
  for (config::Listen& each : wanted) {
    const auto is_it = [&](const config::Listen& one) { return one.address == each.address; };
    const auto found = std::find_if(open.begin(), open.end(), is_it);
    if (found != open.end()) each.address = listen_[static_cast<std::size_t>(found - open.begin())].address;
  }
  return wanted;
}

Result<std::vector<NodePlan>> NodeSet::plan(const config::Config& changed, std::vector<ResolvedName> found,
                                            std::vector<std::string>& hints) const {
  const std::vector<std::string> kept = keep_known_addresses(changed.nodes, plans_, found);
  NodeId unused = unused_;
  auto plans = replan_nodes(changed.nodes, found, plans_, unused);
  if (!plans) return plans;
  if (auto straight = check_no_loop(*plans, with_elsewhere(real_listeners(changed.listen))); !straight) {
    return tl::unexpected(straight.error());
  }
  for (const std::string& host : kept) {
    hints.push_back(fmt::format("nodes: there is no answer about {} now; its last addresses stay", host));
  }
  return plans;
}

void NodeSet::use(std::vector<NodePlan> plans, probe::ProberOptions options, std::function<void()> on_done) {
  for (const NodePlan& plan : plans) unused_.number = std::max(unused_.number, plan.id.number + 1);
  warn_of_unresolved(log_, plans);
  note_listeners();
  keeper_.reset();  // what it would change is about to be others
  proxy_->set_nodes(node_options(plans));
  prober_->reconfigure(std::move(options),
                       [this, used = std::move(plans), done = std::move(on_done)](const Result<void>&) {
                         on_used(used);
                         done();
                       });
}

void NodeSet::on_used(std::vector<NodePlan> plans) {
  for (const NodePlan& before : plans_) {
    const auto is_one_no_more = [&](const NodePlan& plan) { return plan.id == before.id && !plan.same_as; };
    const bool is_told = before.same_as && std::any_of(plans.begin(), plans.end(), is_one_no_more);
    if (is_told) prober_->on_same_server(before.id, std::nullopt, {});
  }
  plans_ = std::move(plans);
  tell_same_servers();
  keep_addresses();
}

void NodeSet::tell_same_servers() {
  for (const NodePlan& node : plans_) {
    if (node.same_as) prober_->on_same_server(node.id, plans_[*node.same_as].id, node.unresolved);
  }
}

void NodeSet::keep_addresses() {
  AddressKeeper::Callbacks callbacks;
  callbacks.on_address = [this](NodeId node, const net::Address& address) { return on_address(node, address); };
  callbacks.on_same_server = [this](NodeId node, NodeId same, const net::Address& address) {
    prober_->on_same_server(node, same, why_same_server(address));
  };
  callbacks.on_unresolved = [this](NodeId node, const std::string& why) { prober_->set_unresolved(node, why); };
  keeper_ = std::make_unique<AddressKeeper>(
      loop_, resolver_, plans_, [this](NodeId node) { return may_have_moved(node); }, std::move(callbacks));
}

bool NodeSet::on_address(NodeId node, const net::Address& address) {
  if (leads_back(address, with_elsewhere(listen_))) {
    log_.error("node_address_refused", {{"node", name_of(node)},
                                        {"address", address.to_string()},
                                        {"why", std::string("we listen there ourselves; the last address stays")}});
    return false;
  }
  log_.info("node_address_changed", {{"node", name_of(node)}, {"address", address.to_string()}});
  prober_->on_same_server(node, std::nullopt, {});
  prober_->set_address(node, address);
  proxy_->set_address(node, address);
  return true;
}

// Where names are asked for again, a node of a name with several addresses does not move: it leaves, and another comes.
bool NodeSet::may_have_moved(NodeId node) const {
  const bool leaves = config_.dns_refresh > Duration::zero() &&
                      std::any_of(plans_.begin(), plans_.end(),
                                  [node](const NodePlan& plan) { return plan.id == node && plan.is_one_of_several; });
  return is_down(node) && !leaves;
}

bool NodeSet::is_down(NodeId node) const {
  const cluster::NodeView* const seen = prober_->view()->nodes.find(node);
  return seen != nullptr && !seen->up;
}

}  // namespace bellwether::app
