#pragma once

#include <cstddef>
#include <functional>

#include "bellwether/net/loop.h"
#include "burst_watch.h"

namespace bellwether::app {

// Gives the memory of a burst of clients back to the system when it is over. Owned by the service; control thread. Its
// timer runs only while much is in use, and a little longer.
class MemoryKeeper {
 public:
  // `in_use`: about how many bytes connections and requests take at the moment.
  MemoryKeeper(net::Loop& loop, std::function<std::size_t()> in_use);

  void on_traffic();

 private:
  void look();

  std::function<std::size_t()> in_use_;
  BurstWatch watch_;
  int looks_ = 0;
  net::Timer timer_;
};

}  // namespace bellwether::app
