#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"

namespace bellwether::app {

// The values of the option log_level, the one that logs most first.
[[nodiscard]] std::vector<std::string_view> log_levels();

// Which level the log has: the configured one, unless an operator has ordered another one, for a time or without an
// end. A later order replaces an earlier one. Pure: it is given the time, and sets nothing.
class LogLevel {
 public:
  explicit LogLevel(std::string configured) : configured_(std::move(configured)) {}

  // An order to have `level` from `now` on. An order for the configured level ends the one before and is none itself.
  // kInvalid, naming the levels, if `level` is none.
  [[nodiscard]] Result<void> order(std::string_view level, std::optional<Duration> lasts, TimePoint now);
  // Another level is configured. An order stays, unless it is for that level.
  void configure(std::string level);
  // Ends an order whose time is over.
  void tick(TimePoint now);

  [[nodiscard]] const std::string& present() const { return order_ ? order_->level : configured_; }
  [[nodiscard]] const std::string& configured() const { return configured_; }
  // When the order in force ends; none: there is no order, or it has no end.
  [[nodiscard]] std::optional<TimePoint> until() const { return order_ ? order_->until : std::nullopt; }

 private:
  struct Order {
    std::string level;
    std::optional<TimePoint> until;
  };

  std::string configured_;
  std::optional<Order> order_;
};

}  // namespace bellwether::app
