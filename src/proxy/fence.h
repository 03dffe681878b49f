#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bellwether/cluster/view.h"

namespace bellwether::proxy {

// Decides when a view may reach the workers, so that no worker uses epoch n + 1 before all have stopped sending under
// n. For a new epoch all are kept from sending (SendGate), which needs no answer of theirs; only who is writing to a
// node at that moment is waited for. A worker that is stuck elsewhere keeps nobody waiting, and obeys when it wakes.
// Pure; owned by the control side.
class Fence {
 public:
  enum class Order : std::uint8_t {
    kNothing,
    kClose,  // close the gate for round() and tell on_closed who was sending
    kSend,   // give every worker view() and round()
  };

  [[nodiscard]] Order on_publish(cluster::ViewPtr view);
  // `sending`: workers that were in the middle of a write when the gate was closed.
  [[nodiscard]] Order on_closed(std::vector<std::size_t> sending);
  // A worker has left such a write.
  [[nodiscard]] Order on_left(std::size_t worker, std::uint64_t round);

  [[nodiscard]] std::uint64_t round() const { return round_; }
  // What the workers were given last. Null before the first.
  [[nodiscard]] const cluster::ViewPtr& view() const { return sent_; }

 private:
  [[nodiscard]] Order send_if_clear();

  std::vector<std::size_t> sending_;  // of this round
  std::uint64_t round_ = 0;
  cluster::ViewPtr sent_;
  cluster::ViewPtr waiting_;  // until nobody sends under the old epoch; the newest wins
};

}  // namespace bellwether::proxy
