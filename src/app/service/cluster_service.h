#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/discovery/nodes.h"
#include "app/report/collect.h"
#include "app/report/handover.h"
#include "bellwether/admin/admin.h"
#include "bellwether/base/result.h"
#include "bellwether/cluster/tracker.h"
#include "bellwether/cluster/view.h"
#include "bellwether/config/config.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/resolver.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// What a cluster tells the process that serves it, and asks of it. On the control thread.
struct ClusterSurroundings {
  std::function<void()> on_view;  // view() is another one
  std::function<void(const std::vector<cluster::Event>&)> on_events;
  std::function<void()> on_traffic;  // clients come, or wait
  std::function<WallTime(TimePoint)> wall_at;
  // Runs `change`, which calls back when it is done, while nothing else changes the configuration. False: something
  // else does; `change` is not run.
  using Change = std::function<void(std::function<void()> on_done)>;
  std::function<bool(Change change)> run_alone;
  std::function<std::vector<config::Listen>()> listeners_elsewhere;  // of the process, for other clusters
};

// One Vault cluster of the process, wired together: its nodes and where their names lead, the prober that follows its
// leader, the proxy with its listeners and workers, the certificates of both, what is counted and told of it. Several
// clusters share the control loop and nothing else. Control thread.
class ClusterService {
 public:
  // A change of its configuration, made ready: all that may be wrong has been looked at, nothing has been changed.
  struct Next;
  using NextPtr = std::shared_ptr<Next>;
  using OnPrepared = std::function<void(const Result<NextPtr>&)>;

  // `config`: of this cluster alone. `loop`, `resolver` and what `surroundings` refer to outlive this.
  ClusterService(net::Loop& loop, net::Resolver& resolver, const config::Config& config,
                 ClusterSurroundings surroundings);
  ~ClusterService();
  ClusterService(const ClusterService&) = delete;
  ClusterService& operator=(const ClusterService&) = delete;

  // Asks for its names, for `patience` at most, and reads its files: `on_prepared` is told once, within the call or
  // later, unless this is destroyed before. Then finish_open() binds its listeners; nobody is accepted or probed before
  // begin(). After an error of either it can only be destroyed.
  void prepare_open(Duration patience, std::function<void(const Result<void>&)> on_prepared);
  [[nodiscard]] Result<void> finish_open();
  // All that follows is for an opened one.
  void say_listeners();  // in the log
  // It accepts and probes; to be called once. `before`: what the process knew of this cluster whose place this one
  // takes; null: nothing.
  void begin(const ClusterHandover* before);
  // What that process knew at its end. After begin().
  void take_over(const ClusterHandover& theirs);
  [[nodiscard]] ClusterHandover hand_over() const;
  // Another process has taken over: failovers are its to record.
  void stop_recording();

  // What `wanted` comes to, its names (asked for `patience` at most) and files read.
  // REQUIRES: the one before has called back, and was used or dropped.
  void prepare(const config::Config& wanted, Duration patience, OnPrepared on_prepared);
  [[nodiscard]] static const admin::ReloadReport& report_of(const Next& next);
  [[nodiscard]] static const config::Config& config_of(const Next& next);
  // The last step that may fail: binds listeners. Dropping `next` unbinds them.
  [[nodiscard]] Result<void> bind(Next& next);
  // `on_done`: prober and workers have it. REQUIRES: bound.
  void use(const NextPtr& next, std::function<void()> on_done);
  void reload_certificates();

  void on_stopped(Duration lasted);  // the control loop stood still for so long
  // It is removed: accepts nobody any more, and tells the process nothing but, once, that no client is left. After how
  // long all that it may still do for a client is done.
  [[nodiscard]] Duration leave(std::function<void()> on_idle);

  [[nodiscard]] proxy::Proxy& proxy();
  [[nodiscard]] const config::Config& config() const;
  // Its listeners, with the ports that were given.
  [[nodiscard]] const std::vector<config::Listen>& listeners() const;
  [[nodiscard]] const std::string& name() const { return config().cluster; }
  [[nodiscard]] const cluster::ViewPtr& view() const;
  // Whoever waits for an answer has one: somebody leads, or all nodes were asked and nobody does.
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] std::string node_names() const;  // "n1,n2"
  [[nodiscard]] ClusterScrape scrape();
  // What the admin side asks it for, as long as it lives.
  [[nodiscard]] std::shared_ptr<const admin::ClusterSources> sources() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::app
