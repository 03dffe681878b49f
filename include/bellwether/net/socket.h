#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/address.h"

namespace bellwether::net {

enum class IoStatus : std::uint8_t { kOk, kAgain, kEof, kError };
struct IoResult {
  IoStatus status = IoStatus::kAgain;
  std::size_t bytes = 0;  // with kOk; with kError what a write had given to the peer before it failed
  int error = 0;          // errno, for kError
};

// What the kernel knows of the other side, whatever is still unread.
enum class PeerState : std::uint8_t {
  kHere,
  kEnded,  // it has sent FIN: no more bytes follow those that are unread
  kGone,   // reset, or closed both ways: nothing that is written reaches it
};

// TCP settings of one side. Zero durations leave the kernel's default.
struct TcpOptions {
  Duration keepalive_idle = 30s;  // first keepalive probe after that much silence; then every keepalive_interval
  Duration keepalive_interval = 10s;
  Duration user_timeout = 30s;  // TCP_USER_TIMEOUT: unacknowledged data for that long ends it
};

// An open non-blocking, close-on-exec socket. Owns the fd; moves, never copies. No thread of its own.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;

  // Starts connecting; completion shows as writability, then connect_error(). `source` binds the local address first.
  [[nodiscard]] static Result<Socket> connect(const Address& to, const std::optional<Address>& source,
                                              const TcpOptions& tcp);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close();
  // Close with RST: for a peer that must notice at once that nothing more comes.
  void abort();

  [[nodiscard]] IoResult read(std::span<char> into);
  [[nodiscard]] IoResult peek(std::span<char> into) const;
  [[nodiscard]] IoResult write(std::span<const char> from);  // MSG_NOSIGNAL
  // Up to `most` bytes from this socket into a pipe's write end, or from a pipe's read end into this socket.
  [[nodiscard]] IoResult splice_to_pipe(int pipe_write_fd, std::size_t most);
  [[nodiscard]] IoResult splice_from_pipe(int pipe_read_fd, std::size_t most);
  void shutdown_write();
  // While corked, what is written leaves in full segments only, after 200 ms at the latest, or together with the FIN of
  // shutdown_write() (tcp(7), TCP_CORK).
  void set_corked(bool corked);

  [[nodiscard]] int connect_error() const;  // SO_ERROR
  // Of any descriptor: a socket that clients connect to.
  [[nodiscard]] static bool is_listening(int fd);
  [[nodiscard]] PeerState peer_state() const;
  [[nodiscard]] Result<Address> local_address() const;
  [[nodiscard]] Result<Address> peer_address() const;
  void set_tcp(const TcpOptions& tcp);  // of a new socket
  // Of a socket that has had others: what is zero is taken back.
  void change_tcp(const TcpOptions& tcp);
  // The kernel's estimate for this connection; zero where it has none (unix sockets).
  [[nodiscard]] Duration round_trip() const;

 private:
  int fd_ = -1;
};

// A non-blocking pipe for splice, 256 KiB if the kernel grants it. Pool them: an idle connection owns none.
class Pipe {
 public:
  [[nodiscard]] static Result<Pipe> create();
  Pipe(Pipe&& other) noexcept : read_(std::exchange(other.read_, -1)), write_(std::exchange(other.write_, -1)) {}
  Pipe& operator=(Pipe&& other) noexcept;
  ~Pipe();
  [[nodiscard]] int read_fd() const { return read_; }
  [[nodiscard]] int write_fd() const { return write_; }

 private:
  Pipe() = default;
  int read_ = -1;
  int write_ = -1;
};

}  // namespace bellwether::net
