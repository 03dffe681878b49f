#include "room_log.h"

#include <fmt/format.h>

#include <string>

namespace bellwether::app {

void RoomLog::on_room_made(std::string_view listener, std::string_view limit, std::uint64_t ended, TimePoint now) {
  ended_ += ended;
  if (now < next_line_) return;
  next_line_ = now + kInterval;
  log_.warn("connections_made_room",
            {{"listener", std::string(listener)},
             {"ended", static_cast<std::int64_t>(ended_)},
             {"why", fmt::format("{} is reached; the connections that had waited for their clients for longest were "
                                 "ended for new ones",
                                 limit)}});
  ended_ = 0;
}

}  // namespace bellwether::app
