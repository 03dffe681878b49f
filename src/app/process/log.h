#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "bellwether/base/result.h"
#include "bellwether/config/config.h"

namespace bellwether::app::log {

// One log to standard error, written by a thread of its own (LogWriter): a reader that stalls costs lines (counted),
// never a loop's time, and not the end of the process.
// Text: 2026-11-21T03:42:00.123Z INFO  leader_changed node=n2 epoch=4 dur_ms=531 | JSON: one object per line.
// The event name is stable; fields are few and never hold tokens, paths of requests or client addresses by default.
[[nodiscard]] Result<void> start(std::string_view level, config::LogFormat format);
void stop();  // writes what is queued, as far as the reader takes it within half a second
[[nodiscard]] std::uint64_t dropped_lines();

// From the next line on, of any thread. The level is one of the option log_level.
void set_level(std::string_view level);
void set_format(config::LogFormat format);
// Lines of level debug are written: then others may tell more too (a client's address). Any thread.
[[nodiscard]] bool writes_debug();

struct Field {
  std::string_view key;
  std::variant<std::string, std::int64_t, double, bool> value;
};
using Fields = std::initializer_list<Field>;

// Any thread.
void debug(std::string_view event, Fields fields);
void info(std::string_view event, Fields fields);
void warn(std::string_view event, Fields fields);
void error(std::string_view event, Fields fields);

// The lines about one cluster: where it has a name, each line says it as `cluster`. Any thread.
class ClusterLog {
 public:
  ClusterLog() = default;
  explicit ClusterLog(std::string cluster) : cluster_(std::move(cluster)) {}

  void info(std::string_view event, Fields fields) const;
  void warn(std::string_view event, Fields fields) const;
  void error(std::string_view event, Fields fields) const;

 private:
  std::string cluster_;
};

}  // namespace bellwether::app::log
