#pragma once

#include <cstddef>

namespace bellwether::app {

// Notices that a burst of clients is over, so that the memory that it took can be given back to the system once: the C
// library keeps what is freed between blocks that are still in use. Pure.
class BurstWatch {
 public:
  static constexpr std::size_t kWorthIt = 4 * 1024 * 1024;

  // To be called now and then with about how much connections and requests take at the moment. True if more than half
  // of what they took at most, and kWorthIt at least, has not been in use for two calls.
  [[nodiscard]] bool is_over(std::size_t in_use);
  // To be called more often: what is in use for less than the time between two calls of is_over() counts too.
  void note(std::size_t in_use);
  // Whether there is a reason to call again without further traffic.
  [[nodiscard]] bool is_due_again() const { return peak_ >= kWorthIt; }

 private:
  std::size_t peak_ = 0;
  bool was_low_ = false;
};

}  // namespace bellwether::app
