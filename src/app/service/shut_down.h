#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::app {

// The end of this process, from the order to end on: sessions finish, and then the loop is stopped. Owned by Service;
// on the control thread alone.
class ShutDown {
 public:
  struct Times {
    Duration at_least;  // the process serves for that long, whether or not anybody is connected
    Duration at_most;   // what still runs then is cut
  };

  explicit ShutDown(net::Loop& control);
  ShutDown(const ShutDown&) = delete;
  ShutDown& operator=(const ShutDown&) = delete;

  [[nodiscard]] bool has_begun() const { return has_begun_; }
  // REQUIRES: called once, and `proxies`, one at least, outlive the loop's run.
  void begin(std::vector<proxy::Proxy*> proxies, Times times);
  void end_now(std::string_view why);

 private:
  void end_when_idle();
  void end_late();
  struct Clients {
    std::uint64_t sessions = 0, held = 0;
  };
  [[nodiscard]] Clients clients() const;

  net::Loop& control_;
  bool has_begun_ = false;
  std::vector<proxy::Proxy*> proxies_;
  net::Timer delay_timer_;
  net::Timer hard_stop_timer_;
};

}  // namespace bellwether::app
