#include "log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "journal.h"
#include "log_line.h"
#include "log_writer.h"

namespace bellwether::app::log {
namespace {

std::string dropped_notice(config::LogFormat format, std::uint64_t dropped, int error);

struct Running {
  Running(Level l, config::LogFormat f)
      : format(std::make_shared<std::atomic<config::LogFormat>>(f)),
        least(l),
        writer(STDERR_FILENO, [shared = format](std::uint64_t dropped, int error) {
          return dropped_notice(*shared, dropped, error);
        }) {}

  std::shared_ptr<std::atomic<config::LogFormat>> format;  // the writer's thread may outlive this object
  std::atomic<Level> least;
  LogWriter writer;
};

// Set by start() before other threads run and taken back by stop() after they have ended.
std::unique_ptr<Running>& running() {
  static std::unique_ptr<Running> instance;
  return instance;
}

Level level_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels = {
      {{"debug", Level::kDebug}, {"info", Level::kInfo}, {"warn", Level::kWarn}, {"error", Level::kError}}};
  const auto* found =
      std::find_if(kLevels.begin(), kLevels.end(), [text](const auto& level) { return level.first == text; });
  return found == kLevels.end() ? Level::kInfo : found->second;
}

std::string whole_line(config::LogFormat format, Level level, std::string_view event, Fields fields,
                       std::string_view cluster = {}) {
  const WallTime now = std::chrono::system_clock::now();
  std::string line(line_prefix(level));
  if (format == config::LogFormat::kJson) {
    line += json_line(now, level, event, fields, cluster);
  } else {
    line += text_line(writes_to_journal() ? std::nullopt : std::optional(now), level, event, fields, cluster);
  }
  line += '\n';
  return line;
}

std::string dropped_notice(config::LogFormat format, std::uint64_t dropped, int error) {
  const std::string why =
      error == 0 ? "the reader of standard error was too slow, or did not read at all"
                 : fmt::format("standard error could not be written: {}", std::generic_category().message(error));
  return whole_line(format, Level::kWarn, "log_lines_dropped",
                    {{"lines", static_cast<std::int64_t>(dropped)}, {"why", why}});
}

void write(Level level, std::string_view event, Fields fields, std::string_view cluster = {}) {
  const std::unique_ptr<Running>& log = running();
  if (log && level >= log->least) log->writer.add(whole_line(*log->format, level, event, fields, cluster));
}

}  // namespace

Result<void> start(std::string_view level, config::LogFormat format) {
  try {
    running() = std::make_unique<Running>(level_from(level), format);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, fmt::format("starting the log: {}", error.what()));
  }
  return {};
}

void stop() { running().reset(); }

void set_level(std::string_view level) {
  if (running()) running()->least = level_from(level);
}

void set_format(config::LogFormat format) {
  if (running()) *running()->format = format;
}

bool writes_debug() { return running() && running()->least == Level::kDebug; }

std::uint64_t dropped_lines() { return running() ? running()->writer.dropped_lines() : 0; }

void debug(std::string_view event, Fields fields) { write(Level::kDebug, event, fields); }
void info(std::string_view event, Fields fields) { write(Level::kInfo, event, fields); }
void warn(std::string_view event, Fields fields) { write(Level::kWarn, event, fields); }
void error(std::string_view event, Fields fields) { write(Level::kError, event, fields); }

void ClusterLog::info(std::string_view event, Fields fields) const { write(Level::kInfo, event, fields, cluster_); }
void ClusterLog::warn(std::string_view event, Fields fields) const { write(Level::kWarn, event, fields, cluster_); }
void ClusterLog::error(std::string_view event, Fields fields) const { write(Level::kError, event, fields, cluster_); }

}  // namespace bellwether::app::log
