#include "bellwether/config/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bellwether/base/ip_range.h"
#include "bellwether/base/text.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

template <auto member>
EnumField choice(std::vector<std::string_view> values) {
  using Value = std::remove_reference_t<decltype(Config{}.*member)>;
  return EnumField{std::move(values),
                   [](Config& config, std::size_t value) { config.*member = static_cast<Value>(value); },
                   [](const Config& config) { return static_cast<std::size_t>(config.*member); }};
}

constexpr std::string_view kLogLevels[] = {"debug", "info", "warn", "error"};

EnumField log_level() {
  return EnumField{{std::begin(kLogLevels), std::end(kLogLevels)},
                   [](Config& config, std::size_t value) { config.log_level = kLogLevels[value]; },
                   [](const Config& config) {
                     const auto* at = std::find(std::begin(kLogLevels), std::end(kLogLevels), config.log_level);
                     return static_cast<std::size_t>(at - std::begin(kLogLevels));
                   }};
}

bool is_admin_address(std::string_view text) { return text == "off" || check_listen_address(text).has_value(); }
bool is_control_path(std::string_view text) {
  return text == "off" || text == "auto" || (text.front() == '/' && text.size() <= 107);
}
bool is_source(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }
bool is_server_name(std::string_view text) { return is_host_name(text) || is_ipv6(text); }

Result<void> check_ip_range(std::string_view text) {
  return IpRange::parse(text).map([](const IpRange&) {});
}

Result<void> check_host_name(std::string_view text) {
  if (is_host_name(text)) return {};
  return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a host name (without a port)", text));
}

Result<void> check_header_name(std::string_view text) {
  if (is_header_name(text)) return {};
  return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not the name of a header", text));
}

// Not one that means something else to a proxy or a node.
bool is_identity_header(std::string_view text) {
  constexpr std::array kTaken = {"authorization",   "connection",
                                 "content-length",  "expect",
                                 "forwarded",       "host",
                                 "keep-alive",      "te",
                                 "trailer",         "upgrade",
                                 "x-forwarded-for", "transfer-encoding",
                                 "cookie",          "proxy-connection"};
  const std::string name = lower_ascii(text);
  return is_header_name(text) && name.substr(0, 8) != "x-vault-" &&
         std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end();
}

constexpr std::string_view kTraffic = "Traffic";
constexpr std::string_view kTracking = "Following the leader";
constexpr std::string_view kHold = "Holding while there is no leader";
constexpr std::string_view kConnections = "Connections";
constexpr std::string_view kHttp = "HTTP mode";
constexpr std::string_view kNodeTls = "TLS to the nodes";
constexpr std::string_view kClientTls = "TLS to clients";
constexpr std::string_view kOperation = "Operation";

using C = Config;

// A listener may have it of its own, and so may a cluster.
Option per_listener(Option option) {
  option.scope = Scope::kListener;
  return option;
}

// It is the same for all clusters.
Option of_process(Option option) {
  option.scope = Scope::kProcess;
  return option;
}

std::vector<Option> traffic() {
  return {
      of_process(
          {"listen", kTraffic, ListenField{}, true, "--listen",
           "Where clients connect: an address, or a list of addresses and objects with address and any option that a "
           "listener may have of its own, which goes before the same one here."}),
      {"nodes", kTraffic, NodesField{}, true, "",
       "The servers of the cluster: URLs, or objects with url, name, server_name and public_address. A name with "
       "several addresses is as many nodes; srv+https://_vault._tcp.example.com is each address that the SRV records "
       "lead to."},
      of_process(
          {"clusters", kTraffic, ClustersField{}, true, "",
           "Several clusters in one process: a list of objects, each with a name, its nodes, and any option that a "
           "cluster "
           "may have of its own, which goes before the same one here. Without it there is one cluster, whose nodes are "
           "named by nodes."}),
      per_listener({"mode", kTraffic, choice<&C::mode>({"tcp", "http", "redirect"}), true, "--mode",
                    "What a listener does: tcp passes bytes through, http moves each "
                    "request to whoever leads, redirect names the leader in a 307."}),
      {"maxconn", kTraffic, IntField{&C::maxconn, 1, 1'000'000}, true, "--maxconn",
       "Client connections at a time, over all listeners of a cluster. Beyond it the connections that have waited for "
       "their clients "
       "for "
       "longest make room for new ones: silent ones first, then those between two requests. Where all are in use, new "
       "ones wait to be accepted."},
      {"threads", kTraffic, IntField{&C::threads, 0, 256, "auto"}, false, "--threads",
       "Threads that move bytes; \"auto\" is one for each core."},
  };
}

std::vector<Option> tracking() {
  return {
      {"inter", kTracking, DurationField{&C::inter, 10ms, 1h}, true, "--inter",
       "Between two health probes of a node while all is well."},
      {"fall", kTracking, IntField{&C::fall, 1, 100}, true, "--fall",
       "Unanswered probes in a row that make a node down; counted at most once per inter. What a node says acts at "
       "once."},
      {"rise", kTracking, IntField{&C::rise, 1, 100}, true, "--rise",
       "Answered probes in a row that make a node up again."},
      {"fastinter", kTracking, DurationField{&C::fastinter, 5ms, 1min}, true, "--fastinter",
       "The shortest interval, while there is no leader or the leader is suspect."},
      {"downinter", kTracking, DurationField{&C::downinter, 10ms, 1h}, true, "--downinter",
       "Between two probes of a node that is down, while there is a leader and clients ask for it."},
      {"idle_inter", kTracking, DurationField{&C::idle_inter, 10ms, 1h}, true, "--idle-inter",
       "Between two probes while nobody sends anything; the first request then waits for a fresh answer."},
      {"idle_after", kTracking, DurationField{&C::idle_after, 100ms, 24h}, true, "--idle-after",
       "Without traffic for that long, idle_inter applies."},
      {"dns_refresh", kTracking, DurationField{&C::dns_refresh, 0s, 1h}, true, "--dns-refresh",
       "The names of nodes are asked for again when the TTL of their answers is over, and after this time at the "
       "latest; sooner when a node has failed or nobody leads. Addresses that a name has got become nodes, and nodes "
       "whose addresses it has lost leave. 0s: names are asked for at the start, at a reload, and when their node is "
       "down."},
      {"dns_min_ttl", kTracking, DurationField{&C::dns_min_ttl, 1s, 1h}, true, "--dns-min-ttl",
       "A shorter TTL counts as this long, unless dns_refresh is shorter."},
      {"dns_allow_local", kTracking, FlagField{&C::dns_allow_local}, true, "--dns-allow-local",
       "Use addresses of this machine (127.0.0.0/8, ::1) and of its links (169.254.0.0/16, fe80::/10) that a name "
       "server "
       "gives; else they are left out, as whoever writes its records could lead us to what only this machine sees. "
       "Those "
       "of a hosts file are used."},
      {"suspect_after", kTracking, DurationField{&C::suspect_after, 5ms, 1min}, true, "--suspect-after",
       "A probe of the leader that is unanswered for that long, or for twice as long as the last one took, makes it "
       "suspect: new requests wait."},
      {"timeout_check", kTracking, DurationField{&C::timeout_check, 10ms, 1min}, true, "--timeout-check",
       "A probe without an answer for that long has failed."},
      {"on_cluster_change", kTracking, choice<&C::on_cluster_change>({"follow", "hold"}), true, "--on-cluster-change",
       "When the names of nodes come to lead to another cluster, by the cluster_id that its nodes state: follow it, or "
       "hold requests until an operator says so with `bellwether repin`. With a cluster_id in the configuration, that "
       "one counts."},
      {"on_conflict", kTracking, choice<&C::on_conflict>({"keep", "hold"}), true, "--on-conflict",
       "While two nodes claim to lead and nothing decides: keep the one we have, or hold new requests."},
      {"cluster_id", kTracking, TextField{&C::cluster_id, "a cluster_id"}, true, "--cluster-id",
       "The cluster's id, as sys/health tells it; nodes of another cluster get no traffic. Empty: learned from a "
       "majority."},
  };
}

std::vector<Option> hold() {
  return {
      {"hold_max", kHold, IntField{&C::hold_max, 0, 1'000'000}, true, "--hold-max",
       "How many requests and connections may wait for a cluster's leader at a time."},
      {"hold_bytes", kHold, IntField{&C::hold_bytes, 64 * 1024, 1024 * 1024 * 1024}, true, "--hold-bytes",
       "Bytes that requests to http listeners may take while they wait for a cluster's leader, all together; what "
       "comes beyond "
       "them is answered with 503."},
      per_listener(
          {"hold_timeout_tcp", kHold, DurationField{&C::hold_timeout_tcp, 0ms, 10min}, true, "--hold-timeout-tcp",
           "How long a connection waits for a leader before it is closed; Go clients give a TLS handshake 10 s."}),
      per_listener(
          {"hold_timeout_http", kHold, DurationField{&C::hold_timeout_http, 0ms, 10min}, true, "--hold-timeout-http",
           "How long a request to an http or redirect listener waits for a leader before it is answered with 503."}),
  };
}

std::vector<Option> connections() {
  return {
      {"timeout_connect", kConnections, DurationField{&C::timeout_connect, 10ms, 1min}, true, "--timeout-connect",
       "How long connecting to a node may take."},
      per_listener({"timeout_idle", kConnections, DurationField{&C::timeout_idle, 1s, 7 * 24h}, true, "--timeout-idle",
                    "A session without a byte in either direction for that long is closed."}),
      {"keepalive_idle", kConnections, DurationField{&C::keepalive_idle, 1s, 2h}, true, "--keepalive-idle",
       "TCP keepalive, both sides: probes start after that much silence."},
      {"keepalive_interval", kConnections, DurationField{&C::keepalive_interval, 1s, 1h}, true, "--keepalive-interval",
       "TCP keepalive, both sides: between two probes."},
      {"tcp_user_timeout", kConnections, DurationField{&C::tcp_user_timeout, 0ms, 1h}, true, "--tcp-user-timeout",
       "TCP_USER_TIMEOUT, both sides: data unacknowledged for that long ends the connection; 0: the system's rule."},
      per_listener(
          {"drain_quiet", kConnections, DurationField{&C::drain_quiet, 0ms, 10min}, true, "--drain-quiet",
           "A tcp session on a node that no longer leads ends as soon as nothing is under way in it. Where bytes alone "
           "do "
           "not "
           "tell that (a TLS handshake, a long answer, a stream), it ends once it has been quiet for that long."}),
      per_listener({"drain_deadline", kConnections, DurationField{&C::drain_deadline, 0ms, 24h}, true,
                    "--drain-deadline", "A session on a node that no longer leads ends after that long in any case."}),
      of_process({"hard_stop_after", kConnections, DurationField{&C::hard_stop_after, 0ms, 24h}, true,
                  "--hard-stop-after",
                  "After SIGTERM, sessions that still run are ended after that long; less than Kubernetes gives a pod "
                  "by default, "
                  "30 s."}),
      of_process(
          {"shutdown_delay", kConnections, DurationField{&C::shutdown_delay, 0ms, 1h}, true, "--shutdown-delay",
           "After SIGTERM the process serves for at least that long, with /readyz at 503, whether or not anybody is "
           "connected: whoever sends clients here (keepalived, a Service of Kubernetes, another balancer) needs time "
           "to "
           "see that. hard_stop_after counts from the signal too."}),
      of_process({"upgrade_timeout", kConnections, DurationField{&C::upgrade_timeout, 100ms, 10min}, true,
                  "--upgrade-timeout",
                  "How long a program that `bellwether upgrade` has started may take until it is ready. One that takes "
                  "longer is "
                  "ended, and nothing has changed."}),
      {"source", kConnections,
       TextField{&C::source, "a numeric address without a port, such as \"10.0.0.5\"", is_source}, true, "--source",
       "The address to connect to nodes from."},
      per_listener({"accept_proxy", kConnections, FlagField{&C::accept_proxy}, true, "--accept-proxy",
                    "Clients begin with a PROXY protocol header (v1 or v2), whose address counts as theirs."}),
      per_listener(
          {"accept_proxy_from", kConnections,
           ListField{&C::accept_proxy_from, "a list of IP addresses and ranges such as \"10.0.0.0/8\"", check_ip_range},
           true, "--accept-proxy-from",
           "Who must begin with a PROXY header on listeners with accept_proxy; others are taken for clients that speak "
           "for "
           "themselves. Empty: everybody must, and so anybody can claim any address."}),
      {"send_proxy", kConnections, choice<&C::send_proxy>({"none", "v1", "v2"}), true, "--send-proxy",
       "Tells nodes the client's address with a PROXY protocol header; probes send one too."},
  };
}

std::vector<Option> http() {
  return {
      {"retry_buffer", kHttp, IntField{&C::retry_buffer, 0, 16 * 1024 * 1024}, true, "--retry-buffer",
       "Bytes of a request's body that are kept until its answer is judged: what is longer is not sent again."},
      {"max_head_bytes", kHttp, IntField{&C::max_head_bytes, 4 * 1024, 1024 * 1024}, true, "--max-head-bytes",
       "Bytes of a request's or an answer's head, the request line and all headers; what is longer gets 431. HAProxy "
       "takes "
       "15 KiB by default, nodes take 1 MiB."},
      {"max_headers", kHttp, IntField{&C::max_headers, 16, 1000}, true, "--max-headers",
       "Headers of a request or an answer; with more it gets 431. HAProxy takes 101 by default, nodes take 400."},
      per_listener(
          {"timeout_header", kHttp, DurationField{&C::timeout_header, 100ms, 10min}, true, "--timeout-header",
           "How long a client may take for a request's head, for its TLS handshake, and for the first byte of a "
           "connection; in "
           "tcp mode the first byte may be the node's."}),
      per_listener({"timeout_answer", kHttp, DurationField{&C::timeout_answer, 100ms, 24h}, true, "--timeout-answer",
                    "How long a node may take from a request's last byte to its answer's head; bodies have no limit "
                    "but idleness."}),
      {"grace", kHttp, DurationField{&C::grace, 0ms, 10min}, true, "--grace",
       "A leader that was replaced has that long to answer what it was asked; then it counts as perhaps executed."},
      per_listener({"ambiguous_status", kHttp, IntField{&C::ambiguous_status, 400, 599}, true, "--ambiguous-status",
                    "The status for a request that may have been executed or not; Vault's Go library sends 5xx again "
                    "by itself."}),
      {"bootstrap", kHttp, FlagField{&C::bootstrap}, true, "--bootstrap",
       "Without a leader, sys/init goes to the first node that says uninitialized, and sys/unseal to the first that "
       "says "
       "sealed; otherwise they are refused then."},
      per_listener({"fresh", kHttp, FlagField{&C::fresh}, true, "--fresh",
                    "On http listeners an answer waits until the leader, asked after it came, has "
                    "confirmed that it leads; grace at most, then the request counts as perhaps executed."}),
      {"forwarded_for", kHttp, FlagField{&C::forwarded_for}, true, "--no-forwarded-for",
       "Nodes are told the client's address in X-Forwarded-For."},
      {"forwarded_for_trusted", kHttp,
       ListField{&C::forwarded_for_trusted, "a list of IP addresses and ranges such as \"10.0.0.0/8\"", check_ip_range},
       true, "--forwarded-for-trusted",
       "The proxies before us: what they say in X-Forwarded-For is kept, before their own address; what others say is "
       "dropped."},
      per_listener({"client_cert_header", kHttp,
                    TextField{&C::client_cert_header, "the name of a header", is_identity_header}, true,
                    "--client-cert-header",
                    "The request header in which nodes are told the certificate that a client has proved to own "
                    "(tls_client_ca), as "
                    "the nodes' x_forwarded_for_client_cert_header says. Senders in forwarded_for_trusted state it "
                    "themselves; from "
                    "others it is dropped, as is every header that may carry a certificate."}),
      per_listener(
          {"client_cert_encoding", kHttp, choice<&C::client_cert_encoding>({"base64", "rfc9440", "url_pem"}), true,
           "--client-cert-encoding",
           "How it stands there: base64 of DER, which OpenBao takes without decoders and Vault with BASE64; rfc9440 "
           "the "
           "same between colons (OpenBao: RFC9440); url_pem PEM with percent-encoding (OpenBao: URL, PEM; Vault: "
           "URL,DER)."}),
      {"dropped_headers", kHttp, ListField{&C::dropped_headers, "a list of header names", check_header_name}, true,
       "--dropped-headers", "More request headers that are not passed on from clients; a \"-\" stands for \"_\" too."},
      {"forwarded_for_hops", kHttp, IntField{&C::forwarded_for_hops, 0, 16, "auto"}, true, "--forwarded-for-hops",
       "How many addresses X-Forwarded-For has in clients' requests, and so in probes; a node whose "
       "x_forwarded_for_hop_skips is not less refuses them. \"auto\" is 1, or 2 with forwarded_for_trusted."},
  };
}

std::vector<Option> node_tls() {
  return {
      {"ca_file",
       kNodeTls,
       TextField{&C::ca_file, "a file name"},
       true,
       "--ca-file",
       "PEM file with the CA certificates that node certificates must come from; neither ca_file nor ca_path: the "
       "system's.",
       {"VAULT_CACERT", "BAO_CACERT"}},
      {"ca_path",
       kNodeTls,
       TextField{&C::ca_path, "a directory"},
       true,
       "--ca-path",
       "Directory of PEM files with CA certificates; all of them are read at the start and when one has changed.",
       {"VAULT_CAPATH", "BAO_CAPATH"}},
      {"server_name",
       kNodeTls,
       TextField{&C::server_name, "a host name", is_server_name},
       true,
       "--server-name",
       "The name that node certificates must carry, also sent as SNI; empty: each node's own host.",
       {"VAULT_TLS_SERVER_NAME", "BAO_TLS_SERVER_NAME"}},
      {"client_cert",
       kNodeTls,
       TextField{&C::client_cert, "a file name"},
       true,
       "--client-cert",
       "PEM file with the certificate that we show to nodes, with its chain; it may hold the key too.",
       {"VAULT_CLIENT_CERT", "BAO_CLIENT_CERT"}},
      {"client_key",
       kNodeTls,
       TextField{&C::client_key, "a file name"},
       true,
       "--client-key",
       "PEM file with its key.",
       {"VAULT_CLIENT_KEY", "BAO_CLIENT_KEY"}},
      {"verify",
       kNodeTls,
       FlagField{&C::verify},
       true,
       "--no-verify",
       "Verification of node certificates; without it anyone on the network can pose as the leader.",
       {"VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"}},
  };
}

std::vector<Option> client_tls() {
  return {
      per_listener({"tls_cert", kClientTls, CertificatesField{&C::tls_cert}, true, "--tls-cert",
                    "PEM file with the certificate that http and redirect listeners show to clients, with its chain; "
                    "it may hold "
                    "the key too. Of several a client is shown the one with the name that it asks for (SNI), and the "
                    "first if none "
                    "has it. Empty: plain HTTP, which unix sockets speak in any case."}),
      per_listener({"tls_key", kClientTls, TextField{&C::tls_key, "a file name"}, true, "--tls-key",
                    "PEM file with its key; of several certificates each names its own."}),
      per_listener({"tls_min_version", kClientTls, choice<&C::tls_min_version>({"1.2", "1.3"}), true,
                    "--tls-min-version", "The oldest TLS version that clients may speak."}),
      per_listener({"tls_client_ca", kClientTls, TextField{&C::tls_client_ca, "a file name"}, true, "--tls-client-ca",
                    "PEM file with the CA certificates that client certificates must come from. They end here; "
                    "client_cert_header tells nodes of them."}),
      per_listener({"tls_client_auth", kClientTls, choice<&C::tls_client_auth>({"auto", "off", "optional", "required"}),
                    true, "--tls-client-auth",
                    "Whether clients must show a certificate; optional: one that is shown must be good; auto: required "
                    "if there is "
                    "a "
                    "tls_client_ca, else off."}),
      of_process(
          {"tls_reload_interval", kClientTls, DurationField{&C::tls_reload_interval, 50ms, 1h}, true,
           "--tls-reload-interval",
           "How often the certificate, key and CA files of both sides are looked at; what has changed is used from the "
           "next "
           "handshake on. The system's CA certificates are read again on HUP and `bellwether reload` only."}),
      per_listener({"tls_ticket_lifetime", kClientTls, DurationField{&C::tls_ticket_lifetime, 0s, 168h}, true,
                    "--tls-ticket-lifetime",
                    "How long after a full TLS handshake its session may be resumed by tickets, with clients and with "
                    "nodes; never "
                    "beyond the end of a certificate that was verified then, and resuming does not extend it. 0s: "
                    "every handshake "
                    "is a full one. A reload of certificates or CAs ends all of them; certificate revocation lists are "
                    "not read."}),
  };
}

std::vector<Option> operation() {
  return {
      of_process({"admin", kOperation,
                  TextField{&C::admin, "an address such as \"127.0.0.1:8209\", or \"off\"", is_admin_address}, false,
                  "--admin", "Where the status page, /metrics, /healthz and /readyz are served."}),
      of_process({"admin_hosts", kOperation, ListField{&C::admin_hosts, "a list of host names", check_host_name}, true,
                  "--admin-hosts",
                  "Names by which others reach the admin address, beside IP addresses, localhost and this machine's "
                  "own name. A "
                  "request for another name gets 421, but for /metrics, /healthz and /readyz: a page of another site "
                  "cannot read "
                  "ours."}),
      of_process({"admin_token_file", kOperation, TextField{&C::admin_token_file, "a file name"}, false,
                  "--admin-token-file",
                  "File with a token that the admin address wants as Authorization: Bearer, or as the password of any "
                  "user; not "
                  "for "
                  "/healthz and /readyz. Commands read it from the file that BELLWETHER_ADMIN_TOKEN_FILE names."}),
      of_process({"control", kOperation,
                  TextField{&C::control, "an absolute path, \"auto\" or \"off\"", is_control_path}, false, "--control",
                  "The unix socket through which `bellwether node` and its kin change something, one for each "
                  "instance; \"auto\" "
                  "chooses a place that this user may write to: /run/bellwether, else XDG_RUNTIME_DIR."}),
      of_process(
          {"watch", kOperation, FlagField{&C::watch}, true, "--watch",
           "Reload when the configuration file has changed: it is looked at each second, symbolic links followed (a "
           "ConfigMap's swap shows), and read once it has stayed the same for one."}),
      of_process(
          {"log_level", kOperation, log_level(), true, "--log-level", "The least important level that is logged."}),
      of_process({"log_format", kOperation, choice<&C::log_format>({"text", "json"}), true, "--log-format",
                  "Log lines for people, or one JSON object per line."}),
      {"log_sessions", kOperation, FlagField{&C::log_sessions}, true, "--log-sessions",
       "One log line for each session when it ends."},
      {"log_requests", kOperation, FlagField{&C::log_requests}, true, "--log-requests",
       "One log line for each request to http and redirect listeners when it ends: by whom it was answered, what "
       "became "
       "of it, how long it took. At level info, without tokens, paths and, but at level debug, the client's address."},
      {"log_paths", kOperation, FlagField{&C::log_paths}, true, "--log-paths",
       "In these lines also the path, never what follows a \"?\"."},
  };
}

std::vector<Option> all_options() {
  std::vector<Option> all;
  for (std::vector<Option> part :
       {traffic(), tracking(), hold(), connections(), http(), node_tls(), client_tls(), operation()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string join(const std::vector<std::string>& parts) {
  return parts.size() == 1 ? parts[0] : fmt::format("[{}]", fmt::join(parts, ", "));
}

struct ValueText {
  const Config& config;
  std::string operator()(const TextField& field) const { return in_quotes(config.*field.member); }
  std::string operator()(const FlagField& field) const { return config.*field.member ? "true" : "false"; }
  std::string operator()(const IntField& field) const {
    const int value = config.*field.member;
    if (value == 0 && !field.word_for_zero.empty()) return in_quotes(field.word_for_zero);
    return fmt::format("{}", value);
  }
  std::string operator()(const DurationField& field) const { return in_quotes(format_duration(config.*field.member)); }
  std::string operator()(const EnumField& field) const { return in_quotes(field.values[field.get(config)]); }
  std::string operator()(const ListField& field) const {
    std::vector<std::string> parts;
    for (const std::string& each : config.*field.member) parts.push_back(in_quotes(each));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  std::string operator()(const CertificatesField& field) const {
    const std::vector<Certificate>& all = config.*field.member;
    std::vector<std::string> parts;
    for (const Certificate& each : all) {
      parts.push_back(each.key.empty()
                          ? in_quotes(each.cert)
                          : fmt::format(R"({{"cert": {}, "key": {}}})", in_quotes(each.cert), in_quotes(each.key)));
    }
    return all.empty() ? "\"\"" : join(parts);
  }
  std::string operator()(const ListenField&) const {
    std::vector<std::string> parts;
    for (const Listen& each : config.listen) parts.push_back(in_quotes(each.address));
    return join(parts);
  }
  std::string operator()(const NodesField&) const {
    std::vector<std::string> parts;
    for (const Node& each : config.nodes) parts.push_back(in_quotes(each.url));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  std::string operator()(const ClustersField&) const {
    std::vector<std::string> parts;
    for (const Config& each : config.clusters) parts.push_back(in_quotes(each.cluster));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
};

struct Expected {
  std::string operator()(const TextField& field) const { return std::string(field.what); }
  std::string operator()(const FlagField&) const { return "true or false"; }
  std::string operator()(const IntField& field) const {
    const int least = field.word_for_zero.empty() ? field.min : std::max(field.min, 1);
    const std::string range = fmt::format("a whole number from {} to {}", least, field.max);
    return field.word_for_zero.empty() ? range : fmt::format("{}, or \"{}\"", range, field.word_for_zero);
  }
  std::string operator()(const DurationField& field) const {
    return fmt::format("a duration from {} to {}", format_duration(field.min), format_duration(field.max));
  }
  std::string operator()(const EnumField& field) const {
    std::string out;
    for (std::size_t i = 0; i < field.values.size(); ++i) {
      if (i > 0) out += i + 1 == field.values.size() ? " or " : ", ";
      out += in_quotes(field.values[i]);
    }
    return out;
  }
  std::string operator()(const ListField& field) const { return std::string(field.what); }
  std::string operator()(const CertificatesField&) const {
    return "a file name, or a list of file names and objects with cert and key";
  }
  std::string operator()(const ListenField&) const { return "an address, or a list of addresses and objects"; }
  std::string operator()(const NodesField&) const { return "a list of URLs and objects"; }
  std::string operator()(const ClustersField&) const { return "a list of objects"; }
};

struct CopyValue {
  const Config& from;
  Config& into;
  template <typename Field>
  void operator()(const Field& field) const {
    into.*field.member = from.*field.member;
  }
  void operator()(const EnumField& field) const { field.set(into, field.get(from)); }
  void operator()(const ListenField&) const { into.listen = from.listen; }
  void operator()(const NodesField&) const { into.nodes = from.nodes; }
  void operator()(const ClustersField&) const { into.clusters = from.clusters; }
};

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> all = all_options();
  return all;
}

const Option* find_option(std::string_view key) {
  const auto found =
      std::find_if(options().begin(), options().end(), [&](const Option& each) { return each.key == key; });
  return found == options().end() ? nullptr : &*found;
}

std::vector<std::string_view> option_keys() {
  std::vector<std::string_view> keys;
  for (const Option& each : options()) keys.push_back(each.key);
  return keys;
}

std::vector<std::string_view> listener_keys() {
  std::vector<std::string_view> keys = {"address", "cluster"};
  for (const Option& each : options()) {
    if (each.scope == Scope::kListener) keys.push_back(each.key);
  }
  return keys;
}

std::vector<std::string_view> cluster_keys() {
  std::vector<std::string_view> keys = {"name"};
  for (const Option& each : options()) {
    if (each.scope != Scope::kProcess) keys.push_back(each.key);
  }
  return keys;
}

bool is_file_only(const Option& option) { return std::holds_alternative<ClustersField>(option.field); }

std::string environment_name(const Option& option) {
  std::string name = "BELLWETHER_";
  for (const char c : option.key) name += c == '_' ? c : static_cast<char>(c - 'a' + 'A');
  return name;
}

std::string expected(const Option& option) { return std::visit(Expected{}, option.field); }

std::string value_text(const Option& option, const Config& config) {
  return std::visit(ValueText{config}, option.field);
}

void copy_value(const Option& option, const Config& from, Config& into) {
  std::visit(CopyValue{from, into}, option.field);
}

std::string default_text(const Option& option) {
  Config config;
  config.listen.emplace_back().address = "127.0.0.1:8200";
  return value_text(option, config);
}

}  // namespace bellwether::config
