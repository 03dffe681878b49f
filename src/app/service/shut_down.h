#pragma once

#include <string_view>

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

  [[nodiscard]] bool has_begun() const { return proxy_ != nullptr; }
  // REQUIRES: called once, and `proxy` outlives the loop's run.
  void begin(proxy::Proxy& proxy, Times times);
  void end_now(std::string_view why);

 private:
  void end_when_idle();
  void end_late();

  net::Loop& control_;
  proxy::Proxy* proxy_ = nullptr;
  net::Timer delay_timer_;
  net::Timer hard_stop_timer_;
};

}  // namespace bellwether::app
