#include "finish.h"

#include <fmt/format.h>

#include <algorithm>

#include "text_values.h"

namespace bellwether::config {
namespace {

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

}  // namespace

Listen listen_of(const ListenEntry& entry, const Config& common) {
  Config effective;
  static_cast<ListenOptions&>(effective) = static_cast<const ListenOptions&>(common);
  Listen listen;
  for (const Option& option : options()) {
    if (entry.said.count(option.key) == 0) continue;
    copy_value(option, entry.own, effective);
    listen.own.push_back(option.key);
  }
  // The common key belongs to the common certificate.
  if (entry.said.count("tls_cert") > 0 && entry.said.count("tls_key") == 0) effective.tls_key.clear();
  static_cast<ListenOptions&>(listen) = static_cast<const ListenOptions&>(effective);
  listen.address = entry.address;
  listen.cluster = entry.cluster;
  // Who comes by a unix socket is nobody's balancer unless that is said of it.
  if (listen.is_unix() && entry.said.count("accept_proxy") == 0) listen.accept_proxy = false;
  listen.fresh = listen.fresh && listen.mode == Mode::kHttp;
  return listen;
}

void add_default_listener(Draft& draft, const std::string& cluster) {
  if (!draft.listen.empty() || draft.is_set("listen")) return;
  draft.listen.push_back(ListenEntry{"127.0.0.1:8200", Place{"default", {}}, cluster});
}

void refuse_own_address(const ListenEntry& entry, const NodeEntry& node, Draft& draft) {
  if (!reaches(entry.address, node.node)) return;
  draft.problem(node.at, fmt::format("nodes: {} is our own listen address \"{}\"; set another with listen (--listen)",
                                     node.node.url, entry.address));
}

namespace {

void finish_listeners(Draft& draft) {
  Config& config = draft.config;
  for (const ListenEntry& entry : draft.listen) {
    config.listen.push_back(listen_of(entry, config));
    for (const NodeEntry& each : draft.nodes.entries) refuse_own_address(entry, each, draft);
    if (entry.address == config.admin && config.admin.substr(config.admin.size() - 2) != ":0") {
      draft.problem(draft.place_of("admin", "listen"),
                    fmt::format("admin: \"{}\" is also a listen address", config.admin));
    }
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

void finish_nodes(Draft& draft) {
  for (NodeEntry& entry : draft.nodes.entries) {
    Node& node = entry.node;
    if (node.server_name.empty()) node.server_name = draft.config.server_name;
    if (node.server_name.empty()) node.server_name = node.is_service ? domain_of_service(node.host) : node.host;
    node.may_be_local = draft.config.dns_allow_local;
    draft.config.nodes.push_back(node);
  }
}

void require_nodes(Draft& draft, const Sources& sources) {
  if (!draft.nodes.entries.empty() || draft.is_set("nodes") || !draft.is_readable) return;
  const auto vault_addr = sources.environment.find("VAULT_ADDR");
  const bool has_vault_addr = vault_addr != sources.environment.end() && !vault_addr->second.empty();
  const Place at = sources.file ? Place{sources.file->name, {1, 1}} : Place{"command line", {}};
  draft.problem(at,
                fmt::format("no nodes: name the servers of the cluster, in \"nodes\", in BELLWETHER_NODES or as "
                            "arguments, such as https://vault1.example.com:8200{}",
                            has_vault_addr ? " (VAULT_ADDR is how clients find us; it is not taken for a node)" : ""));
}

void check_services(Draft& draft) {
  for (const NodeEntry& each : draft.nodes.entries) {
    if (!each.node.is_service || draft.config.dns_refresh > Duration::zero()) continue;
    draft.problem(
        each.at, fmt::format("nodes: {}: its records are asked for again, so dns_refresh cannot be 0s", each.node.url));
  }
}

void check_durations(Draft& draft) {
  const Config& config = draft.config;
  const auto at_most = [&](std::string_view key, Duration value, std::string_view other, Duration limit) {
    if (value <= limit) return;
    draft.problem(draft.place_of(key, other), fmt::format("{}: {} is longer than {} ({})", key, format_duration(value),
                                                          other, format_duration(limit)));
  };
  at_most("fastinter", config.fastinter, "inter", config.inter);
  at_most("inter", config.inter, "idle_inter", config.idle_inter);
  at_most("suspect_after", config.suspect_after, "timeout_check", config.timeout_check);
  at_most("drain_quiet", config.drain_quiet, "drain_deadline", config.drain_deadline);
}

void check_node_tls(Draft& draft) {
  const Config& config = draft.config;
  const auto any_node_tls = std::any_of(config.nodes.begin(), config.nodes.end(), [](const Node& n) { return n.tls; });
  for (const auto& [key, value] : {std::pair{"ca_file", &config.ca_file}, std::pair{"ca_path", &config.ca_path},
                                   std::pair{"client_cert", &config.client_cert}}) {
    if (value->empty() || any_node_tls || config.nodes.empty()) continue;
    draft.unused_hint(key, draft.place_of(key), "is not used, as all nodes are http://; did you mean https://?");
  }
  if (!config.verify && any_node_tls) {
    draft.hint(draft.place_of("verify"),
               "verify: node certificates are not verified; anyone on the network can pose as the leader");
  }
}

constexpr std::string_view kTlsKeys[] = {"tls_cert",      "tls_key",         "tls_min_version",
                                         "tls_client_ca", "tls_client_auth", "tls_ticket_lifetime"};

bool is_tls_key(std::string_view key) {
  return std::find(std::begin(kTlsKeys), std::end(kTlsKeys), key) != std::end(kTlsKeys);
}

bool says(const Listen& listen, std::string_view key) {
  return std::find(listen.own.begin(), listen.own.end(), key) != listen.own.end();
}

bool asks_for_certificates(const ListenOptions& options) {
  return options.tls_client_auth == ClientAuth::kOptional || options.tls_client_auth == ClientAuth::kRequired;
}

// What is wrong with the keys of certificates, for a clause; empty: nothing.
std::string why_no_key(const ListenOptions& options) {
  if (options.tls_key.empty()) return "";
  if (options.tls_cert.empty()) return "there is no tls_cert that it belongs to";
  if (options.tls_cert.size() > 1) {
    return "there are several certificates: name each key beside its own, as {\"cert\": ..., \"key\": ...}";
  }
  return options.tls_cert.front().key.empty() ? "" : "the tls_cert names its key already";
}

// Listeners with a CA of their own may do without the common one.
void check_common_ca(Draft& draft) {
  const Config& config = draft.config;
  if (!asks_for_certificates(config) || !config.tls_client_ca.empty()) return;
  const Place at = draft.place_of("tls_client_auth", "tls_client_ca");
  constexpr std::string_view kWhy = "there is no tls_client_ca to verify client certificates with";
  const auto& listen = config.listen;
  if (std::none_of(listen.begin(), listen.end(), [](const Listen& each) { return each.speaks_tls(); })) {
    return draft.unused_problem("tls_client_auth", at, kWhy);
  }
  const bool any_lacks_it = std::any_of(listen.begin(), listen.end(), [](const Listen& each) {
    return each.speaks_tls() && !says(each, "tls_client_auth") && each.tls_client_ca.empty();
  });
  if (any_lacks_it) draft.problem(at, fmt::format("tls_client_auth: {}", kWhy));
}

void check_client_tls(Draft& draft) {
  const Config& config = draft.config;
  const auto any_listener = [&](auto matches) {
    return std::any_of(config.listen.begin(), config.listen.end(), matches);
  };
  const bool any_cert = !config.tls_cert.empty() || any_listener([](const Listen& each) { return each.speaks_tls(); });
  const auto need_cert = [&](std::string_view key, bool is_set) {
    if (!is_set || any_cert) return;
    draft.unused_problem(key, draft.place_of(key), "without a tls_cert, clients speak plain HTTP");
  };
  need_cert("tls_client_ca", !config.tls_client_ca.empty());
  need_cert("tls_min_version", config.tls_min_version != TlsVersion::k12);
  check_common_ca(draft);
  if (config.tls_client_auth == ClientAuth::kOff && !config.tls_client_ca.empty()) {
    draft.unused_hint("tls_client_ca", draft.place_of("tls_client_ca"), "is not used, as tls_client_auth is \"off\"");
  }
  if (config.tls_cert.empty()) return;
  if (!any_listener([](const Listen& each) { return each.may_speak_tls(); })) {
    draft.unused_hint("tls_cert", draft.place_of("tls_cert"),
                      "is not used; tcp listeners pass the client's TLS through to the node, unix sockets are plain");
  } else if (!any_listener([](const Listen& each) { return each.may_speak_tls() && !says(each, "tls_cert"); })) {
    draft.unused_hint("tls_cert", draft.place_of("tls_cert"), "is not used; each listener names its own");
  }
}

// The options of TLS that a listener says itself, without those that it has in common with the others.
void check_listener_tls(const Listen& listen, const ListenEntry& entry, Draft& draft) {
  if (!listen.may_speak_tls()) {
    const auto told = std::find_if(listen.own.begin(), listen.own.end(), &is_tls_key);
    const bool says_none = entry.own.tls_cert.empty() && told != listen.own.end() && *told == "tls_cert" &&
                           std::count_if(listen.own.begin(), listen.own.end(), &is_tls_key) == 1;
    if (told == listen.own.end() || says_none) return;
    const bool is_tcp = listen.mode == Mode::kTcp;
    return draft.problem(
        entry.said.at(*told),
        fmt::format("{}: {}", *told,
                    is_tcp
                        ? "a tcp listener passes its clients' TLS through to the node; mode http and redirect have it"
                        : "clients of a unix socket speak plain HTTP"));
  }
  for (const std::string_view key : listen.own) {
    if (!is_tls_key(key) || key == "tls_cert" || key == "tls_key" || listen.speaks_tls()) continue;
    draft.problem(entry.said.at(key),
                  fmt::format("{}: this listener has no tls_cert, so its clients speak plain HTTP", key));
  }
  if (says(listen, "tls_key")) {
    const std::string why = says(listen, "tls_cert") || entry.own.tls_key.empty()
                                ? why_no_key(listen)
                                : "this listener has no tls_cert of its own that it belongs to";
    if (!why.empty()) draft.problem(entry.said.at("tls_key"), "tls_key: " + why);
  }
  if (!listen.speaks_tls()) return;
  const bool has_own_rule = says(listen, "tls_client_auth") || says(listen, "tls_client_ca");
  if (has_own_rule && asks_for_certificates(listen) && listen.tls_client_ca.empty()) {
    draft.problem(entry.said.at(says(listen, "tls_client_auth") ? "tls_client_auth" : "tls_client_ca"),
                  "tls_client_auth: there is no tls_client_ca to verify client certificates with");
  }
  if (says(listen, "tls_client_ca") && !listen.tls_client_ca.empty() && listen.tls_client_auth == ClientAuth::kOff) {
    draft.hint(entry.said.at("tls_client_ca"), "tls_client_ca: is not used, as tls_client_auth is \"off\"");
  }
}

// What a listener says itself and its mode does not know.
void check_listener_mode(const Listen& listen, const ListenEntry& entry, Draft& draft) {
  constexpr std::string_view kHttpOnly[] = {"timeout_answer", "ambiguous_status", "client_cert_header",
                                            "client_cert_encoding"};
  const auto is_http_only = [&](std::string_view key) {
    return std::find(std::begin(kHttpOnly), std::end(kHttpOnly), key) != std::end(kHttpOnly);
  };
  for (const std::string_view key : listen.own) {
    std::string_view why;
    if (key == "fresh" && entry.own.fresh && listen.mode != Mode::kHttp) why = "only http listeners see answers";
    if (is_http_only(key) && listen.mode != Mode::kHttp) why = "this is no http listener";
    if (key == "hold_timeout_http" && listen.mode == Mode::kTcp) why = "in a tcp listener hold_timeout_tcp counts";
    if (key == "hold_timeout_tcp" && listen.mode != Mode::kTcp) why = "in this listener hold_timeout_http counts";
    if (key == "accept_proxy_from" && !listen.accept_proxy) why = "this listener has no accept_proxy";
    if (!why.empty()) draft.hint(entry.said.at(key), fmt::format("{}: is not used; {}", key, why));
  }
}

bool takes_proxy_header(const Listen& listen) { return listen.accept_proxy && !listen.is_unix(); }

bool verifies_clients(const Listen& listen) {
  return listen.speaks_tls() && !listen.tls_client_ca.empty() && listen.tls_client_auth != ClientAuth::kOff;
}

// Where a listener says it, else where it is said for all.
Place place_in(const ListenEntry& entry, std::string_view key, const Draft& draft) {
  const auto own = entry.said.find(key);
  return own != entry.said.end() ? own->second : draft.place_of(key, "listen");
}

// Whoever may claim to be a trusted sender could hand on any certificate.
void check_identity(Draft& draft) {
  const Config& config = draft.config;
  const auto claims_addresses = [](const Listen& each) {
    return takes_proxy_header(each) && each.accept_proxy_from.empty();
  };
  const auto& listen = config.listen;
  if (std::any_of(listen.begin(), listen.end(), claims_addresses)) {
    draft.hint(draft.place_of("listen"),
               "accept_proxy: anybody can claim any address; name the balancers in accept_proxy_from");
  }
  std::vector<Place> told;  // of what is said for all, once
  const bool any_verifies = std::any_of(listen.begin(), listen.end(), &verifies_clients);
  for (std::size_t i = 0; i < listen.size(); ++i) {
    if (listen[i].client_cert_header.empty()) continue;
    const Place at = place_in(draft.listen[i], "client_cert_header", draft);
    const bool has_own = says(listen[i], "client_cert_header");
    const bool verifies = has_own ? verifies_clients(listen[i]) : any_verifies || !config.tls_client_ca.empty();
    const bool lacks_verifier = !verifies && config.forwarded_for_trusted.empty();
    const bool is_claimable = claims_addresses(listen[i]) && !config.forwarded_for_trusted.empty();
    if (!lacks_verifier && !is_claimable) continue;
    if (std::find(told.begin(), told.end(), at) != told.end()) continue;
    told.push_back(at);
    if (lacks_verifier) {
      draft.unused_problem("client_cert_header", at,
                           "there is no tls_client_ca to verify clients' certificates with, and no "
                           "forwarded_for_trusted sender to have them from");
    } else {
      draft.problem(at,
                    "client_cert_header: with accept_proxy, anybody could claim an address of forwarded_for_trusted "
                    "and hand on any certificate; set accept_proxy_from");
    }
  }
}

void check_listeners(Draft& draft) {
  for (std::size_t i = 0; i < draft.config.listen.size(); ++i) {
    const Listen& listen = draft.config.listen[i];
    const ListenEntry& entry = draft.listen[i];
    check_listener_tls(listen, entry, draft);
    check_listener_mode(listen, entry, draft);
    const bool has_own_drain = says(listen, "drain_quiet") || says(listen, "drain_deadline");
    if (has_own_drain && listen.drain_quiet > listen.drain_deadline) {
      draft.problem(place_in(entry, says(listen, "drain_quiet") ? "drain_quiet" : "drain_deadline", draft),
                    fmt::format("drain_quiet: {} is longer than drain_deadline ({})",
                                format_duration(listen.drain_quiet), format_duration(listen.drain_deadline)));
    }
  }
}

void refuse_cluster_names(Draft& draft) {
  for (const ListenEntry& each : draft.listen) {
    if (each.cluster.empty()) continue;
    draft.problem(each.cluster_at, "cluster: there are no clusters; \"clusters\" names them");
  }
}

}  // namespace

void check_keys(Draft& draft) {
  const Config& config = draft.config;
  if (!config.client_key.empty() && config.client_cert.empty()) {
    draft.problem(draft.place_of("client_key"), "client_key: there is no client_cert that it belongs to");
  }
  if (std::string why = why_no_key(config); !why.empty()) {
    draft.problem(draft.place_of("tls_key"), "tls_key: " + why);
  }
}

void finish_cluster(Draft& draft) {
  finish_nodes(draft);
  finish_listeners(draft);
  check_durations(draft);
  check_services(draft);
  check_keys(draft);
  check_node_tls(draft);
  check_client_tls(draft);
  check_listeners(draft);
  check_identity(draft);
}

void finish(Draft& draft, const Sources& sources) {
  if (draft.is_set("clusters")) return finish_clusters(draft);
  refuse_cluster_names(draft);
  require_nodes(draft, sources);
  add_default_listener(draft, "");
  finish_cluster(draft);
}

}  // namespace bellwether::config
