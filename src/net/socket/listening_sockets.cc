#include "listening_sockets.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace bellwether::net {

std::vector<Socket> copies_of_listening_sockets(int above) {
  std::vector<int> found;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", unreadable)) {
    const std::string name = entry.path().filename().string();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && Socket::is_listening(fd)) found.push_back(fd);
  }
  std::sort(found.begin(), found.end());
  const int first = above + static_cast<int>(found.size());
  std::vector<Socket> copies;
  for (const int fd : found) {
    Socket copy(::fcntl(fd, F_DUPFD_CLOEXEC, first));
    if (copy.is_open()) copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace bellwether::net
