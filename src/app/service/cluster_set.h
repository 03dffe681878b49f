#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bellwether/admin/admin.h"
#include "bellwether/base/result.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/resolver.h"
#include "bellwether/proxy/proxy.h"
#include "cluster_service.h"

namespace bellwether::app {

// The clusters of this process, and how others take their place when the configuration changes: in all of them or in
// none. A cluster that is removed accepts nobody from then on, and serves whom it has until they have ended, or until
// their times (drain_deadline, hold_timeout_http) are over. Control thread.
class ClusterSet {
 public:
  using ClusterPtr = std::unique_ptr<ClusterService>;
  using MakeSurroundings = std::function<ClusterSurroundings(const std::string& cluster)>;

  // A change, made ready.
  struct Change;
  using ChangePtr = std::shared_ptr<Change>;
  // Called once; `problems`: why it cannot be used, all of them.
  using OnPrepared = std::function<void(const std::vector<std::string>& problems, const ChangePtr& change)>;

  ClusterSet(net::Loop& loop, net::Resolver& resolver, MakeSurroundings make_surroundings);
  ~ClusterSet();
  ClusterSet(const ClusterSet&) = delete;
  ClusterSet& operator=(const ClusterSet&) = delete;

  // The first ones, up to ClusterService::finish_open(). Turns the loop while it waits for names and files.
  [[nodiscard]] Result<void> open(const config::Config& config);
  // In the order of the configuration, one at least. Not those that leave.
  [[nodiscard]] const std::vector<ClusterPtr>& all() const { return clusters_; }
  [[nodiscard]] bool has(const std::string& name) const { return find(name) != nullptr; }
  // Of those that leave, too.
  [[nodiscard]] std::vector<proxy::Proxy*> proxies() const;
  // The process ends: those that leave stay until this is destroyed.
  void keep_all() { keeps_all_ = true; }
  // What each says, after its name if it has one: "east: n1,n2; west: n1".
  [[nodiscard]] std::string text_of_each(const std::function<std::string(const ClusterService&)>& text) const;
  // All workers of all clusters have carried out what was ordered before.
  void when_all_workers_turned(const std::function<void()>& on_turned) const;

  // REQUIRES: the change before was used or dropped.
  void prepare(const config::Config& wanted, OnPrepared on_prepared);
  // What it changes, in words.
  [[nodiscard]] static const admin::ReloadReport& report_of(const Change& change);
  // The last step that may fail, see ClusterService::bind().
  [[nodiscard]] Result<void> bind(Change& change);
  // `on_done`: all have it. REQUIRES: bound.
  void use(const ChangePtr& change, std::function<void()> on_done);

 private:
  struct Leaving;

  [[nodiscard]] ClusterService* find(const std::string& name) const;
  void one_is_prepared();
  void prepare_new(const config::Config& wanted);
  void prepare_kept(ClusterService& cluster, const config::Config& wanted);
  [[nodiscard]] Result<void> lend_moving_sockets(const config::Config& wanted) const;
  [[nodiscard]] Result<void> bind_all(Change& change);
  void put_in_order(Change& change);
  void let_go(ClusterPtr cluster);
  void forget(ClusterService* gone);
  void erase_leaving(const ClusterService* gone);

  net::Loop& loop_;
  net::Resolver& resolver_;
  const MakeSurroundings make_surroundings_;
  std::vector<ClusterPtr> clusters_;
  std::vector<std::unique_ptr<Leaving>> leaving_;
  ChangePtr preparing_;  // until it is told that it is prepared
  bool keeps_all_ = false;
  std::shared_ptr<ClusterSet*> alive_;  // workers may answer when we are gone
};

}  // namespace bellwether::app
