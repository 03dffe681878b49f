#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/discovery/nodes.h"
#include "app/process/log.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/resolver.h"
#include "bellwether/probe/prober.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// The nodes of a running service: their ids, where their names lead, and what prober and proxy are told when one of
// them gets another address, or when there are others. Control thread.
class NodeSet {
 public:
  using ListenElsewhere = std::function<std::vector<config::Listen>()>;

  // `config` is that of the service, which outlives this. `elsewhere`: what this process listens to for other clusters.
  NodeSet(net::Loop& loop, net::Resolver& resolver, const config::Config& config, ListenElsewhere elsewhere,
          log::ClusterLog log);
  NodeSet(const NodeSet&) = delete;
  NodeSet& operator=(const NodeSet&) = delete;

  // The first nodes; `found`: what their names lead to.
  [[nodiscard]] Result<void> take_first(const std::vector<ResolvedName>& found);
  [[nodiscard]] const std::vector<NodePlan>& plans() const { return plans_; }
  [[nodiscard]] bool any_is_tls() const;
  // Of the configuration, from begin() on with the ports that were given.
  [[nodiscard]] const std::vector<config::Listen>& listeners() const {
    return listen_.empty() ? config_.listen : listen_;
  }
  [[nodiscard]] bool is_down(NodeId node) const;  // as it was seen last
  // The name of that node, which has no address or is down, leads there now.
  void on_answer(NodeId node, const std::vector<net::Address>& found) {
    if (keeper_) keeper_->on_answer(node, found);  // none while other nodes are being taken over
  }
  [[nodiscard]] std::string names() const;  // "n1,n2"

  // From now on these are told. They outlive this. To be called when the prober has been started.
  void begin(probe::Prober& prober, proxy::Proxy& proxy);

  // What the nodes become if `changed` is the configuration and `found` is where its names lead, those that have no
  // answer now keeping what they had; or why they cannot be used. Changes nothing: the ids of new nodes are taken when
  // the plans are used. `hints`: told of these.
  [[nodiscard]] Result<std::vector<NodePlan>> plan(const config::Config& changed, std::vector<ResolvedName> found,
                                                   std::vector<std::string>& hints) const;
  // These are the nodes from now on, beside the listeners of the configuration, and asked as `options` says. `on_done`:
  // the tracker has taken them over.
  void use(std::vector<NodePlan> plans, probe::ProberOptions options, std::function<void()> on_done);

 private:
  void note_listeners();
  [[nodiscard]] std::vector<config::Listen> with_elsewhere(std::vector<config::Listen> own) const;
  // `wanted` with the ports that were given to those among them that are open.
  [[nodiscard]] std::vector<config::Listen> real_listeners(std::vector<config::Listen> wanted) const;
  void keep_addresses();
  [[nodiscard]] bool may_have_moved(NodeId node) const;
  void tell_same_servers();
  void on_used(std::vector<NodePlan> plans);
  [[nodiscard]] bool on_address(NodeId node, const net::Address& address);
  [[nodiscard]] std::string name_of(NodeId node) const { return std::string(prober_->view()->name(node)); }

  net::Loop& loop_;
  net::Resolver& resolver_;
  const config::Config& config_;
  const ListenElsewhere elsewhere_;
  const log::ClusterLog log_;
  std::vector<NodePlan> plans_;
  NodeId unused_;                       // the next new node has this id
  std::vector<config::Listen> listen_;  // those of `config_` with the ports that were given, from begin() on
  probe::Prober* prober_ = nullptr;
  proxy::Proxy* proxy_ = nullptr;
  std::unique_ptr<AddressKeeper> keeper_;
};

}  // namespace bellwether::app
