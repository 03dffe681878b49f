#include <fmt/format.h>

#include <algorithm>

#include "draft.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

Place place_of(const Draft& draft, std::string_view key, std::string_view other) {
  for (std::string_view each : {key, other}) {
    if (const auto found = draft.places.find(each); found != draft.places.end()) return found->second;
  }
  return Place{"configuration", {}};
}

// "127.0.0.1:8200" as a node would be written that reaches it; wildcards reach every loopback address.
bool reaches(std::string_view listen, const Node& node) {
  if (listen.substr(0, 5) == "unix:") return false;
  const std::size_t colon = listen.rfind(':');
  if (listen.substr(colon + 1) != fmt::format("{}", node.port)) return false;
  std::string_view host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const bool is_loopback_node = node.host == "localhost" || node.host == "::1" || node.host.substr(0, 4) == "127.";
  if (host.empty() || host == "0.0.0.0" || host == "::") return is_loopback_node;
  if (host == "127.0.0.1" || host == "::1") return node.host == host || node.host == "localhost";
  return node.host == host;
}

void finish_listeners(Draft& draft) {
  Config& config = draft.config;
  if (draft.listen.empty() && !draft.is_set("listen")) {
    draft.listen.push_back({{"127.0.0.1:8200"}, std::nullopt, std::nullopt, {"default", {}}, {}, {}});
  }
  for (ListenEntry& entry : draft.listen) {
    entry.listen.mode = entry.mode.value_or(config.mode);
    entry.listen.fresh = entry.listen.mode == Mode::kHttp && entry.fresh.value_or(config.fresh);
    if (entry.fresh.value_or(false) && !entry.listen.fresh) {
      draft.hint(entry.fresh_at, "fresh: is not used; only http listeners see answers");
    }
    for (const NodeEntry& each : draft.nodes) {
      if (!reaches(entry.listen.address, each.node)) continue;
      draft.problem(each.at,
                    fmt::format("nodes: {} is our own listen address \"{}\"; set another with listen (--listen)",
                                each.node.url, entry.listen.address));
    }
    if (entry.listen.address == config.admin && config.admin.substr(config.admin.size() - 2) != ":0") {
      draft.problem(place_of(draft, "admin", "listen"),
                    fmt::format("admin: \"{}\" is also a listen address", config.admin));
    }
    config.listen.push_back(entry.listen);
  }
}

// "example.com" of "_vault._tcp.example.com": certificates are for the name that was asked for, as anybody on the way
// may have written what it leads to (RFC 6125 section 6.2.1).
std::string domain_of_service(std::string_view name) {
  while (!name.empty() && name.front() == '_') {
    const std::size_t dot = name.find('.');
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  return std::string(name);
}

void finish_nodes(Draft& draft, const Sources& sources) {
  for (NodeEntry& entry : draft.nodes) {
    Node& node = entry.node;
    if (node.server_name.empty()) node.server_name = draft.config.server_name;
    if (node.server_name.empty()) node.server_name = node.is_service ? domain_of_service(node.host) : node.host;
    node.may_be_local = draft.config.dns_allow_local;
    draft.config.nodes.push_back(node);
  }
  if (!draft.nodes.empty() || draft.is_set("nodes") || !draft.is_readable) return;
  const auto vault_addr = sources.environment.find("VAULT_ADDR");
  const bool has_vault_addr = vault_addr != sources.environment.end() && !vault_addr->second.empty();
  const Place at = sources.file ? Place{sources.file->name, {1, 1}} : Place{"command line", {}};
  draft.problem(at,
                fmt::format("no nodes: name the servers of the cluster, in \"nodes\", in BELLWETHER_NODES or as "
                            "arguments, such as https://vault1.example.com:8200{}",
                            has_vault_addr ? " (VAULT_ADDR is how clients find us; it is not taken for a node)" : ""));
}

void check_durations(Draft& draft) {
  const Config& config = draft.config;
  const auto at_most = [&](std::string_view key, Duration value, std::string_view other, Duration limit) {
    if (value <= limit) return;
    draft.problem(place_of(draft, key, other), fmt::format("{}: {} is longer than {} ({})", key, format_duration(value),
                                                           other, format_duration(limit)));
  };
  at_most("fastinter", config.fastinter, "inter", config.inter);
  at_most("inter", config.inter, "idle_inter", config.idle_inter);
  at_most("suspect_after", config.suspect_after, "timeout_check", config.timeout_check);
  at_most("drain_quiet", config.drain_quiet, "drain_deadline", config.drain_deadline);
}

void check_node_tls(Draft& draft) {
  const Config& config = draft.config;
  if (!config.client_key.empty() && config.client_cert.empty()) {
    draft.problem(place_of(draft, "client_key", ""), "client_key: there is no client_cert that it belongs to");
  }
  const auto any_node_tls = std::any_of(config.nodes.begin(), config.nodes.end(), [](const Node& n) { return n.tls; });
  for (const auto& [key, value] : {std::pair{"ca_file", &config.ca_file}, std::pair{"ca_path", &config.ca_path},
                                   std::pair{"client_cert", &config.client_cert}}) {
    if (value->empty() || any_node_tls || config.nodes.empty()) continue;
    draft.hint(place_of(draft, key, ""),
               fmt::format("{}: is not used, as all nodes are http://; did you mean https://?", key));
  }
  if (!config.verify && any_node_tls) {
    draft.hint(place_of(draft, "verify", ""),
               "verify: node certificates are not verified; anyone on the network can pose as the leader");
  }
}

bool speaks_tls(const Listen& listen) { return listen.mode != Mode::kTcp && listen.address.substr(0, 5) != "unix:"; }

void check_client_tls(Draft& draft) {
  const Config& config = draft.config;
  const auto need_cert = [&](std::string_view key, bool is_set) {
    if (!is_set || !config.tls_cert.empty()) return;
    draft.problem(place_of(draft, key, ""), fmt::format("{}: without a tls_cert, clients speak plain HTTP", key));
  };
  if (!config.tls_key.empty() && config.tls_cert.empty()) {
    draft.problem(place_of(draft, "tls_key", ""), "tls_key: there is no tls_cert that it belongs to");
  }
  need_cert("tls_client_ca", !config.tls_client_ca.empty());
  need_cert("tls_min_version", config.tls_min_version != TlsVersion::k12);
  const bool asks = config.tls_client_auth == ClientAuth::kOptional || config.tls_client_auth == ClientAuth::kRequired;
  if (asks && config.tls_client_ca.empty()) {
    draft.problem(place_of(draft, "tls_client_auth", ""),
                  "tls_client_auth: there is no tls_client_ca to verify client certificates with");
  }
  if (config.tls_client_auth == ClientAuth::kOff && !config.tls_client_ca.empty()) {
    draft.hint(place_of(draft, "tls_client_ca", ""), "tls_client_ca: is not used, as tls_client_auth is \"off\"");
  }
  if (config.tls_cert.empty() || std::any_of(config.listen.begin(), config.listen.end(), speaks_tls)) return;
  draft.hint(place_of(draft, "tls_cert", ""),
             "tls_cert: is not used; tcp listeners pass the client's TLS through to the node, unix sockets are plain");
}

bool takes_proxy_header(const Listen& listen) { return listen.accept_proxy && listen.address.substr(0, 5) != "unix:"; }

// Whoever may claim to be a trusted sender could hand on any certificate.
void check_identity(Draft& draft) {
  const Config& config = draft.config;
  const bool anybody_claims_addresses =
      config.accept_proxy_from.empty() && std::any_of(config.listen.begin(), config.listen.end(), takes_proxy_header);
  if (anybody_claims_addresses) {
    draft.hint(place_of(draft, "listen", ""),
               "accept_proxy: anybody can claim any address; name the balancers in accept_proxy_from");
  }
  if (config.client_cert_header.empty()) return;
  const Place at = place_of(draft, "client_cert_header", "");
  if (config.tls_client_ca.empty() && config.forwarded_for_trusted.empty()) {
    draft.problem(at,
                  "client_cert_header: there is no tls_client_ca to verify clients' certificates with, and no "
                  "forwarded_for_trusted sender to have them from");
  }
  if (anybody_claims_addresses && !config.forwarded_for_trusted.empty()) {
    draft.problem(
        at,
        "client_cert_header: with accept_proxy, anybody could claim an address of forwarded_for_trusted and hand "
        "on any certificate; set accept_proxy_from");
  }
}

}  // namespace

void finish(Draft& draft, const Sources& sources) {
  finish_nodes(draft, sources);
  finish_listeners(draft);
  check_durations(draft);
  check_node_tls(draft);
  check_client_tls(draft);
  check_identity(draft);
}

}  // namespace bellwether::config
