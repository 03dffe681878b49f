#include "log.h"

#include <fmt/format.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <exception>
#include <memory>

#include "log_line.h"

namespace bellwether::app::log {
namespace {

// 8192 entries would cost some 3 MB of memory.
constexpr std::size_t kQueueLines = 1024;

struct Running {
  config::LogFormat format;
  std::shared_ptr<spdlog::async_logger> logger;
  // Destroyed first: writes what is queued and ends its thread, which uses the logger until then.
  std::shared_ptr<spdlog::details::thread_pool> pool;
};

// Set by start() before other threads run and taken back by stop() after they have ended.
std::unique_ptr<Running>& running() {
  static std::unique_ptr<Running> instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void write(Level level, std::string_view event, Fields fields) {
  const std::unique_ptr<Running>& log = running();
  if (!log || !log->logger->should_log(spdlog_level(level))) return;
  const WallTime now = std::chrono::system_clock::now();
  const std::string line = log->format == config::LogFormat::kJson ? json_line(now, level, event, fields)
                                                                   : text_line(now, level, event, fields);
  log->logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

Result<void> start(std::string_view level, config::LogFormat format) {
  try {
    auto started = std::make_unique<Running>();
    started->format = format;
    started->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    started->logger =
        std::make_shared<spdlog::async_logger>("bellwether", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                               started->pool, spdlog::async_overflow_policy::overrun_oldest);
    // Lines come complete, with time and level.
    started->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    started->logger->set_level(spdlog::level::from_str(std::string(level)));
    started->logger->flush_on(spdlog::level::warn);
    running() = std::move(started);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, fmt::format("starting the log: {}", error.what()));
  }
  return {};
}

void stop() { running().reset(); }  // the pool writes what is queued before its thread ends

std::uint64_t dropped_lines() { return running() ? running()->pool->overrun_counter() : 0; }

void debug(std::string_view event, Fields fields) { write(Level::kDebug, event, fields); }
void info(std::string_view event, Fields fields) { write(Level::kInfo, event, fields); }
void warn(std::string_view event, Fields fields) { write(Level::kWarn, event, fields); }
void error(std::string_view event, Fields fields) { write(Level::kError, event, fields); }

}  // namespace bellwether::app::log
