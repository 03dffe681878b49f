#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/cluster/tracker.h"
#include "bellwether/http/serialize.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/proxy_protocol.h"
#include "bellwether/net/stream.h"
#include "bellwether/vault/advice.h"

namespace bellwether::probe {

struct ProbeTarget {
  std::string name;
  std::optional<net::Address> address;   // absent until resolved: its probes fail as kUnreachable
  std::shared_ptr<net::TlsContext> tls;  // null: plain
  std::string server_name;               // SNI and verification
  std::string host_header;
  vault::NodeSetUp set_up{};  // for the words about a failure
  std::string unresolved{};   // why there is no address
};

struct ProberOptions {
  cluster::TrackerOptions tracker;
  std::vector<ProbeTarget> targets;  // in the order of tracker.topology
  Duration timeout_connect = 3s;
  Duration timeout_check = 3s;
  std::optional<net::Address> source;
  net::ProxyVersion send_proxy = net::ProxyVersion::kNone;
  std::vector<http::HeaderField> headers{};  // in every probe: what nodes demand of each request
};

// What the prober has counted, per node, since it was started. Control thread only.
struct ProbeCounts {
  std::uint64_t probes = 0;
  std::vector<std::uint64_t> failures;  // by cluster::ProbeFailure, then one more: answers that were not Vault's
  std::vector<std::uint64_t> duration_buckets;  // by kProbeBuckets, the last is +Inf
  double duration_sum_s = 0;
};
inline constexpr double kProbeBuckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};

// What live traffic shows of the leader, asked for when a probe of it may be late.
struct LiveTraffic {
  TimePoint answered_request{};  // see cluster::LiveAnswer
  int waiting = 0;               // see cluster::ExchangesWaiting
  bool any_completed = true;
};

// Asks the nodes and runs the tracker: moves bytes between wire and vault, carries out each Step, decides nothing.
// Control thread.
class Prober {
 public:
  using OnView = std::function<void(const cluster::ViewPtr&)>;  // a new view
  using OnEvents = std::function<void(const std::vector<cluster::Event>&)>;
  using OnClaim = std::function<void(const cluster::Claim&)>;  // the leader's newest, after its view

  Prober(net::Loop& loop, ProberOptions options, OnView on_view, OnEvents on_events);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  using OnArmed = std::function<void(TimePoint wake_at)>;  // the prober runs again by then
  using LookAtTraffic = std::function<LiveTraffic(NodeId leader)>;

  void set_on_claim(OnClaim on_claim);           // before start()
  void set_look_at_traffic(LookAtTraffic look);  // before start()
  void set_on_armed(OnArmed on_armed);           // before start()
  // `former`: what the process knew whose place this one takes.
  void start(const std::optional<cluster::FormerLead>& former = std::nullopt);
  // What it knew at its end.
  void on_former_lead(const cluster::FormerLead& former);
  [[nodiscard]] const cluster::ViewPtr& view() const;
  // The view with the newest answers and latencies, which are too frequent to be published. For pages and metrics.
  [[nodiscard]] cluster::ViewPtr snapshot() const;

  // From live traffic (posted here by the workers).
  void on_hint(const cluster::Hint& hint);
  void on_traffic();
  void on_claim_wanted(TimePoint since);
  // This thread or the machine stood still (net::Loop::set_on_stopped). What comes in is judged after that.
  void on_stopped(Duration lasted);

  // `on_done` is called when the tracker has accepted or refused it (kInvalid): at once, or later in this turn of the
  // loop if what the sockets brought must be judged first.
  using OnDone = std::function<void(Result<void>)>;
  void set_admin_state(NodeId node, cluster::AdminState state, bool force, OnDone on_done);
  void repin();
  // See cluster::Pause.
  void pause(Duration at_most);
  void resume();
  // Asks the node whom it follows; the tracker is told, and the next snapshot shows it.
  void ask_leader(NodeId node);
  // Why the node's name has no address; shown as the cause of its silence.
  void set_unresolved(NodeId node, const std::string& why);
  // See cluster::SameServer.
  void on_same_server(NodeId node, std::optional<NodeId> other, const std::string& why);
  // The node's name resolved anew: used from the next connection on.
  void set_address(NodeId node, const net::Address& address);
  // See cluster::Reconfigure. A node that stays is asked in the new way from the next connection on: one that idles is
  // closed if it is not as it would be opened now. `on_done` is called when the tracker has taken it over, as with
  // set_admin_state().
  void reconfigure(ProberOptions options, OnDone on_done);
  // How nodes that are spoken to over TLS are, from the next connection on; idle connections are closed.
  void set_tls(const std::shared_ptr<net::TlsContext>& tls);

  // REQUIRES: the view has the node
  [[nodiscard]] const ProbeCounts& counts(NodeId node) const;
  // The address in use, if the node's name has been resolved.
  [[nodiscard]] const std::optional<net::Address>& address(NodeId node) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::probe
