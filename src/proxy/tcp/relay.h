#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bellwether/net/socket.h"
#include "hello.h"
#include "proxy/core/relay_pool.h"

namespace bellwether::proxy {

// What a socket's edges have told and no call has used up yet.
struct Channel {
  // Whether the peer has said something that no event has told of yet. Events of one turn are handled some at a time,
  // with timers between them, and after a stop of ours the timers come first.
  [[nodiscard]] bool has_unread() const;
  // Whether a reset came that no edge told of. True once after each short read at most.
  [[nodiscard]] bool was_reset_unseen();

  net::Socket socket;
  bool readable = false;
  bool writable = false;
  bool closed = false;          // the peer ended its side: read on until the end shows
  bool may_hide_reset = false;  // the last read was not followed by another: see net::Readiness::closed
};

// Moves bytes one way, at most a turn's budget at a time. Owns memory only while the receiver is slower than the
// sender: at most one read's worth. Switches to splice while reads stay big.
class Flow {
 public:
  enum class Outcome : std::uint8_t {
    kWaiting,      // for an edge
    kBudgetSpent,  // there may be more: call again in a later turn
    kEnded,        // the sender ended, all was delivered and the end passed on
    kReadFailed,
    kWriteFailed,  // what the sender still says is of no use
  };
  struct Progress {
    Outcome outcome = Outcome::kWaiting;
    std::size_t bytes = 0;  // delivered to the receiver
    bool is_aside = false;  // all that was read is one TLS record that is too short for a request (dialogue.h)
  };

  // Bytes to deliver before anything that is read: a PROXY header.
  void deliver_first(std::string_view bytes);
  // Shows it what is read from now on; null: no more. Must live as long.
  void show_to(Hello* hello) { hello_ = hello; }
  // `pass_end`: whether to shut the receiver's side down after the sender's end (not needed if it is closed anyway).
  [[nodiscard]] Progress pump(Channel& from, Channel& to, RelayPool& pool, bool pass_end);

  [[nodiscard]] bool has_ended() const { return ended_; }
  [[nodiscard]] bool is_blocked() const { return kept_ != nullptr || in_pipe_ > 0; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // Before destruction: what it borrowed.
  void release(RelayPool& pool);

 private:
  enum class Step : std::uint8_t { kGoOn, kWait, kEnd, kReadFailed, kWriteFailed };
  static constexpr std::size_t kBudget = 1024 * 1024;  // a turn's: others wait meanwhile
  static constexpr std::size_t kBig = 16 * 1024;
  static constexpr std::uint8_t kBulkAfter = 16;  // big reads in a row, so about 1 MiB

  // Bytes that the receiver did not take yet.
  struct Kept {
    std::unique_ptr<char[]> data;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  Step write_kept(Channel& to);
  Step copy(Channel& from, Channel& to, RelayPool& pool);
  Step splice(Channel& from, Channel& to, RelayPool& pool);
  Step write_pipe(Channel& to);
  Step on_read_ended(const net::IoResult& read, Channel& from);
  void keep(std::span<const char> bytes);
  void count(std::size_t bytes);
  void judge(std::size_t read_bytes);

  Hello* hello_ = nullptr;
  std::unique_ptr<Kept> kept_;
  std::unique_ptr<net::Pipe> pipe_;
  std::size_t in_pipe_ = 0;
  std::size_t moved_ = 0;  // in the running pump
  std::uint64_t bytes_ = 0;
  std::uint8_t big_reads_ = 0;
  bool source_ended_ = false;
  bool ended_ = false;
  bool is_aside_ = false;  // so far in the running pump
};

}  // namespace bellwether::proxy
