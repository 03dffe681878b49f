#pragma once

#include <string>
#include <variant>

#include "bellwether/base/ids.h"
#include "bellwether/cluster/route.h"
#include "exchange.h"
#include "proxy/core/end_reason.h"
#include "proxy/core/init_guard.h"

namespace bellwether::proxy {

class WorkerCore;

// To whom a request goes: to the leader, to a node that answers for itself, or, while nobody leads, to a node in the
// role that a bootstrap request is for. Says what cluster::choose() means for a request; sends nothing itself.
class Destination {
 public:
  struct Node {
    NodeId id;
  };
  struct Wait {};
  // Nobody can take it, and to wait would not help.
  struct Nobody {
    std::string why;
    EndReason reason;
    int status = 503;
  };
  using Choice = std::variant<Node, Wait, Nobody>;

  Destination(WorkerCore& worker, Request& request) : worker_(worker), request_(request) {}
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  // For its next sending; sets Request::is_for_leader. A node for sys/init is claimed of the worker's InitGuard: it
  // must be sent to, or end_init() must follow. `others_wait`: requests for the leader that came before.
  [[nodiscard]] Choice choose_next(bool others_wait);
  // A held request has somewhere to go although nobody leads.
  [[nodiscard]] bool needs_no_leader() const;
  // Nobody leads, and the request is for a cluster in that state.
  [[nodiscard]] bool is_bootstrap_now() const;
  // What became of a sending that may have initialized a node. No-op unless it was one.
  void end_init(InitGuard::Outcome outcome);

 private:
  [[nodiscard]] cluster::RouteRequest wanted() const;
  [[nodiscard]] Choice follow(const cluster::Route& route, const cluster::RouteRequest& wanted, bool others_wait);
  [[nodiscard]] Choice bootstrap(const cluster::RouteRequest& wanted, bool others_wait);
  [[nodiscard]] Choice begin_init();

  WorkerCore& worker_;
  Request& request_;
};

}  // namespace bellwether::proxy
