#pragma once

#include <cstdint>

#include "bellwether/cluster/view.h"

namespace bellwether::proxy {

// Decides when a view may reach the workers, so that no worker uses epoch n + 1 before all have stopped sending under
// n. Pure; owned by the control side.
class Fence {
 public:
  enum class Order : std::uint8_t {
    kNothing,
    kHold,  // tell every worker to hold, quoting round(); each answers with on_ack once
    kSend,  // give every worker view()
  };

  explicit Fence(int workers) : workers_(workers) {}

  [[nodiscard]] Order on_publish(cluster::ViewPtr view);
  [[nodiscard]] Order on_ack(std::uint64_t round);

  [[nodiscard]] std::uint64_t round() const { return round_; }
  // What the workers were given last. Null before the first.
  [[nodiscard]] const cluster::ViewPtr& view() const { return sent_; }

 private:
  int workers_;
  int missing_ = 0;  // acks of this round
  std::uint64_t round_ = 0;
  cluster::ViewPtr sent_;
  cluster::ViewPtr waiting_;  // until all have acked; the newest wins
};

}  // namespace bellwether::proxy
