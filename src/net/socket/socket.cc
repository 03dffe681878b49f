#include "bellwether/net/socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "net/loop/system.h"

namespace bellwether::net {

namespace {

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

int at_least_one_second(Duration d) {
  return static_cast<int>(std::max<std::int64_t>(1, duration_cast<std::chrono::seconds>(d).count()));
}

// `call` as an IoResult; a 0 means the end where `zero_is_end`.
template <typename Call>
IoResult io(bool zero_is_end, Call call) {
  ssize_t n = 0;
  do {
    n = call();
  } while (n < 0 && errno == EINTR);
  if (n > 0) return {IoStatus::kOk, static_cast<std::size_t>(n), 0};
  if (n == 0) return {zero_is_end ? IoStatus::kEof : IoStatus::kOk, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoStatus::kAgain, 0, 0};
  return {IoStatus::kError, 0, errno};
}

Result<Address> name_of(int fd, int (*call)(int, sockaddr*, socklen_t*), std::string_view what) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return fail(ErrorKind::kClosed, fmt::format("no {} address: {}", what, describe_errno(errno)));
  }
  return Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

}  // namespace

std::string describe_errno(int error) {
  std::string text = std::generic_category().message(error);
  // "Connection refused" reads better inside a sentence; "RPC version wrong" keeps its capitals.
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

int start_connect(const Address& to, const std::optional<Address>& source, const TcpOptions& tcp, Socket& out) {
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  Socket socket(fd);
  if (!to.is_unix()) socket.set_tcp(tcp);
  if (source) {
    // The port is chosen at connect(), so that many connections to different nodes may share one.
    if (source->port() == 0) set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd, source->data(), source->length()) != 0) return errno;
  }
  if (::connect(fd, to.data(), to.length()) != 0 && errno != EINPROGRESS && errno != EINTR) return errno;
  out = std::move(socket);
  return 0;
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Result<Socket> Socket::connect(const Address& to, const std::optional<Address>& source, const TcpOptions& tcp) {
  Socket socket;
  if (const int error = start_connect(to, source, tcp, socket); error != 0) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("cannot connect to {}{}: {}", to.to_string(),
                            source ? " from " + source->host() : std::string(), describe_errno(error)));
  }
  return socket;
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::abort() {
  const linger reset{1, 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close();
}

IoResult Socket::read(std::span<char> into) {
  return io(!into.empty(), [&] { return ::recv(fd_, into.data(), into.size(), 0); });
}

IoResult Socket::peek(std::span<char> into) const {
  return io(!into.empty(), [&] { return ::recv(fd_, into.data(), into.size(), MSG_PEEK); });
}

IoResult Socket::write(std::span<const char> from) {
  return io(false, [&] { return ::send(fd_, from.data(), from.size(), MSG_NOSIGNAL); });
}

IoResult Socket::splice_to_pipe(int pipe_write_fd, std::size_t most) {
  return io(true,
            [&] { return ::splice(fd_, nullptr, pipe_write_fd, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE); });
}

IoResult Socket::splice_from_pipe(int pipe_read_fd, std::size_t most) {
  return io(true,
            [&] { return ::splice(pipe_read_fd, nullptr, fd_, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE); });
}

void Socket::shutdown_write() { ::shutdown(fd_, SHUT_WR); }
void Socket::set_corked(bool corked) { set_option(fd_, IPPROTO_TCP, TCP_CORK, corked ? 1 : 0); }

int Socket::connect_error() const {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

PeerState Socket::peer_state() const {
  pollfd asked{fd_, POLLRDHUP, 0};
  if (::poll(&asked, 1, 0) <= 0) return PeerState::kHere;
  if ((asked.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return PeerState::kGone;
  return PeerState::kEnded;
}

Result<Address> Socket::local_address() const { return name_of(fd_, &::getsockname, "local"); }
Result<Address> Socket::peer_address() const { return name_of(fd_, &::getpeername, "peer"); }

void Socket::set_tcp(const TcpOptions& tcp) {
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  if (tcp.keepalive_idle > Duration::zero()) {
    set_option(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd_, IPPROTO_TCP, TCP_KEEPIDLE, at_least_one_second(tcp.keepalive_idle));
    if (tcp.keepalive_interval > Duration::zero()) {
      set_option(fd_, IPPROTO_TCP, TCP_KEEPINTVL, at_least_one_second(tcp.keepalive_interval));
    }
  }
  if (tcp.user_timeout > Duration::zero()) {
    const auto millis = std::max<std::int64_t>(1, duration_cast<std::chrono::milliseconds>(tcp.user_timeout).count());
    set_option(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(millis));
  }
}

bool Socket::is_listening(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

void Socket::change_tcp(const TcpOptions& tcp) {
  set_tcp(tcp);
  if (tcp.keepalive_idle <= Duration::zero()) set_option(fd_, SOL_SOCKET, SO_KEEPALIVE, 0);
  if (tcp.user_timeout <= Duration::zero()) set_option(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
}

Duration Socket::round_trip() const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return Duration::zero();
  return std::chrono::microseconds(info.tcpi_rtt);
}

Result<Pipe> Pipe::create() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
    return fail(errno == EMFILE || errno == ENFILE ? ErrorKind::kLimit : ErrorKind::kInternal,
                "cannot create a pipe: " + describe_errno(errno));
  }
  // Refused beyond the user's share of pipe memory: the default size works too.
  constexpr int kWanted = 256 * 1024;
  ::fcntl(ends[1], F_SETPIPE_SZ, kWanted);
  Pipe pipe;
  pipe.read_ = ends[0];
  pipe.write_ = ends[1];
  return pipe;
}

Pipe& Pipe::operator=(Pipe&& other) noexcept {
  std::swap(read_, other.read_);
  std::swap(write_, other.write_);
  return *this;
}

Pipe::~Pipe() {
  if (read_ >= 0) ::close(read_);
  if (write_ >= 0) ::close(write_);
}

}  // namespace bellwether::net
