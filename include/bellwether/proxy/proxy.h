#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/enum_count.h"
#include "bellwether/base/ip_range.h"
#include "bellwether/base/node_table.h"
#include "bellwether/base/result.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/view.h"
#include "bellwether/config/traffic_options.h"
#include "bellwether/http/head.h"
#include "bellwether/metrics/slots.h"
#include "bellwether/net/address.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/proxy_protocol.h"
#include "bellwether/net/tls.h"
#include "bellwether/proxy/client_identity.h"
#include "bellwether/vault/request_class.h"
#include "bellwether/vault/retry.h"

namespace bellwether::proxy {

enum class Mode : std::uint8_t { kTcp, kRedirect, kHttp };

// Kept-alive connections that a worker of http listeners may have idle, for each node.
inline constexpr std::size_t kMostIdleUpstreams = 64;

// What is set for all listeners, and may be another for one of them. May change while the proxy runs: what is under way
// follows it.
struct SessionSettings : config::SessionOptions {
  // Who may send the PROXY header that a listener takes; others are clients of their own. Empty: everybody must.
  std::vector<IpRange> accept_proxy_from;
  ClientIdentityOptions client_identity;  // of http listeners
};

struct ListenerOptions {
  net::Address address;
  Mode mode = Mode::kTcp;
  bool accept_proxy = false;
  bool fresh = false;                            // http: answers to reads wait until the leader has confirmed itself
  std::shared_ptr<net::TlsContext> tls;          // redirect and http; null: plain. Until renew_client_tls()
  std::shared_ptr<const SessionSettings> own{};  // null: those of all
};

// Tcp listeners pass their clients' TLS on, and clients of a unix socket speak plain HTTP (hashicorp/vault:
// api/client.go, ParseAddress).
[[nodiscard]] inline bool may_speak_tls(const ListenerOptions& listener) {
  return listener.mode != Mode::kTcp && !listener.address.is_unix();
}

struct NodeOptions {
  std::string name;
  std::optional<net::Address> address;  // the one that is probed
  std::string public_url;               // "https://vault1.example.com:8200": what a redirect names
  bool is_tls = false;                  // http only: it is spoken to over ProxyOptions::node_tls
  std::string server_name{};            // for that TLS
};

// What may change while the proxy runs, see Proxy::set_settings().
struct ProxySettings : config::TrafficOptions, SessionSettings {
  std::size_t hold_bytes = 16 * 1024 * 1024;  // of requests to http listeners that wait, over all workers
  net::TcpOptions tcp{};
  std::optional<net::Address> source;
  net::ProxyVersion send_proxy = net::ProxyVersion::kNone;
  // Of http listeners.
  http::HeadLimits head_limits{};
  std::size_t retry_buffer = 64 * 1024;        // of a request's body, kept until the answer is judged
  std::vector<IpRange> forwarded_for_trusted;  // what clients from there say in it stays, before their own address
};

// The settings to begin with, and what a proxy is made of.
struct ProxyOptions : ProxySettings {
  std::vector<ListenerOptions> listeners;
  NodeTable<NodeOptions> nodes;  // until set_nodes()
  std::shared_ptr<net::TlsContext>
      node_tls;  // workers use twins of it; may be null if no node needs it. Until set_node_tls()
  int threads = 1;
  bool waits_to_accept = false;  // nobody is accepted before begin_accepting()
};

// One ended session, for the log: HAProxy's sense of times and of the two-letter end reason
// (haproxy:doc/configuration.txt section 8.5): who ended it (C client, S server, P proxy, L local, D node went down,
// K killed by the operator, c/s client or server timeout, - normal) and when (R reading a request's head, Q held,
// C connecting, H waiting for an answer's head, D data, L last data, - after the end).
struct SessionRecord {
  std::string listener;
  std::string client;  // only the logger decides whether to print it
  std::optional<NodeId> node;
  std::string node_name;  // "none" if there is none
  Epoch epoch = 0;
  Duration held{}, connecting{}, total{};
  std::uint64_t bytes_up = 0, bytes_down = 0;  // to the node, to the client
  char end[3] = "--";
};

// How a request to an http listener ended. Each ends in exactly one of these.
enum class Outcome : std::uint8_t {
  kOk,          // the node's whole answer reached us and went on
  kAmbiguous,   // perhaps executed: our error
  kUnserved,    // surely not executed: our 503, or 421
  kCut,         // ended amid the answer
  kClientGone,  // the client left before its answer had ended
  kRejected,    // not valid, or not safe
};
inline constexpr std::size_t kOutcomeCount = 6;
static_assert(has_enumerators<Outcome, kOutcomeCount>);
// Such a request did not get the answer that it should have had, through no fault of its client.
[[nodiscard]] bool is_failure(Outcome outcome);
[[nodiscard]] std::string_view to_text(Outcome outcome);

// One ended request, for the access log. The views live as long as the call. Times and end reason as above.
struct RequestRecord {
  std::string_view listener, client, method;  // only the logger decides whether to print the client
  std::string_view path;                      // without query; empty unless log_paths
  std::string_view rejected;                  // why, if it was
  std::string_view request_id;                // of one that failed: as its client was told
  std::string_view why;                       // ... what happened, without what the node said
  int status = 0;                             // what the client was told; 0: nothing
  Outcome outcome = Outcome::kOk;
  vault::RequestClass request_class = vault::RequestClass::kData;
  std::optional<vault::Row> row;  // how the last answer, or its lack, was judged
  std::optional<NodeId> node;     // to which it was sent last
  std::string_view node_name;     // "none" if there is none
  Epoch epoch = 0;
  int sends = 0;
  Duration held{}, total{};          // since its head was there
  std::optional<Duration> upstream;  // from the last sending to the answer's head
  std::uint64_t bytes_up = 0, bytes_down = 0;
  char end[3] = "--";
};

// A histogram's share: by kHttpBuckets, last +Inf.
struct DurationCounts {
  std::vector<std::uint64_t> buckets;
  double sum_s = 0;
};

// What http listeners count. Each request ends in exactly one outcome, and is counted under the status it was answered
// with, if any.
struct HttpCounts : metrics::HttpSlots<std::uint64_t> {
  std::array<std::uint64_t, 5> by_status_class{};  // 1xx (tunnels) to 5xx, at [status / 100 - 1]
  std::uint64_t ok = 0, ambiguous = 0, unserved = 0, cut = 0, client_gone = 0;  // see Outcome
  std::array<std::uint64_t, http::kRejectCount> rejected{};                     // by http::Reject
  std::uint64_t rejected_late = 0;  // of these: by framing in the body, after the head had been sent on
  std::array<std::uint64_t, vault::kRowCount> rows{};  // by vault::Row: how answers and failures were judged
  DurationCounts waiting, upstream, total;
};

// Connections to a node.
using NodeCounts = metrics::NodeSlots<std::uint64_t>;

// What the proxy counts, summed over its workers. The rows of metrics/rows.def say what each slot is.
struct ProxyCounts : metrics::WorkerSlots<std::uint64_t> {
  std::uint64_t held_bytes = 0;                                                 // of requests that wait now
  std::array<std::uint64_t, net::kHandshakeFailureCount> handshake_failures{};  // by net::HandshakeFailure
  NodeTable<NodeCounts> nodes;
  NodeCounts removed_nodes;                 // what others have come to that were removed
  std::vector<std::uint64_t> hold_buckets;  // by kHoldBuckets, last +Inf
  double hold_sum_s = 0;
  HttpCounts http;
};
inline constexpr double kHttpBuckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
inline constexpr double kHoldBuckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

// What the proxy tells its owner. Called on worker threads: the owner posts to wherever it belongs.
struct ProxyCallbacks {
  std::function<void(const cluster::Hint&)> on_hint;
  // A client was served by the leader of that epoch: said once per epoch and worker.
  std::function<void(Epoch)> on_first_success;
  std::function<void()> on_traffic;                          // somebody waits while the view is idle, or now and then
  std::function<void(const SessionRecord&)> on_session_end;  // only if log_sessions
  std::function<void(const RequestRecord&)> on_request_end;  // each if log_requests, else failed ones
  // A claim of the leader's is needed that is asked for at that moment or later: see confirm(). On the control thread.
  std::function<void(TimePoint since)> on_claim_wanted;
  std::function<void(std::string listener, std::string target)> on_redirect_loop;  // would have pointed to ourselves
  // A monitor or event stream was ended, because it would hold up the step-down of its node, which has begun to block.
  std::function<void(NodeId node, const std::string& name)> on_stream_ended;
  // maxconn is reached, and that many connections that waited for their clients were ended for one that came.
  std::function<void(std::size_t ended)> on_room_made;
};

// What the traffic of http listeners shows of a node. Nothing before the first answer: TimePoint{}.
struct LiveTraffic {
  TimePoint answered_request{};  // when the latest request was sent that has had a whole answer head
  TimePoint last_answer{};       // when the latest answer head came
  int waiting = 0;               // exchanges without an answer for kWaitingLong and more; looked at once per tick
};
inline constexpr Duration kWaitingLong = 500ms;

struct ListenerChange;  // of Proxy::bind_listeners()

// The workers: listeners, sessions, hold. Created, fed and destroyed on the control thread.
class Proxy {
 public:
  // Binds all listeners first: on error nothing has been accepted and the error names the address.
  [[nodiscard]] static Result<std::unique_ptr<Proxy>> start(net::Loop& control, ProxyOptions options,
                                                            ProxyCallbacks callbacks);
  ~Proxy();  // closes everything and joins the workers
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // Hands the view to the workers. A new epoch is used by any of them only after all have stopped sending under the
  // one before: first all are told to hold, then, when all have confirmed, all get the new view.
  void publish(const cluster::ViewPtr& view);
  // The leader has confirmed itself: handed to the workers that want to know. After the view that names it.
  void confirm(const cluster::Claim& claim);
  // The control thread will run again by then. Workers that find it overdue by `suspect_after` send nothing until it
  // has.
  void expect_control_by(TimePoint due);
  // The control thread stood still: workers send nothing before they have a claim that was asked for at that moment or
  // later.
  void require_claim_since(TimePoint since);
  // These are the nodes from now on. To be told before the first view that has the new ones; nothing more is sent to
  // those that are missing here once a view has come without them, and what they still serve ends as on a node that was
  // demoted. What is changed of the others is used from the next connection on;
  // an address that is not known stays as it was.
  void set_nodes(const NodeTable<NodeOptions>& nodes);
  void set_address(NodeId node, const net::Address& address);
  // The settings count from now on, for what comes and for what is under way. A connection keeps what was decided when
  // it came: the client that its PROXY header or its certificate names, whether its address may be believed and logged,
  // and the header that nodes are told of it.
  void set_settings(ProxySettings settings);
  // The listeners from now on. What is at the address of one that is open keeps its socket, and new connections are
  // treated by the new options; connections of before follow its SessionSettings, and where it is gone those of all.
  // What is missing is closed, after what waits in its queue has been accepted. Bound
  // first, so that on error nothing has changed; what is bound and not used is closed with its last reference. One
  // change at a time: what was bound before another was used is out of date.
  [[nodiscard]] Result<std::shared_ptr<ListenerChange>> bind_listeners(const std::vector<ListenerOptions>& listeners,
                                                                       const ProxySettings& settings) const;
  void use_listeners(ListenerChange& change);
  // Clients are accepted from now on (ProxyOptions::waits_to_accept).
  void begin_accepting();
  // Another process accepts clients at all listeners from now on, by copies of their sockets: nothing that waits there
  // is reset. What has been accepted is served as before.
  void leave_listeners();
  // From the next handshake on: what clients meet on the listeners that had `before`, and how the nodes that are spoken
  // to over TLS are. Connections that are in use go on; idle ones to the nodes are closed.
  void renew_client_tls(const std::shared_ptr<net::TlsContext>& before, const std::shared_ptr<net::TlsContext>& tls);
  [[nodiscard]] Result<void> set_node_tls(const std::shared_ptr<net::TlsContext>& tls);
  // Calls back on the control thread when all workers have carried out what they were told so far.
  void when_all_have_it(std::function<void()> on_done);
  // Goes on accepting and serving, but lets its sessions end: answers of http and redirect listeners close their
  // connections, and http clients that have nothing to ask are sent away. `on_idle` is called once, on the control
  // thread, when no worker has a tcp or http session or owes a redirect any more; another call can replace it.
  void shut_down(std::function<void()> on_idle);

  [[nodiscard]] ProxyCounts counts() const;
  [[nodiscard]] LiveTraffic live(NodeId node) const;  // nothing of a node that has been removed
  // The real addresses of the listeners that are open, ports included, in the order of the options.
  [[nodiscard]] const std::vector<net::Address>& addresses() const;

 private:
  struct Impl;
  struct Private {};

 public:
  Proxy(Private, std::unique_ptr<Impl> impl);  // by start() only

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::proxy
