#include "bellwether/net/shared_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/loop/system.h"

namespace bellwether::net {
namespace {

tl::unexpected<Error> failed(std::string_view what) {
  return fail(ErrorKind::kUnavailable, fmt::format("{}: {}", what, describe_errno(errno)));
}

}  // namespace

Result<SharedText> SharedText::create() {
  Socket memory(::memfd_create("bellwether", MFD_CLOEXEC));
  if (!memory.is_open()) return failed("memfd_create");
  return SharedText(std::move(memory));
}

Result<SharedText> SharedText::adopt(int fd) {
  // Nothing but memory without a file has seals.
  if (::fcntl(fd, F_GET_SEALS) < 0) return fail(ErrorKind::kInvalid, fmt::format("descriptor {} has no text", fd));
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return failed("fcntl");
  return SharedText(Socket(fd));
}

Result<void> SharedText::write(std::string_view text) {
  if (::ftruncate(fd(), 0) != 0) return failed("ftruncate");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::pwrite(fd(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const auto error = failed("pwrite");
      (void)!::ftruncate(fd(), 0);
      return error;
    }
    done += static_cast<std::size_t>(wrote);
  }
  return {};
}

Result<std::string> SharedText::read(std::size_t at_most) const {
  struct stat status {};
  if (::fstat(fd(), &status) != 0) return failed("fstat");
  if (static_cast<std::size_t>(status.st_size) > at_most) {
    return fail(ErrorKind::kInvalid, fmt::format("{} bytes are more than {}", status.st_size, at_most));
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got = ::pread(fd(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("pread");
    if (got == 0) text.resize(done);  // it has become shorter
    done += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace bellwether::net
