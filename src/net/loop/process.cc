#include "bellwether/net/process.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "bellwether/base/assert.h"
#include "system.h"

namespace bellwether::net {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  BW_ASSERT(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  BW_ASSERT(sigaction(SIGPIPE, &ignore, nullptr) == 0);
}

Written write_all(int fd, std::string_view bytes) {
  constexpr std::size_t kMaxWrite = 16 * 1024;
  constexpr int kPollMs = 1000;
  Written written;
  while (written.bytes < bytes.size()) {
    const std::string_view rest = bytes.substr(written.bytes, kMaxWrite);
    const ssize_t wrote = ::write(fd, rest.data(), rest.size());
    if (wrote > 0) {
      written.bytes += static_cast<std::size_t>(wrote);
    } else if (wrote < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      (void)::poll(&room, 1, kPollMs);
    } else if (wrote == 0 || errno != EINTR) {
      written.error = wrote == 0 ? EIO : errno;
      return written;
    }
  }
  return written;
}

struct SignalWatch::Impl {
  Impl(Loop& on, std::initializer_list<int> signals, std::function<void(int)> callback)
      : loop(on), on_signal(std::move(callback)) {
    const sigset_t set = set_of(signals);
    fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    BW_ASSERT(fd >= 0);
    BW_ASSERT(event_assign(&event, loop.base(), fd, EV_READ | EV_PERSIST, &Impl::on_event, this) == 0);
    BW_ASSERT(event_add(&event, nullptr) == 0);
  }

  ~Impl() {
    event_del(&event);
    ::close(fd);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static void on_event(int, short, void* self) noexcept {
    auto& impl = *static_cast<Impl*>(self);
    impl.loop.begin_callback();
    signalfd_siginfo info{};
    while (::read(impl.fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      // A write to a closed pipe raises SIGPIPE too; only one that another process sent is of interest.
      const bool is_own = info.ssi_signo == SIGPIPE && info.ssi_pid == static_cast<std::uint32_t>(::getpid());
      if (!is_own) impl.on_signal(static_cast<int>(info.ssi_signo));
    }
  }

  Loop& loop;
  int fd = -1;
  struct event event {};
  std::function<void(int)> on_signal;
};

SignalWatch::SignalWatch(Loop& loop, std::initializer_list<int> signals, std::function<void(int)> on_signal)
    : impl_(std::make_unique<Impl>(loop, signals, std::move(on_signal))) {}

SignalWatch::~SignalWatch() = default;

// Linux keeps niceness by thread: setpriority(2), BUGS.
void name_thread(const std::string& name) { (void)::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str()); }

void lower_thread_priority(int niceness) { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness); }

Result<std::uint64_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(ErrorKind::kInternal, "cannot read the limit of open files: " + describe_errno(errno));
  }
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(ErrorKind::kInternal,
                fmt::format("cannot raise the limit of open files to {}: {}", limit.rlim_max, describe_errno(errno)));
  }
  return static_cast<std::uint64_t>(limit.rlim_cur);
}

void give_back_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace bellwether::net
