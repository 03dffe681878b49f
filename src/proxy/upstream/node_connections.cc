#include "node_connections.h"

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// Connections that wait at each node that may lead next, and how soon there may be others after they were closed.
constexpr int kWarm = 2;
constexpr Duration kWarmAgain = 1s;

}  // namespace

NodeConnections::NodeConnections(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls,
                                 std::function<void()> on_idle)
    : worker_(worker),
      node_tls_(std::move(node_tls)),
      pool_(worker.loop(), [this](NodeId node, bool is_open) { on_warm(node, is_open); }),
      on_idle_(std::move(on_idle)) {
  on_nodes();
}

void NodeConnections::on_nodes() {
  nodes_.keep_if([this](NodeId node, const Node& /*of*/) { return worker_.nodes().has(node); });
  pool_.keep_if([this](NodeId node) { return worker_.nodes().has(node); });
  for (const NodeId id : worker_.nodes().ids()) {
    if (!nodes_.has(id)) nodes_.add(id);
    Node& node = nodes_.at(id);
    const std::vector<std::string> urls = node.urls;
    const std::string server_name = std::exchange(node.server_name, worker_.nodes().options(id).server_name);
    set_urls(id);
    const bool is_changed = node.urls != urls || node.server_name != server_name;
    if (!pool_.add(id) && is_changed) pool_.outdate(id);
  }
}

void NodeConnections::on_address(NodeId node) {
  pool_.outdate(node);
  set_urls(node);
}

void NodeConnections::on_view() {
  if (worker_.view()->leader) last_leader_ = worker_.view()->leader;
  for (const NodeId node : nodes_.ids()) {
    if (worker_.nodes().standing(node) != Standing::kKeep && !may_take_over(node)) pool_.close_idle(node);
  }
}

// What was verified by the old CA, or shown the old certificate, is used no more than it is used already.
void NodeConnections::set_node_tls(const std::shared_ptr<net::TlsContext>& tls) {
  node_tls_ = tls;
  for (const NodeId node : nodes_.ids()) {
    if (worker_.nodes().options(node).is_tls) pool_.outdate(node);
  }
}

void NodeConnections::on_settings(const ProxySettings& before) {
  const ProxySettings& now = worker_.options();
  if (before.source == now.source && before.send_proxy == now.send_proxy) return;
  for (const NodeId node : nodes_.ids()) pool_.outdate(node);
}

// An address that it had before may be another node's by now: to be redirected there is no redirect to itself.
void NodeConnections::set_urls(NodeId id) {
  Node& node = nodes_.at(id);
  const NodeOptions& options = worker_.nodes().options(id);
  node.urls.clear();
  if (!options.public_url.empty()) node.urls.push_back(options.public_url);
  if (const net::Address* address = worker_.nodes().address(id)) {
    node.urls.push_back((options.is_tls ? "https://" : "http://") + address->to_string());
  }
  node.url_views.assign(node.urls.begin(), node.urls.end());
}

std::span<const std::string_view> NodeConnections::urls(NodeId id) const {
  const Node* const node = nodes_.find(id);
  return node != nullptr ? std::span<const std::string_view>(node->url_views) : std::span<const std::string_view>();
}

bool NodeConnections::are_shared() const { return worker_.options().send_proxy == net::ProxyVersion::kNone; }

std::unique_ptr<Upstream> NodeConnections::take(NodeId node, UpstreamUser& user) {
  auto upstream = are_shared() ? pool_.take(node) : nullptr;
  if (upstream) upstream->lend(&user);
  return upstream;
}

std::unique_ptr<Upstream> NodeConnections::open(NodeId node, std::string preamble, UpstreamUser* user) {
  const net::Address* address = worker_.nodes().address(node);
  if (address == nullptr || !pool_.has(node)) return nullptr;
  net::ConnectOptions options;
  if (worker_.nodes().options(node).is_tls) options.tls = node_tls_;
  options.server_name = worker_.nodes().options(node).server_name;
  options.source = worker_.options().source;
  options.preamble = preamble_now(std::move(preamble));
  options.timeout = worker_.options().timeout_connect;
  options.tcp = worker_.options().tcp;
  auto upstream = std::make_unique<Upstream>(pool_, node, pool_.generation(node));
  upstream->lend(user);
  upstream->open(worker_.loop(), *address, std::move(options));
  return upstream;
}

// A client that came while none was sent is not known by its address; the node wants a header all the same.
std::string NodeConnections::preamble_now(std::string preamble) const {
  if (are_shared()) return {};
  return preamble.empty() ? net::proxy_header_local(worker_.options().send_proxy) : preamble;
}

void NodeConnections::give_back(std::unique_ptr<Upstream> upstream) {
  if (!are_shared() || worker_.nodes().standing(upstream->node()) != Standing::kKeep) {
    return pool_.discard(std::move(upstream));
  }
  pool_.give_back(std::move(upstream));
  on_idle_();
}

void NodeConnections::warm_up() {
  if (!worker_.view() || !are_shared() || worker_.is_shutting_down()) return;
  for (const NodeId id : nodes_.ids()) {
    Node& node = nodes_.at(id);
    const bool was_just_now = node.warmed && worker_.now() - *node.warmed < kWarmAgain;
    if (was_just_now || pool_.is_warm(id) || !may_take_over(id)) continue;
    node.warmed = worker_.now();
    for (int count = 0; count < kWarm; ++count) {
      if (auto opening = open(id, {}, nullptr)) pool_.warm(std::move(opening));
    }
  }
}

// The last leader is none: its connections are of its time, and are closed.
bool NodeConnections::may_take_over(NodeId node) const {
  return cluster::is_candidate(*worker_.view(), node, last_leader_);
}

void NodeConnections::on_warm(NodeId node, bool is_open) {
  NodeCounters& counters = worker_.nodes().counters(node);
  (is_open ? counters.connects : counters.connect_failures).add();
  on_idle_();
}

}  // namespace bellwether::proxy
