#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/discovery/nodes.h"
#include "bellwether/base/node_table.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/tls.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// From the configuration to the few fields that each part of the house needs.

[[nodiscard]] bool has_http_listener(const config::Config& config);
[[nodiscard]] net::TlsClientOptions node_tls_options(const config::Config& config);
// Of one listener. REQUIRES: it speaks TLS.
[[nodiscard]] net::TlsServerOptions client_tls_options(const config::Listen& listen);
// What advice about a node's silence depends on.
[[nodiscard]] vault::NodeSetUp set_up_of(const config::Config& config, const NodePlan& node);
// All in the order of `nodes`.
[[nodiscard]] cluster::TrackerOptions tracker_options(const config::Config& config, const std::vector<NodePlan>& nodes);
[[nodiscard]] std::vector<probe::ProbeTarget> probe_targets(const config::Config& config,
                                                            const std::vector<NodePlan>& nodes,
                                                            const std::shared_ptr<net::TlsContext>& tls);
[[nodiscard]] NodeTable<proxy::NodeOptions> node_options(const std::vector<NodePlan>& nodes);
[[nodiscard]] Result<probe::ProberOptions> prober_options(const config::Config& config,
                                                          const std::vector<NodePlan>& nodes,
                                                          const std::shared_ptr<net::TlsContext>& tls);
// Null where nobody is spoken to over TLS.
struct TlsContexts {
  std::shared_ptr<net::TlsContext> to_nodes;
  std::vector<std::shared_ptr<net::TlsContext>> to_clients;  // by listener, in the order of the configuration
};
[[nodiscard]] Result<proxy::ProxySettings> proxy_settings(const config::Config& config);
[[nodiscard]] Result<std::vector<proxy::ListenerOptions>> listeners_of(
    const config::Config& config, const std::vector<std::shared_ptr<net::TlsContext>>& to_clients);
[[nodiscard]] Result<proxy::ProxyOptions> proxy_options(const config::Config& config,
                                                        const std::vector<NodePlan>& nodes, const TlsContexts& tls);

// File descriptors that maxconn can ask for: two per session, and what idle connections to nodes, probes, listeners,
// pages and logs need.
// In all clusters.
[[nodiscard]] std::uint64_t descriptors_needed(const config::Config& config);
// kLimit, with both numbers and the ways out, if `limit` is too low.
[[nodiscard]] Result<void> check_descriptors(const config::Config& config, std::uint64_t limit);

[[nodiscard]] std::string_view to_text(config::Mode mode);

}  // namespace bellwether::app
