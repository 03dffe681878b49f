#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/process/exit_code.h"
#include "bellwether/net/process.h"
#include "bellwether/sim/cluster.h"
#include "demo.h"
#include "fault_api.h"

namespace bellwether::app {
namespace {

Result<sim::SimOptions> cluster_options(const SimOptions& options) {
  sim::SimOptions result;
  result.nodes = options.nodes;
  result.election = options.election;
  result.crash_election = options.crash_election;
  result.demotion_block = options.demotion_block;
  result.replication_lag = options.replication_lag;
  result.lease = options.lease;
  result.names_itself = options.node_id_header;
  result.consistency_headers = options.consistency_headers || options.missing_header_forward;
  result.missing_header_forward = options.missing_header_forward;
  result.openbao = !options.vault_bodies;
  result.wall_at_start = std::chrono::system_clock::now();
  for (const std::string& text : options.addresses) {
    const Result<net::Address> address = net::Address::parse(text);
    if (!address) return tl::unexpected(address.error());
    result.addresses.push_back(*address);
  }
  if (!options.tls_cert.empty()) {
    net::TlsServerOptions server;
    server.cert_file = options.tls_cert;
    server.key_file = options.tls_key;
    const Result<std::shared_ptr<net::TlsContext>> tls = net::TlsContext::server(server);
    if (!tls) return tl::unexpected(tls.error());
    result.tls = *tls;
  }
  return result;
}

Result<void> run_cluster(const SimOptions& options) {
  Result<std::unique_ptr<net::Loop>> created = net::Loop::create({.precise_timers = true});
  if (!created) return tl::unexpected(created.error());
  net::Loop& loop = **created;
  const net::SignalWatch signals(loop, {SIGTERM, SIGINT, SIGQUIT}, [&](int) { loop.stop(); });

  Result<sim::SimOptions> wanted = cluster_options(options);
  if (!wanted) return tl::unexpected(wanted.error());
  const Result<std::unique_ptr<sim::Cluster>> cluster = sim::Cluster::start(loop, std::move(*wanted));
  if (!cluster) return tl::unexpected(cluster.error());
  const Result<net::Address> control = net::Address::parse(options.control.empty() ? "127.0.0.1:0" : options.control);
  if (!control) return tl::unexpected(control.error());
  Result<net::Socket> listening = net::bind_listener(*control, {});
  if (!listening) return tl::unexpected(listening.error());
  const FaultApi api(loop, **cluster, std::move(*listening));

  nlohmann::json urls = nlohmann::json::array();
  for (int i = 0; i < (*cluster)->size(); ++i) urls.push_back((*cluster)->url(i));
  fmt::print("{}\n",
             nlohmann::json{{"urls", urls}, {"root_token", (*cluster)->root_token()}, {"control", api.url()}}.dump());
  std::fflush(stdout);
  loop.run();
  return {};
}

}  // namespace

int sim_command(const SimOptions& options) {
  net::block_signals({SIGTERM, SIGINT, SIGQUIT});
  if (const Result<void> done = run_cluster(options); !done) {
    fmt::print(stderr, "bellwether sim: {}\n", done.error().message);
    return done.error().kind == ErrorKind::kInvalid ? kExitUsage : kExitFailed;
  }
  return kExitFine;
}

}  // namespace bellwether::app
