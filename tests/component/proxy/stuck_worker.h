#pragma once

#include <memory>

#include "catch.hpp"
#include "component/proxy/harness.h"
#include "support/gate.h"

namespace bellwether::proxy {

// The worker that is the first to end a session stands still there, until release(): what comes meanwhile it finds all
// at once. Made before rig.start().
class StuckWorker {
 public:
  explicit StuckWorker(Rig& rig) : rig_(rig) {
    rig.options.log_sessions = true;
    rig.on_session_end_in_worker = [gate = gate_] { gate->pass(); };
  }
  ~StuckWorker() { release(); }
  StuckWorker(const StuckWorker&) = delete;
  StuckWorker& operator=(const StuckWorker&) = delete;

  [[nodiscard]] bool until_stuck() {
    return rig_.until([this] { return gate_->arrived() > 0; });
  }
  // By a client that comes and leaves.
  void make_stuck() {
    const auto sessions = rig_.proxy->counts().sessions_now;
    const auto leaves = rig_.client();
    REQUIRE(rig_.until([&] { return rig_.proxy->counts().sessions_now == sessions + 1; }));
    leaves->close();
    REQUIRE(until_stuck());
  }
  void release() { gate_->set_shut(false); }

 private:
  Rig& rig_;
  std::shared_ptr<bellwether::testing::Gate> gate_ = std::make_shared<bellwether::testing::Gate>(true);
};

}  // namespace bellwether::proxy
