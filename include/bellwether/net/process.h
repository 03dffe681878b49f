#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "bellwether/base/result.h"
#include "bellwether/net/loop.h"

namespace bellwether::net {

// Blocks these signals for all threads started later; call in main() before any thread. SIGPIPE is ignored in any case,
// unless it is one of them: then those that other processes send can be read.
void block_signals(std::initializer_list<int> signals);

// Reads blocked signals as ordinary events (signalfd).
class SignalWatch {
 public:
  SignalWatch(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What debuggers and `top -H` call the calling thread: 15 bytes of it.
void name_thread(const std::string& name);

// Lets other threads go before the calling one where they compete for a core: `niceness` 1 to 19, as nice(1) counts.
void lower_thread_priority(int niceness);

struct Written {
  std::size_t bytes = 0;
  int error = 0;  // errno, if that was not all: the reader has gone, the disk is full
};
// Writes all of it to a pipe, a file or a terminal, and blocks until then even if the descriptor itself does not. Any
// thread.
[[nodiscard]] Written write_all(int fd, std::string_view bytes);

// Raises the soft RLIMIT_NOFILE to the hard one and returns it.
[[nodiscard]] Result<std::uint64_t> raise_descriptor_limit();

// Returns to the system what the C library keeps of memory that was freed. Takes some milliseconds after a burst, in
// which other threads may have to wait for memory.
void give_back_free_memory();

}  // namespace bellwether::net
