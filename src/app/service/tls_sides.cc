#include "tls_sides.h"

#include <algorithm>
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

std::optional<net::TlsServerOptions> wanted_for_clients(const config::Config& config) {
  return config.tls_cert.empty() ? std::nullopt : std::optional(client_tls_options(config));
}

std::vector<std::string> files_of(const net::TlsClientOptions& options) {
  return {options.ca_file, options.ca_path, options.cert_file, options.key_file};
}
std::vector<std::string> files_of(const net::TlsServerOptions& options) {
  return {options.cert_file, options.key_file, options.client_ca_file};
}

Result<Certificates::Context> context_by(const net::TlsClientOptions& options) {
  return net::TlsContext::client(options);
}
Result<Certificates::Context> context_by(const net::TlsServerOptions& options) {
  return net::TlsContext::server(options);
}

// Not read yet. `use`: as in the log.
template <typename Options>
TlsSides::Side<Options> make_side(net::Loop& loop, const char* use, std::optional<Options> options) {
  TlsSides::Side<Options> side{std::move(options), nullptr};
  if (!side.options) return side;
  side.certificates = std::make_unique<Certificates>(loop, use, files_of(*side.options),
                                                     [by = *side.options] { return context_by(by); });
  return side;
}

constexpr const char* kNodes = "nodes";
constexpr const char* kClients = "clients";
constexpr std::string_view kToNodes = "TLS to the nodes";
constexpr std::string_view kToClients = "TLS to clients";

template <typename Options>
Result<void> load_side(TlsSides::Side<Options>& side, std::string_view name) {
  if (!side.certificates) return {};
  auto loaded = side.certificates->load();
  return loaded ? Result<void>() : tl::unexpected(loaded.error().within(std::string(name)));
}

}  // namespace

// Sides that are being read for a change, and what has come of them so far.
struct TlsSides::Preparation {
  ChangePtr change = std::make_shared<Change>();
  int unread = 0;
  std::optional<Error> error;
  OnPrepared on_prepared;
};

TlsSides::TlsSides(net::Loop& loop) : loop_(loop), retired_timer_(loop, [this] { forget_retired(); }) {}

Result<void> TlsSides::load(const config::Config& config, bool any_node_is_tls) {
  nodes_ = make_side(loop_, kNodes, wanted_for_nodes(config, any_node_is_tls));
  clients_ = make_side(loop_, kClients, wanted_for_clients(config));
  return load_side(nodes_, kToNodes).and_then([this] { return load_side(clients_, kToClients); });
}

TlsContexts TlsSides::contexts_with(const Change& change) const {
  return {change.nodes ? change.nodes->context() : nodes_.context(),
          change.clients ? change.clients->context() : clients_.context()};
}

void TlsSides::watch(Duration interval, Certificates::OnNew to_nodes, Certificates::OnNew to_clients) {
  interval_ = interval;
  to_nodes_ = std::move(to_nodes);
  to_clients_ = std::move(to_clients);
  if (nodes_.certificates) nodes_.certificates->watch(interval_, to_nodes_);
  if (clients_.certificates) clients_.certificates->watch(interval_, to_clients_);
}

void TlsSides::set_interval(Duration interval) {
  interval_ = interval;
  if (nodes_.certificates) nodes_.certificates->set_interval(interval);
  if (clients_.certificates) clients_.certificates->set_interval(interval);
}

void TlsSides::reload() {
  if (nodes_.certificates) nodes_.certificates->reload();
  if (clients_.certificates) clients_.certificates->reload();
}

void TlsSides::prepare(const config::Config& config, bool any_node_is_tls, OnPrepared on_prepared) {
  BW_ASSERT(!pending_);
  pending_ = std::make_shared<Preparation>();
  pending_->on_prepared = std::move(on_prepared);
  Change& change = *pending_->change;
  const auto for_nodes = wanted_for_nodes(config, any_node_is_tls);
  if (for_nodes != nodes_.options) read(change.nodes.emplace(make_side(loop_, kNodes, for_nodes)), nodes_, kToNodes);
  const auto for_clients = wanted_for_clients(config);
  if (for_clients != clients_.options) {
    read(change.clients.emplace(make_side(loop_, kClients, for_clients)), clients_, kToClients);
  }
  if (pending_->unread == 0) tell_prepared();
}

template <typename Options>
void TlsSides::read(Side<Options>& side, const Side<Options>& before, std::string_view name) {
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
  side.certificates->load_later(before.context(), told);
}

void TlsSides::tell_prepared() {
  const auto all = std::exchange(pending_, nullptr);
  if (all->error) {
    if (all->change->nodes) retire(std::move(all->change->nodes->certificates));
    if (all->change->clients) retire(std::move(all->change->clients->certificates));
  }
  all->error ? all->on_prepared(tl::unexpected(*all->error)) : all->on_prepared(all->change);
}

void TlsSides::use(Change& change) {
  put(nodes_, change.nodes, to_nodes_);
  put(clients_, change.clients, to_clients_);
}

template <typename Options>
void TlsSides::put(Side<Options>& side, std::optional<Side<Options>>& next, const Certificates::OnNew& on_new) {
  if (!next) return;
  std::swap(side, *next);
  if (side.certificates && next->certificates) side.certificates->count_on_from(next->certificates->counts());
  if (side.certificates) side.certificates->watch(interval_, on_new);
  retire(std::move(next->certificates));
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
