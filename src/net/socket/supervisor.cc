#include "bellwether/net/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "bellwether/net/socket.h"

namespace bellwether::net {

void tell_supervisor(const std::string& state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = path != nullptr ? path : "";
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

}  // namespace bellwether::net
