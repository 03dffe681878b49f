#pragma once

#include <memory>
#include <string>

#include "bellwether/base/result.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/sim/cluster.h"
#include "bellwether/wire/server.h"

namespace bellwether::app {

// The HTTP control of a simulated cluster, for people with curl and for tests in other languages:
//   POST /node/N/FAULT[?for=DURATION]   N is 1, 2, ..., n1, n2, ... or "leader"; slow wants its delay in `for`
//   GET  /nodes                         who leads, and how each node is
//   GET  /writes[/KEY]                  how many KV writes were executed, in all or on one key
// Owned by a command, on the cluster's loop. No authentication: it is for loopback.
class FaultApi {
 public:
  FaultApi(net::Loop& loop, sim::Cluster& cluster, net::Socket listening);

  [[nodiscard]] std::string url() const;

 private:
  [[nodiscard]] http::Response answer(const wire::ServerRequest& request);
  [[nodiscard]] http::Response inject(std::string_view node, std::string_view fault, std::string_view duration);
  [[nodiscard]] http::Response nodes() const;

  sim::Cluster& cluster_;
  wire::Server server_;
  net::Listener listener_;
};

}  // namespace bellwether::app
