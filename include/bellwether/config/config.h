#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/config/traffic_options.h"

namespace bellwether::config {

enum class Mode : std::uint8_t { kTcp, kHttp, kRedirect };
enum class ProxyProtocol : std::uint8_t { kNone, kV1, kV2 };
enum class LogFormat : std::uint8_t { kText, kJson };
enum class TlsVersion : std::uint8_t { k12, k13 };
// kAuto: kRequired where there is a CA to verify with, else kOff.
enum class ClientAuth : std::uint8_t { kAuto, kOff, kOptional, kRequired };
// How http listeners write a client's certificate into client_cert_header.
enum class CertEncoding : std::uint8_t { kBase64, kRfc9440, kUrlPem };
enum class OnConflict : std::uint8_t { kKeep, kHold };
// When names of nodes come to lead to another cluster than the one whose cluster_id was learned.
enum class OnClusterChange : std::uint8_t { kFollow, kHold };

// Nodes that a cluster may have, and nodes that a configuration may name for it.
inline constexpr std::size_t kMaxNodes = 64;
inline constexpr std::size_t kMaxClusters = 16;

// PEM files of a certificate, with its chain, and of its key; without a file of its own, the key is with the
// certificate.
struct Certificate {
  std::string cert, key;

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

// The options that a listener may have of its own (Scope::kListener). What it does not say itself is as it is for its
// cluster, and what the cluster does not say is as it is for all.
struct ListenOptions : SessionOptions {
  Mode mode = Mode::kTcp;
  bool accept_proxy = false;                   // clients send a PROXY header first
  std::vector<std::string> accept_proxy_from;  // with accept_proxy; empty: everybody
  bool fresh = false;              // http only: answers to reads wait for the leader's word that it still leads
  std::string client_cert_header;  // empty: nodes are told no client's certificate
  CertEncoding client_cert_encoding = CertEncoding::kBase64;
  // TLS to clients of redirect and http listeners. The first certificate is the one of who asks for no other's name.
  std::vector<Certificate> tls_cert;
  std::string tls_key, tls_client_ca;
  TlsVersion tls_min_version = TlsVersion::k12;
  ClientAuth tls_client_auth = ClientAuth::kAuto;
  Duration tls_ticket_lifetime = 1h;  // in Config of sessions with either side; zero: none is resumed

  friend bool operator==(const ListenOptions&, const ListenOptions&) = default;
};

struct Listen : ListenOptions {
  std::string address;                // "127.0.0.1:8200", "[::1]:8200", "unix:/path"
  std::string cluster;                // the name of the cluster that it serves; empty in a file without `clusters`
  std::vector<std::string_view> own;  // keys of the options that it says itself, in the order of the table

  [[nodiscard]] bool is_unix() const { return address.compare(0, 5, "unix:") == 0; }
  // Tcp listeners pass their clients' TLS on, and unix sockets are plain.
  [[nodiscard]] bool may_speak_tls() const { return mode != Mode::kTcp && !is_unix(); }
  [[nodiscard]] bool speaks_tls() const { return may_speak_tls() && !tls_cert.empty(); }

  friend bool operator==(const Listen&, const Listen&) = default;
};

struct Node {
  std::string name;            // default: host:port
  std::string url;             // as written
  bool tls = true;             // https
  std::string host;            // of a service: the name of its SRV records
  bool may_be_local = false;   // a name server may lead it to an address of this machine or of its links
  bool is_service = false;     // srv+https: as many nodes as its SRV records lead to, each with its own port
  std::uint16_t port = 8200;   // 0 for a service
  std::string server_name;     // for SNI and verification; default: the global one, else host or a service's domain
  std::string public_address;  // for redirects, a URL with a port; default: from url
};

// Every option with its effective value; its ListenOptions are those of listeners that do not say otherwise. One row of
// the option table (config/options.h) describes each. A value type; components get the few fields they need, never the
// whole.
//
// In a file with `clusters`, `clusters` has the whole configuration of each: the common options, over them its own, its
// nodes, and the listeners that name it. The outer Config then has the common options and all listeners, and no nodes.
struct Config : ListenOptions, TrafficOptions {
  std::string cluster;           // the name of this cluster; empty: the only one, in a file without `clusters`
  std::vector<Config> clusters;  // in the order of the file, at most kMaxClusters; empty in a file without `clusters`
  std::vector<Listen> listen;
  std::vector<Node> nodes;
  std::string admin = "127.0.0.1:8209";  // "off": none
  std::vector<std::string> admin_hosts;  // more names for it, beside addresses and this machine's names
  std::string admin_token_file;
  std::string control = "auto";  // path of a unix socket; "off": none
  int threads = 1;               // 0: auto, one per core
  // leader tracking
  Duration inter = 1s, fastinter = 10ms, downinter = 1s, idle_inter = 30s, idle_after = 10s;
  // The TTL of the last answers counts between the two. dns_refresh zero: names are not asked for again while their
  // nodes answer.
  Duration dns_min_ttl = 5s, dns_refresh = 30s;
  bool dns_allow_local = false;  // see Node::may_be_local
  Duration timeout_check = 3s;
  int fall = 3, rise = 2;
  OnConflict on_conflict = OnConflict::kKeep;
  OnClusterChange on_cluster_change = OnClusterChange::kFollow;
  std::string cluster_id;
  // hold
  int hold_bytes = 16 * 1024 * 1024;
  // connections
  Duration keepalive_idle = 30s, keepalive_interval = 10s, tcp_user_timeout = 30s;
  Duration hard_stop_after = 25s, shutdown_delay = 0s, upgrade_timeout = 15s;
  std::string source;  // numeric, without a port; empty: the system chooses
  ProxyProtocol send_proxy = ProxyProtocol::kNone;
  // TLS to the nodes
  std::string ca_file, ca_path, server_name, client_cert, client_key;
  bool verify = true;
  // http listeners
  int retry_buffer = 64 * 1024;  // bytes
  int max_head_bytes = 32 * 1024, max_headers = 100;
  std::vector<std::string> forwarded_for_trusted;  // IP addresses and ranges
  std::vector<std::string> dropped_headers;        // beside those that may carry a certificate
  int forwarded_for_hops = 0;                      // addresses in a probe's X-Forwarded-For; 0: auto
  // certificates of either side
  Duration tls_reload_interval = 1s;
  // logs
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
  bool watch = false;  // the configuration file
};

// The clusters of a file, or the Config itself as the only one. The span is valid as long as `config` is.
[[nodiscard]] std::span<const Config> clusters_of(const Config& config);
void clusters_of(const Config&& config) = delete;

// One thing wrong, and where: "bellwether.json:3:12: unknown option \"intre\"; did you mean \"inter\"?".
struct Problem {
  std::string file;  // or "environment", "command line"
  int line = 0;      // 1-based; 0: not from a file
  int column = 0;
  std::string message;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Problem&, const Problem&) = default;
};

}  // namespace bellwether::config
