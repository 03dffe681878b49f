#include "app/process/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "catch.hpp"

using namespace bellwether::app::log;
using namespace std::chrono_literals;

namespace {

// A pipe whose reader reads only when it is told to.
class StuckReader {
 public:
  StuckReader() {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    REQUIRE(::pipe(ends_.data()) == 0);
    ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
  }
  ~StuckReader() {
    close_reading();
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  StuckReader(const StuckReader&) = delete;
  StuckReader& operator=(const StuckReader&) = delete;

  [[nodiscard]] int fd() const { return ends_[1]; }
  void close_reading() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  // For a writer whose thread was left behind, and may be writing still: the pipe's end is open as long as the
  // process.
  void leave_open_for_writing() { ends_[1] = -1; }
  // Reads until `text` has come; fails if nothing comes for 20 s.
  std::string read_until(const std::string& text) {
    std::string all;
    std::array<char, 4096> buffer{};
    while (all.find(text) == std::string::npos) {
      pollfd readable{ends_[0], POLLIN, 0};
      REQUIRE(::poll(&readable, 1, 20'000) == 1);
      const ssize_t got = ::read(ends_[0], buffer.data(), buffer.size());
      REQUIRE(got > 0);
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  std::array<int, 2> ends_{};
};

std::string notice(std::uint64_t dropped, int error) { return fmt::format("dropped {} {}\n", dropped, error); }

// What the notices in `text` say together.
std::uint64_t dropped_in(const std::string& text) {
  const std::string word = "dropped ";
  std::uint64_t sum = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    sum += std::stoull(text.substr(at + word.size()));
  }
  return sum;
}

}  // namespace

TEST_CASE("a reader of the log that does not read costs lines, never the caller's time nor the end", "[log]") {
  StuckReader reader;
  const auto began = std::chrono::steady_clock::now();
  {
    LogWriter writer(reader.fd(), notice);
    for (int i = 0; i < 10'000; ++i) writer.add(fmt::format("line {} {}\n", i, std::string(100, 'x')));
    CHECK(writer.dropped_lines() > 10'000 - 3 * LogWriter::kMaxLines);
    CHECK(writer.dropped_lines() < 10'000);
  }
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  reader.read_until("line ");  // lets the writer's thread go; it may have begun late, with any of them
  reader.close_reading();
  reader.leave_open_for_writing();
}

TEST_CASE("a reader that reads again gets the newest lines and the number of those lost", "[log]") {
  StuckReader reader;
  LogWriter writer(reader.fd(), notice);
  for (int i = 0; i < 5'000; ++i) writer.add(fmt::format("line {} {}\n", i, std::string(100, 'x')));
  CHECK(dropped_in(reader.read_until("line 4999 ")) == writer.dropped_lines());
  CHECK(writer.dropped_lines() > 0);
}

TEST_CASE("what the log takes is bounded in bytes too", "[log]") {
  StuckReader reader;
  LogWriter writer(reader.fd(), notice);
  for (int i = 0; i < 100; ++i) writer.add(std::string(100'000, 'x') + "\n");
  CHECK(writer.dropped_lines() >= 100 - 2 * LogWriter::kMaxBytes / 100'000);
  reader.close_reading();
}

TEST_CASE("a log whose reader has gone counts its lines as dropped", "[log]") {
  StuckReader reader;
  reader.close_reading();
  std::optional<LogWriter> writer(std::in_place, reader.fd(), notice);
  writer->add("lost\n");
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (writer->dropped_lines() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(writer->dropped_lines() == 1);
}

TEST_CASE("what was logged is written before the end", "[log]") {
  StuckReader reader;
  { LogWriter(reader.fd(), notice).add("last words\n"); }
  CHECK(reader.read_until("\n") == "last words\n");
}

TEST_CASE("after a full disk the log tells of every line lost, on a line of its own", "[log]") {
  // A file that may grow to `room` bytes, as on a disk that is full then.
  std::signal(SIGXFSZ, SIG_IGN);
  const int file = ::memfd_create("log", MFD_CLOEXEC);
  REQUIRE(file >= 0);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto disk_has = [&](rlim_t room) {
    const rlimit limit{room, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  };
  disk_has(10);
  {
    LogWriter writer(file, notice);
    for (int i = 0; i < 3; ++i) {  // each in a write of its own
      writer.add(fmt::format("number {}\n", i));
      const auto deadline = std::chrono::steady_clock::now() + 10s;
      const auto lost = static_cast<std::uint64_t>(i);  // the first of them fits
      while (writer.dropped_lines() < lost && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      REQUIRE(writer.dropped_lines() == lost);
    }
    disk_has(before.rlim_cur);
    writer.add("after\n");
  }
  std::array<char, 256> buffer{};
  const ssize_t size = ::pread(file, buffer.data(), buffer.size(), 0);
  REQUIRE(size > 0);
  CHECK(std::string(buffer.data(), static_cast<std::size_t>(size)) ==
        fmt::format("number 0\nn\ndropped 2 {}\nafter\n", EFBIG));
  ::close(file);
}
