#include "tls_sides.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::app {
namespace {

constexpr Duration kRetiredLook = 1s;

std::optional<net::TlsClientOptions> wanted_for_nodes(const config::Config& config, bool any_node_is_tls) {
  return any_node_is_tls ? std::optional(node_tls_options(config)) : std::nullopt;
}

std::vector<TlsSides::Listener> wanted_for_clients(const config::Config& config) {
  std::vector<TlsSides::Listener> listeners;
  for (const config::Listen& each : config.listen) {
    listeners.push_back({each.address, each.speaks_tls() ? std::optional(client_tls_options(each)) : std::nullopt});
  }
  return listeners;
}

using ClientSides = std::vector<TlsSides::ClientSide>;

ClientSides::const_iterator find_side(const ClientSides& sides, const net::TlsServerOptions& options) {
  return std::find_if(sides.begin(), sides.end(), [&](const auto& each) { return each.options == options; });
}

Certificates::Context context_in(const ClientSides& sides, const std::optional<net::TlsServerOptions>& options) {
  const auto found = options ? find_side(sides, *options) : sides.end();
  return found == sides.end() ? nullptr : found->context();
}

std::vector<std::string> files_of(const net::TlsClientOptions& options) {
  return {options.ca_file, options.ca_path, options.cert_file, options.key_file};
}
std::vector<std::string> files_of(const net::TlsServerOptions& options) {
  std::vector<std::string> files = {options.cert_file, options.key_file, options.client_ca_file};
  for (const net::CertificateFiles& each : options.more_certificates) {
    files.push_back(each.cert_file);
    files.push_back(each.key_file);
  }
  return files;
}

Result<Certificates::Context> context_by(const net::TlsClientOptions& options) {
  return net::TlsContext::client(options);
}
Result<Certificates::Context> context_by(const net::TlsServerOptions& options) {
  return net::TlsContext::server(options);
}

// Not read yet. `use`: as in the log.
template <typename Options>
TlsSides::Side<Options> make_side(net::Loop& loop, const log::ClusterLog& log, const char* use,
                                  std::optional<Options> options) {
  TlsSides::Side<Options> side{std::move(options), nullptr};
  if (!side.options) return side;
  side.certificates = std::make_unique<Certificates>(
      loop, use, files_of(*side.options), [by = *side.options] { return context_by(by); }, log);
  return side;
}

constexpr const char* kNodes = "nodes";
constexpr const char* kClients = "clients";
constexpr std::string_view kToNodes = "TLS to the nodes";
constexpr std::string_view kToClients = "TLS to clients";

}  // namespace

// Sides that are being read for a change, and what has come of them so far.
struct TlsSides::Preparation {
  ChangePtr change = std::make_shared<Change>();
  int unread = 0;
  std::optional<Error> error;
  OnPrepared on_prepared;
};

TlsSides::TlsSides(net::Loop& loop, log::ClusterLog log)
    : loop_(loop), log_(std::move(log)), retired_timer_(loop, [this] { forget_retired(); }) {}

TlsContexts TlsSides::contexts() const {
  TlsContexts contexts{nodes_.context(), {}};
  for (const Listener& each : listeners_) contexts.to_clients.push_back(context_in(clients_, each.tls));
  return contexts;
}

TlsContexts TlsSides::contexts_with(const Change& change) const {
  TlsContexts contexts{change.nodes ? change.nodes->context() : nodes_.context(), {}};
  for (const Listener& each : change.listeners) {
    const auto present = context_in(clients_, each.tls);
    contexts.to_clients.push_back(present ? present : context_in(change.clients, each.tls));
  }
  return contexts;
}

CertificateCounts TlsSides::client_counts() const {
  CertificateCounts sum;
  sum.reloads = past_reloads_;
  sum.failures = past_failures_;
  for (const ClientSide& side : clients_) {
    const CertificateCounts counts = side.counts();
    if (counts.not_after) sum.not_after = std::min(sum.not_after.value_or(*counts.not_after), *counts.not_after);
    sum.reloads += counts.reloads;
    sum.failures += counts.failures;
    sum.is_current = sum.is_current && counts.is_current;
  }
  return sum;
}

Certificates::Context TlsSides::context_before(const std::string& address) const {
  const auto found =
      std::find_if(listeners_.begin(), listeners_.end(), [&](const Listener& each) { return each.address == address; });
  return found == listeners_.end() ? nullptr : context_in(clients_, found->tls);
}

void TlsSides::watch_clients(ClientSide& side) {
  const Certificates* const certificates = side.certificates.get();
  side.certificates->watch(interval_, [this, certificates](const Certificates::Context& made) -> Result<void> {
    to_clients_(certificates->context(), made);
    return {};
  });
}

void TlsSides::watch(Duration interval, Certificates::OnNew to_nodes, OnNewToClients to_clients) {
  interval_ = interval;
  to_nodes_ = std::move(to_nodes);
  to_clients_ = std::move(to_clients);
  if (nodes_.certificates) nodes_.certificates->watch(interval_, to_nodes_);
  for (ClientSide& each : clients_) watch_clients(each);
}

void TlsSides::set_interval(Duration interval) {
  interval_ = interval;
  if (nodes_.certificates) nodes_.certificates->set_interval(interval);
  for (const ClientSide& each : clients_) each.certificates->set_interval(interval);
}

void TlsSides::reload() {
  if (nodes_.certificates) nodes_.certificates->reload();
  for (const ClientSide& each : clients_) each.certificates->reload();
}

void TlsSides::prepare(const config::Config& config, bool any_node_is_tls, OnPrepared on_prepared) {
  BW_ASSERT(!pending_);
  pending_ = std::make_shared<Preparation>();
  pending_->on_prepared = std::move(on_prepared);
  Change& change = *pending_->change;
  const auto for_nodes = wanted_for_nodes(config, any_node_is_tls);
  if (for_nodes != nodes_.options)
    read(change.nodes.emplace(make_side(loop_, log_, kNodes, for_nodes)), nodes_.context(), kToNodes);
  change.listeners = wanted_for_clients(config);
  for (const Listener& each : change.listeners) {
    if (!each.tls || find_side(clients_, *each.tls) != clients_.end()) continue;
    if (find_side(change.clients, *each.tls) != change.clients.end()) continue;
    change.clients.push_back(make_side(loop_, log_, kClients, each.tls));
    read(change.clients.back(), context_before(each.address), kToClients);
  }
  if (pending_->unread == 0) tell_prepared();
}

template <typename Options>
void TlsSides::read(Side<Options>& side, const Certificates::Context& before, std::string_view name) {
  if (!side.certificates) return;
  ++pending_->unread;
  // What is being read is owned by what is told of it.
  const auto told = [this, weak = std::weak_ptr(pending_), name](const Result<void>& loaded) {
    const auto pending = weak.lock();
    if (!pending) return;
    if (!loaded && !pending->error) pending->error = loaded.error().within(std::string(name));
    if (--pending->unread > 0) return;
    // Not here, in a callback of what may be destroyed then.
    loop_.at_turn_end([this, weak] {
      if (weak.lock()) tell_prepared();
    });
  };
  side.certificates->load_later(before, told);
}

void TlsSides::tell_prepared() {
  const auto all = std::exchange(pending_, nullptr);
  if (all->error) {
    if (all->change->nodes) retire(std::move(all->change->nodes->certificates));
    for (ClientSide& each : all->change->clients) retire(std::move(each.certificates));
  }
  all->error ? all->on_prepared(tl::unexpected(*all->error)) : all->on_prepared(all->change);
}

void TlsSides::use(Change& change) {
  put_nodes(change.nodes);
  put_clients(change);
}

void TlsSides::put_nodes(std::optional<NodeSide>& next) {
  if (!next) return;
  std::swap(nodes_, *next);
  if (nodes_.certificates && next->certificates) nodes_.certificates->count_on_from(next->certificates->counts());
  if (nodes_.certificates) nodes_.certificates->watch(interval_, to_nodes_);
  retire(std::move(next->certificates));
}

// What no listener has any more goes; what takes its place counts as read again.
void TlsSides::put_clients(Change& change) {
  listeners_ = std::move(change.listeners);
  const auto is_used = [this](const ClientSide& side) {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [&](const auto& each) { return each.tls == side.options; });
  };
  const auto unused = std::partition(clients_.begin(), clients_.end(), is_used);
  const auto replaced = std::min(std::distance(unused, clients_.end()), std::ssize(change.clients));
  past_reloads_ += static_cast<std::uint64_t>(replaced);
  for (auto each = unused; each != clients_.end(); ++each) {
    past_reloads_ += each->counts().reloads;
    past_failures_ += each->counts().failures;
    retire(std::move(each->certificates));
  }
  clients_.erase(unused, clients_.end());
  for (ClientSide& each : change.clients) {
    clients_.push_back(std::move(each));
    watch_clients(clients_.back());
  }
  change.clients.clear();
}

void TlsSides::retire(std::unique_ptr<Certificates> certificates) {
  if (!certificates) return;
  certificates->stop();
  retired_.push_back(std::move(certificates));
  forget_retired();
}

void TlsSides::forget_retired() {
  retired_.erase(std::remove_if(retired_.begin(), retired_.end(), [](const auto& each) { return !each->is_reading(); }),
                 retired_.end());
  if (!retired_.empty()) retired_timer_.arm_in(kRetiredLook);
}

}  // namespace bellwether::app
