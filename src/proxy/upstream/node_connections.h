#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/ids.h"
#include "bellwether/base/node_table.h"
#include "bellwether/base/time.h"
#include "bellwether/net/tls.h"
#include "bellwether/proxy/proxy.h"
#include "upstream.h"
#include "upstream_pool.h"

namespace bellwether::proxy {

class WorkerCore;

// A worker's connections to nodes: opened, kept for the next request, and opened ahead while somebody waits for a
// leader. Knows by which URLs a node may be named in a redirect. Used on the worker's thread only.
class NodeConnections {
 public:
  // `on_idle`: a connection has become idle, or one that was opened ahead has failed. Called from within callbacks:
  // only note it, and act later.
  NodeConnections(WorkerCore& worker, std::shared_ptr<net::TlsContext> node_tls, std::function<void()> on_idle);

  void on_nodes();  // the worker has others than before, or something has changed of them
  void on_address(NodeId node);
  void on_view();
  // The worker's settings were `before`.
  void on_settings(const ProxySettings& before);
  void set_node_tls(const std::shared_ptr<net::TlsContext>& tls);

  // A connection that was quiet a moment ago, lent to `user`; null if there is none, or if they are not shared.
  [[nodiscard]] std::unique_ptr<Upstream> take(NodeId node, UpstreamUser& user);
  // A new connection, opening; null if there is no way to. `user` is null if it is for nobody yet.
  [[nodiscard]] std::unique_ptr<Upstream> open(NodeId node, std::string preamble, UpstreamUser* user);
  // For the next request. Ended instead if the node has lost its standing, or connections are not shared.
  void give_back(std::unique_ptr<Upstream> upstream);
  void discard(std::unique_ptr<Upstream> upstream) { pool_.discard(std::move(upstream)); }
  // While requests wait for a leader: connections to those that may be the next, so that the first need no handshake.
  void warm_up();
  [[nodiscard]] bool has_idle(NodeId node) const { return pool_.has_idle(node); }
  [[nodiscard]] std::size_t idle_count() const { return pool_.idle_count(); }
  void close_old(TimePoint now) { pool_.close_old(now); }

  // What a node may call itself, in a redirect.
  [[nodiscard]] std::span<const std::string_view> urls(NodeId node) const;

 private:
  struct Node {
    std::vector<std::string> urls;            // its public one, if it has any, and that of its address
    std::vector<std::string_view> url_views;  // of `urls`
    std::string server_name;
    std::optional<TimePoint> warmed;  // when connections were last opened for nobody
  };

  // A PROXY header speaks for one client only.
  [[nodiscard]] std::string preamble_now(std::string preamble) const;
  [[nodiscard]] bool are_shared() const;
  [[nodiscard]] bool may_take_over(NodeId node) const;
  void on_warm(NodeId node, bool is_open);
  void set_urls(NodeId node);

  WorkerCore& worker_;
  NodeTable<Node> nodes_;
  std::shared_ptr<net::TlsContext> node_tls_;  // for the nodes that are spoken to over TLS
  UpstreamPool pool_;
  std::function<void()> on_idle_;
  std::optional<NodeId> last_leader_;
};

}  // namespace bellwether::proxy
