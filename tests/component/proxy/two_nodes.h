#pragma once

#include <memory>
#include <string>

#include "catch.hpp"
#include "component/proxy/harness.h"

namespace bellwether::proxy {

// A proxy in tcp mode before two nodes that echo.
struct TwoNodes {
  explicit TwoNodes(RigTime time = RigTime::kManual)
      : rig(time), first(Backend::echo(*rig.loop)), second(Backend::echo(*rig.loop)) {
    n1 = rig.add_node(first->address());
    n2 = rig.add_node(second->address());
    rig.options.log_sessions = true;
  }
  // A session on n1, seen working.
  std::unique_ptr<Peer> session() {
    auto client = rig.client();
    client->send("1");
    REQUIRE(rig.until([&] { return client->received == "1"; }));
    return client;
  }
  // n2 leads under epoch 2, n1 has said that it is a standby.
  cluster::View moved() {
    cluster::View view = rig.view(2, n2);
    view.nodes[0].role = cluster::Role::kStandby;
    return view;
  }
  std::string end_of_first() {
    REQUIRE(rig.until([&] { return !rig.records.empty(); }));
    return rig.records.front().end;
  }

  Rig rig;
  std::unique_ptr<Backend> first, second;
  NodeId n1, n2;
};

}  // namespace bellwether::proxy
