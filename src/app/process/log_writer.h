#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace bellwether::app::log {

// Writes lines to a file descriptor from a thread of its own. A reader that stalls costs lines (the oldest that are not
// written yet, counted), never the time of a caller, and the end waits for it for kFlushPatience at most.
class LogWriter {
 public:
  static constexpr std::size_t kMaxLines = 1024;
  static constexpr std::size_t kMaxBytes = 1024 * 1024;
  static constexpr std::chrono::milliseconds kFlushPatience{500};

  // Makes the line that tells how many lines were lost since the last such line that was written, and by which error of
  // write(2) (errno; 0: the reader was too slow). Called on the writer's thread.
  using Notice = std::function<std::string(std::uint64_t dropped, int error)>;

  // The descriptor stays the caller's and must stay open.
  LogWriter(int fd, Notice notice);
  // Writes what is queued, as far as the reader takes it in kFlushPatience. What it does not take is lost.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A whole line, with its end. Any thread; never waits for the reader.
  void add(std::string line);
  [[nodiscard]] std::uint64_t dropped_lines() const;

 private:
  struct Shared;
  // Held by the thread too: if the reader is stuck when all ends, the thread outlives this object.
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace bellwether::app::log
