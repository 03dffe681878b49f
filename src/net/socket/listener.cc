#include "bellwether/net/listener.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/inherited.h"
#include "net/loop/system.h"

namespace bellwether::net {

namespace {

// Other connections of this loop wait while we accept.
constexpr int kMostPerWake = 64;
constexpr int kMostInQueue = 4096;
// Long enough for some connection to end and free its descriptor.
constexpr Duration kPauseWhenOut = 100ms;

bool set_flag(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

std::string way_out(int error, const Address& address) {
  switch (error) {
    case EADDRINUSE:
      return address.is_unix() ? std::string(" (another process listens on it)")
                               : fmt::format(" (who has it: ss -ltnp 'sport = :{}')", address.port());
    case EACCES:
      if (address.is_unix()) return " (this user may not write there)";
      return address.port() != 0 && address.port() < 1024
                 ? " (ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher one)"
                 : "";
    case EADDRNOTAVAIL:
      return " (no interface of this machine has that address: ip addr)";
    case ENOENT:
      return address.is_unix() ? " (its directory does not exist)" : "";
    default:
      return "";
  }
}

tl::unexpected<Error> cannot_listen(const Address& address, int error) {
  return fail(ErrorKind::kUnavailable, fmt::format("cannot listen on {}: {}{}", address.to_string(),
                                                   describe_errno(error), way_out(error, address)));
}

// A socket file outlives its process. Only asking shows whether somebody still answers.
bool nobody_listens(const Address& address) {
  Socket probe;
  return start_connect(address, std::nullopt, {}, probe) == ECONNREFUSED;
}

bool is_socket_file(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

int bind_replacing_stale(int fd, const Address& address) {
  if (::bind(fd, address.data(), address.length()) == 0) return 0;
  const int error = errno;
  if (error != EADDRINUSE || !address.is_unix()) return error;
  if (!is_socket_file(address.host()) || !nobody_listens(address)) return error;
  ::unlink(address.host().c_str());
  return ::bind(fd, address.data(), address.length()) == 0 ? 0 : errno;
}

std::pair<dev_t, ino_t> file_identity(const Address& address) {
  struct stat status {};
  if (!address.is_unix() || ::lstat(address.host().c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

}  // namespace

Result<Socket> bind_listener(const Address& address, const ListenOptions& options) {
  if (Socket inherited = InheritedSockets::process().take(address); inherited.is_open()) {
    if (!address.is_unix()) inherited.change_tcp(options.tcp);
    return inherited;
  }
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    // ":8200" means every address; on a machine without IPv6 that is every IPv4 one.
    if (errno == EAFNOSUPPORT && address.family() == AF_INET6 && address.host() == "::") {
      return bind_listener(*Address::parse(fmt::format("0.0.0.0:{}", address.port())), options);
    }
    return cannot_listen(address, errno);
  }
  Socket socket(fd);
  if (!address.is_unix()) {
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address.family() == AF_INET6) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (options.reuse_port && !set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return cannot_listen(address, errno);
    socket.set_tcp(options.tcp);
  }
  if (const int error = bind_replacing_stale(fd, address); error != 0) return cannot_listen(address, error);
  if (address.is_unix() && ::chmod(address.host().c_str(), static_cast<mode_t>(options.unix_mode)) != 0) {
    return cannot_listen(address, errno);
  }
  if (::listen(fd, options.backlog) != 0) return cannot_listen(address, errno);
  return socket;
}

void discard_listener(Socket socket) {
  const auto address = socket.local_address();
  if (!address || !address->is_unix() || !InheritedSockets::process().owns_file_of(*address)) return;
  ::unlink(address->host().c_str());
}

struct Listener::Impl {
  Impl(Loop& on, Socket listening, OnAccept callback)
      : loop(on), socket(std::move(listening)), on_accept(std::move(callback)), retry(loop, [this] { update(); }) {
    BW_ASSERT(event_assign(&event, loop.base(), socket.fd(), EV_READ | EV_PERSIST, &Impl::on_event, this) == 0);
    if (auto name = socket.local_address()) address = *name;
    identity = file_identity(address);
    update();
  }

  ~Impl() {
    event_del(&event);
    if (owns_file && address.is_unix() && InheritedSockets::process().owns_file_of(address) &&
        identity != decltype(identity){} && file_identity(address) == identity) {
      ::unlink(address.host().c_str());
    }
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Level-triggered, so that what waits in the queue shows again after a pause.
  void update() {
    const bool wanted = !paused && !retry.is_armed();
    if (wanted == listening_now) return;
    listening_now = wanted;
    BW_ASSERT((wanted ? event_add(&event, nullptr) : event_del(&event)) == 0);
  }

  static void on_event(int, short, void* self) noexcept {
    static_cast<Impl*>(self)->loop.begin_callback();
    static_cast<Impl*>(self)->accept_some();
  }

  void accept_some() {
    for (int i = 0; i < kMostPerWake && listening_now; ++i) {
      if (!accept_one()) return;
    }
  }

  // False: there is none, or none can be taken now.
  bool accept_one() {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = ::accept4(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return go_on_after(errno);
    on_accept(Socket(fd), Address::from(reinterpret_cast<sockaddr*>(&peer), length));
    return true;
  }

  // accept(2): errors of one connection that ended in the queue are reported here too; the next one may be fine.
  bool go_on_after(int error) {
    switch (error) {
      case EAGAIN:
        return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        ++failures;
        retry.arm_in(kPauseWhenOut);
        update();
        return false;
      default:
        return true;
    }
  }

  Loop& loop;
  Socket socket;
  OnAccept on_accept;
  Timer retry;
  Address address;
  std::pair<dev_t, ino_t> identity{};  // of a unix socket's file
  struct event event {};
  bool owns_file = true;  // if it is a unix socket
  bool paused = false;
  bool listening_now = false;
  std::uint64_t failures = 0;
};

Listener::Listener(Loop& loop, Socket listening, OnAccept on_accept)
    : impl_(std::make_unique<Impl>(loop, std::move(listening), std::move(on_accept))) {}

Listener::~Listener() = default;

void Listener::set_tcp(const TcpOptions& options) {
  if (!impl_->address.is_unix()) impl_->socket.change_tcp(options);
}

// As many as the queue may have held: clients who keep coming would keep it open for ever.
void Listener::accept_all() {
  for (int i = 0; i <= kMostInQueue && impl_->accept_one(); ++i) {
  }
}

void Listener::keep_file() { impl_->owns_file = false; }

void Listener::pause() {
  impl_->paused = true;
  impl_->update();
}

void Listener::resume() {
  impl_->paused = false;
  impl_->update();
}

bool Listener::is_paused() const { return impl_->paused; }
Address Listener::address() const { return impl_->address; }
std::uint64_t Listener::accept_failures() const { return impl_->failures; }

}  // namespace bellwether::net
