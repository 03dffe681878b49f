#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "bellwether/net/socket.h"

namespace bellwether::proxy {

// What a worker lends to the flow that runs: one read buffer for all, and pipes for those that are busy. One thread.
class RelayPool {
 public:
  static constexpr std::size_t kReadSize = 64 * 1024;
  static constexpr std::size_t kBulkReadSize = 256 * 1024;
  static constexpr std::size_t kMaxPipes = 64;  // in use or spare; beyond it bulk flows copy

  [[nodiscard]] std::span<char> buffer(std::size_t size);
  // Null if there is none to be had.
  [[nodiscard]] std::unique_ptr<net::Pipe> take_pipe();
  // REQUIRES: empty.
  void give_back(std::unique_ptr<net::Pipe> pipe);
  // Holds bytes that nobody wants any more.
  void discard(std::unique_ptr<net::Pipe> pipe);
  // Some sandboxed kernels have no splice for sockets: then all is copied.
  void stop_splicing() { can_splice_ = false; }
  [[nodiscard]] bool can_splice() const { return can_splice_; }

 private:
  std::unique_ptr<char[]> buffer_;
  std::vector<std::unique_ptr<net::Pipe>> spare_;
  std::size_t pipes_ = 0;
  bool can_splice_ = true;
};

}  // namespace bellwether::proxy
