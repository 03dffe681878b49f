#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "bellwether/admin/admin.h"

namespace bellwether::app {

namespace {

cluster::TopologyPtr topology_of(const std::vector<NodePlan>& nodes) {
  auto topology = std::make_shared<cluster::Topology>();
  for (const NodePlan& node : nodes) topology->nodes.add(node.id, {node.name, node.url});
  return topology;
}

net::ProxyVersion proxy_version(config::ProxyProtocol protocol) {
  switch (protocol) {
    case config::ProxyProtocol::kNone:
      return net::ProxyVersion::kNone;
    case config::ProxyProtocol::kV1:
      return net::ProxyVersion::kV1;
    case config::ProxyProtocol::kV2:
      return net::ProxyVersion::kV2;
  }
  return net::ProxyVersion::kNone;
}

// "10.0.0.5" or "fd00::5": any port.
Result<std::optional<net::Address>> source_address(const std::string& source) {
  if (source.empty()) return std::optional<net::Address>{};
  const bool ipv6 = source.find(':') != std::string::npos;
  auto address = net::Address::parse(ipv6 ? fmt::format("[{}]:0", source) : fmt::format("{}:0", source));
  if (!address) return tl::unexpected(address.error().within("source"));
  return std::optional<net::Address>(*address);
}

// As many addresses as clients' requests have: a node that skips some from the end refuses a shorter list.
std::string forwarded_chain(const config::Config& config) {
  const int auto_hops = config.forwarded_for_trusted.empty() ? 1 : 2;
  const int hops = config.forwarded_for_hops > 0 ? config.forwarded_for_hops : auto_hops;
  const std::vector<std::string> chain(static_cast<std::size_t>(hops),
                                       config.source.empty() ? "127.0.0.1" : config.source);
  return fmt::format("{}", fmt::join(chain, ", "));
}

int worker_count(int configured) {
  return configured > 0 ? configured : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

proxy::Mode proxy_mode(config::Mode mode) {
  switch (mode) {
    case config::Mode::kTcp:
      return proxy::Mode::kTcp;
    case config::Mode::kHttp:
      return proxy::Mode::kHttp;
    case config::Mode::kRedirect:
      return proxy::Mode::kRedirect;
  }
  return proxy::Mode::kTcp;
}

http::CertificateEncoding certificate_encoding(config::CertEncoding encoding) {
  switch (encoding) {
    case config::CertEncoding::kBase64:
      return http::CertificateEncoding::kBase64;
    case config::CertEncoding::kRfc9440:
      return http::CertificateEncoding::kRfc9440;
    case config::CertEncoding::kUrlPem:
      return http::CertificateEncoding::kUrlPem;
  }
  return http::CertificateEncoding::kBase64;
}

// `of`: the common options, or a listener's. A header that nodes believe at all is one that no client may send by any
// listener.
proxy::ClientIdentityOptions client_identity(const config::ListenOptions& of, const config::Config& config) {
  std::vector<std::string> dropped = config.dropped_headers;
  if (!config.client_cert_header.empty()) dropped.push_back(config.client_cert_header);
  for (const config::Listen& each : config.listen) {
    if (!each.client_cert_header.empty()) dropped.push_back(each.client_cert_header);
  }
  return {of.client_cert_header, certificate_encoding(of.client_cert_encoding),
          http::DroppedHeaders(std::move(dropped))};
}

Result<std::vector<IpRange>> ip_ranges(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<IpRange> ranges;
  for (const std::string& text : texts) {
    auto range = IpRange::parse(text);
    if (!range) return tl::unexpected(range.error().within(std::string(option)));
    ranges.push_back(*range);
  }
  return ranges;
}

bool sends_forwarded_for(const config::Config& config) { return config.forwarded_for && has_http_listener(config); }

Result<proxy::SessionSettings> session_settings(const config::ListenOptions& of, const config::Config& config) {
  proxy::SessionSettings settings;
  static_cast<config::SessionOptions&>(settings) = static_cast<const config::SessionOptions&>(of);
  settings.client_identity = client_identity(of, config);
  auto from = ip_ranges(of.accept_proxy_from, "accept_proxy_from");
  if (!from) return tl::unexpected(from.error());
  settings.accept_proxy_from = std::move(*from);
  return settings;
}

Result<proxy::ListenerOptions> listener_options(const config::Listen& listen, const config::Config& config,
                                                const std::shared_ptr<net::TlsContext>& to_clients) {
  auto address = net::Address::parse(listen.address);
  if (!address) return tl::unexpected(address.error().within("listen"));
  proxy::ListenerOptions options{*address, proxy_mode(listen.mode), listen.accept_proxy, listen.fresh, to_clients};
  if (listen.own.empty()) return options;  // it shares what is set for all
  auto own = session_settings(listen, config);
  if (!own) return tl::unexpected(own.error());
  options.own = std::make_shared<const proxy::SessionSettings>(std::move(*own));
  return options;
}

}  // namespace

bool has_http_listener(const config::Config& config) {
  return std::any_of(config.listen.begin(), config.listen.end(),
                     [](const config::Listen& listen) { return listen.mode == config::Mode::kHttp; });
}

net::TlsClientOptions node_tls_options(const config::Config& config) {
  net::TlsClientOptions options;
  options.ca_file = config.ca_file;
  options.ca_path = config.ca_path;
  options.cert_file = config.client_cert;
  options.key_file = config.client_key;
  options.verify = config.verify;
  options.ticket_lifetime = config.tls_ticket_lifetime;
  return options;
}

net::TlsServerOptions client_tls_options(const config::Listen& listen) {
  net::TlsServerOptions options;
  const std::vector<config::Certificate>& certificates = listen.tls_cert;
  options.cert_file = certificates.front().cert;
  options.key_file = certificates.front().key.empty() ? listen.tls_key : certificates.front().key;
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    options.more_certificates.push_back({certificates[i].cert, certificates[i].key});
  }
  options.ticket_lifetime = listen.tls_ticket_lifetime;
  options.min_version = listen.tls_min_version == config::TlsVersion::k13 ? net::TlsVersion::k13 : net::TlsVersion::k12;
  if (listen.tls_client_auth == config::ClientAuth::kOff) return options;
  options.client_ca_file = listen.tls_client_ca;
  options.require_client_cert =
      !listen.tls_client_ca.empty() && listen.tls_client_auth != config::ClientAuth::kOptional;
  return options;
}

vault::NodeSetUp set_up_of(const config::Config& config, const NodePlan& node) {
  vault::NodeSetUp set_up;
  set_up.host = node.host;
  set_up.port = node.resolved ? node.resolved->port() : node.port;
  set_up.is_tls = node.tls;
  set_up.has_server_name = node.server_name != node.host;
  set_up.has_ca = !config.ca_file.empty() || !config.ca_path.empty();
  set_up.has_client_cert = !config.client_cert.empty();
  set_up.sends_proxy = config.send_proxy != config::ProxyProtocol::kNone;
  set_up.sends_forwarded_for = sends_forwarded_for(config);
  return set_up;
}

cluster::TrackerOptions tracker_options(const config::Config& config, const std::vector<NodePlan>& nodes) {
  cluster::TrackerOptions options;
  options.topology = topology_of(nodes);
  options.inter = config.inter;
  options.fastinter = config.fastinter;
  options.downinter = config.downinter;
  options.idle_inter = config.idle_inter;
  options.idle_after = config.idle_after;
  options.suspect_after = config.suspect_after;
  options.fall = config.fall;
  options.rise = config.rise;
  options.on_conflict =
      config.on_conflict == config::OnConflict::kKeep ? cluster::OnConflict::kKeep : cluster::OnConflict::kHold;
  options.follows_cluster_change = config.on_cluster_change == config::OnClusterChange::kFollow;
  options.cluster_id = config.cluster_id;
  options.seed = std::random_device{}();
  return options;
}

std::vector<probe::ProbeTarget> probe_targets(const config::Config& config, const std::vector<NodePlan>& nodes,
                                              const std::shared_ptr<net::TlsContext>& tls) {
  std::vector<probe::ProbeTarget> targets;
  for (const NodePlan& node : nodes) {
    targets.push_back({node.name, node.address, node.tls ? tls : nullptr, node.server_name, node.host_header,
                       set_up_of(config, node), node.unresolved});
  }
  return targets;
}

NodeTable<proxy::NodeOptions> node_options(const std::vector<NodePlan>& nodes) {
  NodeTable<proxy::NodeOptions> options;
  for (const NodePlan& node : nodes) {
    options.add(node.id, {node.name, node.address, node.public_url, node.tls, node.server_name});
  }
  return options;
}

Result<probe::ProberOptions> prober_options(const config::Config& config, const std::vector<NodePlan>& nodes,
                                            const std::shared_ptr<net::TlsContext>& tls) {
  auto source = source_address(config.source);
  if (!source) return tl::unexpected(source.error());
  probe::ProberOptions options;
  options.tracker = tracker_options(config, nodes);
  options.targets = probe_targets(config, nodes, tls);
  options.timeout_connect = config.timeout_connect;
  options.timeout_check = config.timeout_check;
  options.source = *source;
  options.send_proxy = proxy_version(config.send_proxy);
  // A listener that is told to believe X-Forwarded-For refuses what comes without it, health included (FACTS.md 6).
  if (sends_forwarded_for(config)) options.headers.push_back({"X-Forwarded-For", forwarded_chain(config)});
  return options;
}

Result<proxy::ProxySettings> proxy_settings(const config::Config& config) {
  auto source = source_address(config.source);
  if (!source) return tl::unexpected(source.error());
  proxy::ProxySettings settings;
  static_cast<config::TrafficOptions&>(settings) = static_cast<const config::TrafficOptions&>(config);
  settings.hold_bytes = static_cast<std::size_t>(config.hold_bytes);
  settings.tcp = {config.keepalive_idle, config.keepalive_interval, config.tcp_user_timeout};
  settings.source = *source;
  settings.send_proxy = proxy_version(config.send_proxy);
  settings.retry_buffer = static_cast<std::size_t>(config.retry_buffer);
  settings.head_limits = {static_cast<std::size_t>(config.max_head_bytes), static_cast<std::size_t>(config.max_headers),
                          true};
  auto common = session_settings(config, config);
  if (!common) return tl::unexpected(common.error());
  static_cast<proxy::SessionSettings&>(settings) = std::move(*common);
  auto trusted = ip_ranges(config.forwarded_for_trusted, "forwarded_for_trusted");
  if (!trusted) return tl::unexpected(trusted.error());
  settings.forwarded_for_trusted = std::move(*trusted);
  return settings;
}

Result<std::vector<proxy::ListenerOptions>> listeners_of(
    const config::Config& config, const std::vector<std::shared_ptr<net::TlsContext>>& to_clients) {
  std::vector<proxy::ListenerOptions> listeners;
  for (std::size_t i = 0; i < config.listen.size(); ++i) {
    auto listener = listener_options(config.listen[i], config, to_clients[i]);
    if (!listener) return tl::unexpected(listener.error());
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

Result<proxy::ProxyOptions> proxy_options(const config::Config& config, const std::vector<NodePlan>& nodes,
                                          const TlsContexts& tls) {
  auto settings = proxy_settings(config);
  if (!settings) return tl::unexpected(settings.error());
  auto listeners = listeners_of(config, tls.to_clients);
  if (!listeners) return tl::unexpected(listeners.error());
  proxy::ProxyOptions options;
  static_cast<proxy::ProxySettings&>(options) = std::move(*settings);
  options.listeners = std::move(*listeners);
  options.nodes = node_options(nodes);
  options.node_tls = tls.to_nodes;
  options.threads = worker_count(config.threads);
  return options;
}

namespace {

// Beside two for each session.
std::uint64_t descriptors_of_cluster(const config::Config& config) {
  const auto workers = static_cast<std::uint64_t>(worker_count(config.threads));
  const std::uint64_t idle = has_http_listener(config) ? config.nodes.size() * proxy::kMostIdleUpstreams : 0;
  // Per worker: its loop, its listeners and a connection that each of them has accepted beyond maxconn, 64 pipes for
  // big transfers and idle connections to nodes; 3 per node for probes.
  return 3 * config.nodes.size() + workers * (16 + 2 * 64 + 2 * config.listen.size() + idle);
}

// Over all clusters.
std::uint64_t maxconn_of(const config::Config& config) {
  std::uint64_t sum = 0;
  for (const config::Config& each : config::clusters_of(config)) sum += static_cast<std::uint64_t>(each.maxconn);
  return sum;
}

}  // namespace

std::uint64_t descriptors_needed(const config::Config& config) {
  constexpr std::uint64_t kProcess = 64;
  const bool has_admin = config.admin != "off" || config.control != "off";
  std::uint64_t sum = kProcess + 2 * maxconn_of(config) + (has_admin ? admin::Admin::max_descriptors() : 0);
  for (const config::Config& each : config::clusters_of(config)) sum += descriptors_of_cluster(each);
  return sum;
}

Result<void> check_descriptors(const config::Config& config, std::uint64_t limit) {
  const std::uint64_t needed = descriptors_needed(config);
  if (needed <= limit) return {};
  const std::uint64_t maxconn = maxconn_of(config);
  const std::uint64_t beside = needed - 2 * maxconn;
  const std::uint64_t possible = limit > beside ? (limit - beside) / 2 : 0;
  const std::string smaller = possible > 0 ? fmt::format("lower maxconn to {} or ", possible)
                                           : fmt::format("{} of them whatever maxconn is; ", beside);
  return fail(
      ErrorKind::kLimit,
      fmt::format("maxconn {}{} needs {} file descriptors, but the hard limit is {}: {}raise the limit "
                  "(LimitNOFILE= in systemd, ulimit -Hn in a shell)",
                  maxconn, config.clusters.empty() ? "" : " (of all clusters together)", needed, limit, smaller));
}

std::string_view to_text(config::Mode mode) {
  switch (mode) {
    case config::Mode::kTcp:
      return "tcp";
    case config::Mode::kHttp:
      return "http";
    case config::Mode::kRedirect:
      return "redirect";
  }
  return "tcp";
}

}  // namespace bellwether::app
