#include "log_writer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "bellwether/net/process.h"

namespace bellwether::app::log {

struct LogWriter::Shared {
  Shared(int f, Notice n) : fd(f), notice(std::move(n)) {}

  // Blocks until there are lines to write. False: the end, and nothing is left.
  bool take(std::deque<std::string>& into) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !lines.empty() || is_ending; });
    into.swap(lines);
    bytes = 0;
    return !into.empty();
  }

  void run() {
    net::name_thread("log");
    std::deque<std::string> batch;
    while (take(batch)) {
      write(batch);
      batch.clear();
    }
    if (dropped.load() > told) write({});
    const std::lock_guard lock(mutex);
    has_ended = true;
    changed.notify_all();
  }

  void write(const std::deque<std::string>& batch) {
    const std::uint64_t lost = dropped.load() - told;
    std::string text(breaks_line ? "\n" : "");
    if (lost > 0) text += notice(lost, error);
    const std::size_t before = text.size();
    for (const std::string& line : batch) text += line;
    const net::Written written = net::write_all(fd, text);
    if (written.bytes > 0) breaks_line = text[written.bytes - 1] != '\n';
    if (written.bytes >= before && lost > 0) {
      told += lost;
      error = 0;
    }
    if (written.error == 0) return;
    error = written.error;
    dropped += lines_after(batch, written.bytes - std::min(written.bytes, before));
  }

  // How many lines of `batch` are not whole within its first `bytes`.
  static std::size_t lines_after(const std::deque<std::string>& batch, std::size_t bytes) {
    std::size_t whole = 0;
    for (const std::string& line : batch) {
      if (line.size() > bytes) break;
      bytes -= line.size();
      ++whole;
    }
    return batch.size() - whole;
  }

  const int fd;
  const Notice notice;
  std::atomic<std::uint64_t> dropped{0};
  // The writer's thread alone, as the two below.
  std::uint64_t told = 0;    // of `dropped`
  bool breaks_line = false;  // what was written ends within a line
  int error = 0;             // of the last write that failed since the last notice; 0: lines were dropped unwritten
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;  // these four guarded by `mutex`
  std::size_t bytes = 0;
  bool is_ending = false;
  bool has_ended = false;
};

LogWriter::LogWriter(int fd, Notice notice)
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
