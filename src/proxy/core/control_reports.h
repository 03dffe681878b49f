#pragma once

#include <cstdint>

#include "bellwether/base/ids.h"
#include "bellwether/base/time.h"
#include "bellwether/cluster/observation.h"
#include "bellwether/cluster/view.h"
#include "shared.h"

namespace bellwether::proxy {

// What a worker's traffic tells the control side: each thing once, or so seldom that it costs nothing. Used on the
// worker's thread only.
class ControlReports {
 public:
  explicit ControlReports(const ProxyCallbacks& callbacks) : callbacks_(callbacks) {}

  void hint(NodeId node, Epoch epoch, cluster::HintKind kind, TimePoint now);
  // The leader of that epoch has served a client.
  void note_success(Epoch epoch) {
    if (epoch > succeeded_epoch_) say_success(epoch);
  }
  // Somebody uses us: said to the tracker at once if it asks little because nobody does, else now and then. `view`:
  // null before the first.
  void note_traffic(const cluster::View* view, TimePoint now);

 private:
  void say_success(Epoch epoch);

  const ProxyCallbacks& callbacks_;
  TimePoint traffic_noted_{};
  Epoch succeeded_epoch_ = 0;
  std::uint64_t idle_serial_noted_ = 0;
  struct {
    NodeId node;
    Epoch epoch = 0;
    cluster::HintKind kind{};
    TimePoint at{};
  } last_hint_;
};

}  // namespace bellwether::proxy
