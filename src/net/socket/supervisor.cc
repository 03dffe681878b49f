#include "bellwether/net/supervisor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "bellwether/net/socket.h"

namespace bellwether::net {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void tell_supervisor(const std::string& state) {
  const std::string_view name = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  const bool is_usable = name.starts_with('/') || name.starts_with('@');
  if (!is_usable || name.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';  // an abstract one
  const Socket socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  (void)::sendto(socket.fd(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 length);
}

std::optional<Duration> watchdog_limit() {
  // WATCHDOG_PID is not looked at: it names another process once this one has taken the other's place.
  constexpr std::int64_t kMost = std::chrono::microseconds(24h).count();
  const std::string_view text = variable("WATCHDOG_USEC");
  std::int64_t limit_us = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit_us);
  if (error != std::errc() || end != text.data() + text.size() || limit_us <= 0) return std::nullopt;
  return std::chrono::microseconds(std::min(limit_us, kMost));
}

bool is_journal(int fd) {
  struct stat status {};
  const std::string_view stream = variable("JOURNAL_STREAM");
  return !stream.empty() && ::fstat(fd, &status) == 0 && stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace bellwether::net
