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

// A listener's options: its own, and for the rest those of all.
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
  // Who comes by a unix socket is nobody's balancer unless that is said of it.
  if (listen.is_unix() && entry.said.count("accept_proxy") == 0) listen.accept_proxy = false;
  listen.fresh = listen.fresh && listen.mode == Mode::kHttp;
  return listen;
}

void finish_listeners(Draft& draft) {
  Config& config = draft.config;
  if (draft.listen.empty() && !draft.is_set("listen")) {
    draft.listen.push_back(ListenEntry{"127.0.0.1:8200", Place{"default", {}}});
  }
  for (const ListenEntry& entry : draft.listen) {
    config.listen.push_back(listen_of(entry, config));
    for (const NodeEntry& each : draft.nodes) {
      if (!reaches(entry.address, each.node)) continue;
      draft.problem(each.at,
                    fmt::format("nodes: {} is our own listen address \"{}\"; set another with listen (--listen)",
                                each.node.url, entry.address));
    }
    if (entry.address == config.admin && config.admin.substr(config.admin.size() - 2) != ":0") {
      draft.problem(place_of(draft, "admin", "listen"),
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

void check_services(Draft& draft) {
  for (const NodeEntry& each : draft.nodes) {
    if (!each.node.is_service || draft.config.dns_refresh > Duration::zero()) continue;
    draft.problem(
        each.at, fmt::format("nodes: {}: its records are asked for again, so dns_refresh cannot be 0s", each.node.url));
  }
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

void check_client_tls(Draft& draft) {
  const Config& config = draft.config;
  const auto any_listener = [&](auto matches) {
    return std::any_of(config.listen.begin(), config.listen.end(), matches);
  };
  const bool any_cert = !config.tls_cert.empty() || any_listener([](const Listen& each) { return each.speaks_tls(); });
  const auto need_cert = [&](std::string_view key, bool is_set) {
    if (!is_set || any_cert) return;
    draft.problem(place_of(draft, key, ""), fmt::format("{}: without a tls_cert, clients speak plain HTTP", key));
  };
  if (std::string why = why_no_key(config); !why.empty()) {
    draft.problem(place_of(draft, "tls_key", ""), "tls_key: " + why);
  }
  need_cert("tls_client_ca", !config.tls_client_ca.empty());
  need_cert("tls_min_version", config.tls_min_version != TlsVersion::k12);
  // Listeners with a CA of their own may do without the common one.
  const bool lacks_ca =
      !any_listener([](const Listen& each) { return each.speaks_tls(); }) || any_listener([](const Listen& each) {
        return each.speaks_tls() && !says(each, "tls_client_auth") && each.tls_client_ca.empty();
      });
  if (asks_for_certificates(config) && config.tls_client_ca.empty() && lacks_ca) {
    draft.problem(place_of(draft, "tls_client_auth", ""),
                  "tls_client_auth: there is no tls_client_ca to verify client certificates with");
  }
  if (config.tls_client_auth == ClientAuth::kOff && !config.tls_client_ca.empty()) {
    draft.hint(place_of(draft, "tls_client_ca", ""), "tls_client_ca: is not used, as tls_client_auth is \"off\"");
  }
  if (config.tls_cert.empty()) return;
  if (!any_listener([](const Listen& each) { return each.may_speak_tls(); })) {
    draft.hint(
        place_of(draft, "tls_cert", ""),
        "tls_cert: is not used; tcp listeners pass the client's TLS through to the node, unix sockets are plain");
  } else if (!any_listener([](const Listen& each) { return each.may_speak_tls() && !says(each, "tls_cert"); })) {
    draft.hint(place_of(draft, "tls_cert", ""), "tls_cert: is not used; each listener names its own");
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
  return own != entry.said.end() ? own->second : place_of(draft, key, "listen");
}

// Whoever may claim to be a trusted sender could hand on any certificate.
void check_identity(Draft& draft) {
  const Config& config = draft.config;
  std::vector<std::string> said;  // once, where it is said for all
  const auto report = [&](const Place& at, const std::string& text) {
    const std::string whole = fmt::format("{}:{}:{}:{}", at.file, at.at.line, at.at.column, text);
    if (std::find(said.begin(), said.end(), whole) != said.end()) return;
    said.push_back(whole);
    draft.problem(at, text);
  };
  const auto claims_addresses = [](const Listen& each) {
    return takes_proxy_header(each) && each.accept_proxy_from.empty();
  };
  const auto& listen = config.listen;
  if (std::any_of(listen.begin(), listen.end(), claims_addresses)) {
    draft.hint(place_of(draft, "listen", ""),
               "accept_proxy: anybody can claim any address; name the balancers in accept_proxy_from");
  }
  const bool any_verifies = std::any_of(listen.begin(), listen.end(), &verifies_clients);
  for (std::size_t i = 0; i < listen.size(); ++i) {
    if (listen[i].client_cert_header.empty()) continue;
    const Place at = place_in(draft.listen[i], "client_cert_header", draft);
    const bool has_own = says(listen[i], "client_cert_header");
    const bool verifies = has_own ? verifies_clients(listen[i]) : any_verifies || !config.tls_client_ca.empty();
    if (!verifies && config.forwarded_for_trusted.empty()) {
      report(at,
             "client_cert_header: there is no tls_client_ca to verify clients' certificates with, and no "
             "forwarded_for_trusted sender to have them from");
    }
    if (claims_addresses(listen[i]) && !config.forwarded_for_trusted.empty()) {
      report(at,
             "client_cert_header: with accept_proxy, anybody could claim an address of forwarded_for_trusted and hand "
             "on any certificate; set accept_proxy_from");
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

}  // namespace

void finish(Draft& draft, const Sources& sources) {
  finish_nodes(draft, sources);
  finish_listeners(draft);
  check_durations(draft);
  check_services(draft);
  check_node_tls(draft);
  check_client_tls(draft);
  check_listeners(draft);
  check_identity(draft);
}

}  // namespace bellwether::config
