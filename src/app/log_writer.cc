#include "log_writer.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "bellwether/net/process.h"

namespace bellwether::app::log {

struct LogWriter::Shared {
  Shared(int f, std::function<std::string(std::uint64_t)> n) : fd(f), notice(std::move(n)) {}

  // Blocks until there are lines to write. False: the end, and nothing is left.
  bool take(std::deque<std::string>& into) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !lines.empty() || is_ending; });
    into.swap(lines);
    bytes = 0;
    return !into.empty();
  }

  void run() {
    std::deque<std::string> batch;
    while (take(batch)) {
      write(batch);
      batch.clear();
    }
    const std::lock_guard lock(mutex);
    has_ended = true;
    changed.notify_all();
  }

  void write(const std::deque<std::string>& batch) {
    const std::uint64_t lost = dropped.load() - told;
    std::string text = lost > 0 ? notice(lost) : std::string();
    told += lost;
    for (const std::string& line : batch) text += line;
    if (!net::write_all(fd, text)) dropped += batch.size();
  }

  const int fd;
  const std::function<std::string(std::uint64_t)> notice;
  std::atomic<std::uint64_t> dropped{0};
  std::uint64_t told = 0;  // of `dropped`; the writer's thread alone
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;  // these four guarded by `mutex`
  std::size_t bytes = 0;
  bool is_ending = false;
  bool has_ended = false;
};

LogWriter::LogWriter(int fd, std::function<std::string(std::uint64_t)> notice)
    : shared_(std::make_shared<Shared>(fd, std::move(notice))), thread_([shared = shared_] { shared->run(); }) {}

LogWriter::~LogWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->is_ending = true;
  shared_->changed.notify_all();
  const bool is_written = shared_->changed.wait_for(lock, kFlushPatience, [this] { return shared_->has_ended; });
  lock.unlock();
  if (is_written) {
    thread_.join();
  } else {
    thread_.detach();  // stuck in a write to a reader that does not read; it ends with the process
  }
}

void LogWriter::add(std::string line) {
  const std::lock_guard lock(shared_->mutex);
  shared_->bytes += line.size();
  shared_->lines.push_back(std::move(line));
  while (shared_->lines.size() > kMaxLines || shared_->bytes > kMaxBytes) {
    shared_->bytes -= shared_->lines.front().size();
    shared_->lines.pop_front();
    ++shared_->dropped;
  }
  if (shared_->lines.size() == 1) shared_->changed.notify_all();
}

std::uint64_t LogWriter::dropped_lines() const { return shared_->dropped; }

}  // namespace bellwether::app::log
