#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bellwether/admin/access.h"
#include "bellwether/base/result.h"
#include "bellwether/cluster/failover.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"

namespace bellwether::admin {

struct AdminOptions {
  std::string version;
  TimePoint started{};
  AccessOptions access{};
  bool waits_to_accept = false;  // nobody is accepted before begin_accepting()
};

// What the page counts, in its order: "sessions_now", 12.
using Counters = std::vector<std::pair<std::string, std::uint64_t>>;

// A request of which nobody knows whether it was executed. Neither its path nor anything of its client is kept.
struct AmbiguousRequest {
  WallTime at{};
  std::string id;  // as its client was told, and as the log has it
  std::string method;
  std::string request_class;
  std::string node;  // empty: none
  Epoch epoch = 0;
  int status = 0;  // 0: the client was told nothing
  std::string why;
};

// What a reload of the configuration came to.
struct ReloadReport {
  std::vector<std::string> problems{};       // with their places; if there are any, nothing was changed
  std::vector<std::string> changes{};        // in words; empty: there were none
  std::vector<std::string> needs_restart{};  // what the configuration says and only a restart changes
  std::vector<std::string> hints{};          // legal, but probably not what was meant
};

// A text in place of the configuration file.
struct ConfigText {
  std::string name;  // as problems name it
  std::string text;
};
inline constexpr std::size_t kMaxConfigText = 1024 * 1024;  // bytes

// The configuration in force.
struct ConfigState {
  WallTime read{};  // when it was
  ReloadReport last_reload;
};

// A name of nodes, as it was asked for last.
struct NameState {
  std::string host;
  std::optional<WallTime> answered{};  // when it was answered last
  std::string problem{};               // why it was not the last time; empty: it was
};

// The least important level that is logged.
struct LogLevelState {
  std::string present{};
  std::string configured{};
  std::optional<TimePoint> until{};  // from then on `configured`; none: until the next order
};

// What one cluster is asked for. All on the control thread.
struct ClusterSources {
  std::string name{};  // empty: the process has one cluster, without a name
  std::function<cluster::ViewPtr()> view{};
  using OnDone = std::function<void(Result<void>)>;
  std::function<void(NodeId, cluster::AdminState, bool force, OnDone on_done)> set_admin_state{};
  std::function<Result<void>()> repin{};
  std::function<void(Duration at_most)> pause{};
  std::function<void()> resume{};
  std::function<std::vector<NameState>()> names{};
  std::function<std::vector<std::string>()> listeners{};  // for the page: "127.0.0.1:8200 tcp"
  std::function<Counters()> counters{};
  std::function<std::vector<cluster::Failover>()> failovers{};  // the newest first
  std::function<std::vector<AmbiguousRequest>()> ambiguous{};   // likewise
};
using Clusters = std::vector<std::shared_ptr<const ClusterSources>>;

// What the admin side asks its owner for. All on the control thread.
struct AdminSources {
  // In the order of the configuration; at least one, with names that differ. It is asked anew for each copy of the
  // state and each order, as a reload adds and removes clusters.
  std::function<Clusters()> clusters;
  // Copies what a scrape of all clusters is made of. What it returns renders the text (text/plain; version=0.0.4) on
  // any thread, as long as the Admin lives.
  std::function<std::function<std::string()>()> metrics;
  std::function<bool()> draining;
  std::function<void(std::function<void(const ReloadReport&)> on_done)> reload;
  // What a reload would change: of the configuration file, or of `text` in its place. Nothing is changed.
  std::function<void(std::optional<ConfigText> text, std::function<void(const ReloadReport&)> on_done)> try_reload;
  // Starts a program in place of this process; empty: the one that it was started from. The other's process id.
  std::function<void(std::string program, std::function<void(const Result<pid_t>&)> on_done)> upgrade;
  std::function<ConfigState()> config;
  // kInvalid: there is no such level. Without `lasts` it stays until the next order.
  std::function<Result<void>(std::string_view level, std::optional<Duration> lasts)> order_log_level;
  std::function<LogLevelState()> log_level;
  // Connections were ended for others; told ten times a second at most. May be empty.
  std::function<void(std::uint64_t ended)> on_room_made;
  std::function<WallClock()> wall_clock;  // its copies give one moment always the same time
};

// /metrics, /healthz, /readyz, /leader, /status, /failovers, /ambiguous and the page on the admin address; POST
// /node/NAME/STATE, /pause[?for=60s], /resume, /repin, /reload, /check[?name=FILE] and
// /log-level[?level=debug&for=10m] on the control socket as well. Reads only on the first; what changes something
// exists only on the second. /clusters/NAME/REST is REST asked of the cluster NAME, for all that concerns a cluster.
// Where there are several clusters, /status, /failovers and /ambiguous without that prefix tell of all of them, the
// page is that of the first one, /leader and orders are refused (400), and /readyz is 200 if any cluster is ready:
// clusters fail independently, and an outage of one must not take away the clients of the others. /clusters/NAME/readyz
// tells of one alone. Created, fed and destroyed on the control thread. Connections are served on a thread of its own,
// from copies of the state that the control thread makes at most every 5 ms, however many requests there are.
class Admin {
 public:
  Admin(net::Loop& loop, AdminOptions options, AdminSources sources);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  [[nodiscard]] Result<net::Address> listen(const net::Address& address);       // read-only endpoints
  [[nodiscard]] Result<void> listen_control(const net::Address& unix_address);  // with those that change something
  // From the next request on: AccessOptions::hosts.
  void set_hosts(std::vector<std::string> hosts);
  void begin_accepting();
  // Another process accepts at both addresses from now on. `on_left`, on the control thread: what was answered before
  // is on its way.
  void leave(std::function<void()> on_left);
  // Told on the control thread once the admin thread has carried out all that was ordered before; at once where there
  // is none.
  void when_it_turned(std::function<void()> on_turned);
  // Keeps the last 100 changes of leader of each cluster for /status and the page, as long as the cluster is one of
  // AdminSources::clusters. `cluster`: its name.
  void record(std::string_view cluster, const std::vector<cluster::Event>& events);

  // Connections that were ended so far because there were too many, and others came.
  [[nodiscard]] std::uint64_t made_room() const;

  // File descriptors that both addresses can take at a time.
  [[nodiscard]] static std::size_t max_descriptors();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::admin
