#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/process/log_level.h"
#include "bellwether/admin/admin.h"
#include "bellwether/base/result.h"
#include "bellwether/net/loop.h"

namespace bellwether::app {

// Gives the log of a running service its level: the configured one, or the one that an operator has ordered, which the
// keeper takes back when its time is over. Each change is an event of the log. Owned by the service. Control thread.
class LogLevelKeeper {
 public:
  // `configured`: the level that the log has been started with.
  LogLevelKeeper(net::Loop& loop, std::string configured);
  LogLevelKeeper(const LogLevelKeeper&) = delete;
  LogLevelKeeper& operator=(const LogLevelKeeper&) = delete;

  // See LogLevel::order(). Without `lasts` the level stays until the next order.
  [[nodiscard]] Result<void> order(std::string_view level, std::optional<Duration> lasts);
  // A reload has taken over this level.
  void configure(const std::string& level);
  [[nodiscard]] admin::LogLevelState state() const;

 private:
  void on_time_over();
  // Sets what level_ says now, and logs the change from `before` with its reason.
  void use(const std::string& before, std::string_view why);

  net::Loop& loop_;
  LogLevel level_;
  net::Timer timer_;  // armed while an order with an end is in force
};

}  // namespace bellwether::app
