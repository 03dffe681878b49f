#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "app/process/log.h"
#include "bellwether/base/time.h"

namespace bellwether::app {

// Tells in the log that connections were ended to make room for others: one line at once, then one every kInterval with
// the sum. Control thread.
class RoomLog {
 public:
  static constexpr Duration kInterval = 10s;

  explicit RoomLog(log::ClusterLog log = {}) : log_(std::move(log)) {}

  // `limit`: what is used up, "maxconn 2000".
  void on_room_made(std::string_view listener, std::string_view limit, std::uint64_t ended, TimePoint now);

 private:
  log::ClusterLog log_;
  std::uint64_t ended_ = 0;  // since the last line
  TimePoint next_line_ = TimePoint::min();
};

}  // namespace bellwether::app
