#include "write_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "bellwether/base/visible.h"

namespace bellwether::app {
namespace {

Error cannot(const std::string& path, int error) {
  return {ErrorKind::kInvalid, fmt::format("cannot write {}: {}{}", for_people(path), std::strerror(error),
                                           error == EEXIST ? "; --force writes over it" : "")};
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(cannot(path, errno));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// 0, or the error number of the call.
int result_of(int returned) { return returned == 0 ? 0 : errno; }

// Where the file is that a link leads to.
std::string behind_links(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

Result<void> write_beside(const std::string& path, std::string_view text, const struct stat* before) {
  std::string beside = path + ".XXXXXX";
  const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
  if (fd < 0) return tl::unexpected(cannot(path, errno));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  (void)::fchmod(fd, before != nullptr ? before->st_mode & 07777U : 0666U & ~mask);
  // Who may not give it away keeps it.
  [[maybe_unused]] const int given = before != nullptr ? ::fchown(fd, before->st_uid, before->st_gid) : 0;
  Result<void> done = write_all(fd, text, path);
  if (const int error = result_of(::fsync(fd)); done && error != 0) done = tl::unexpected(cannot(path, error));
  if (const int error = result_of(::close(fd)); done && error != 0) done = tl::unexpected(cannot(path, error));
  if (done) {
    // link() does not write over a file that has come meanwhile.
    const int error =
        result_of(before != nullptr ? ::rename(beside.c_str(), path.c_str()) : ::link(beside.c_str(), path.c_str()));
    if (error != 0) done = tl::unexpected(cannot(path, error));
    if (error == 0 && before != nullptr) return done;
  }
  ::unlink(beside.c_str());
  return done;
}

}  // namespace

Result<void> write_text(const std::string& path, std::string_view text, bool force) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno != ENOENT) return tl::unexpected(cannot(path, errno));
    return write_beside(path, text, nullptr);
  }
  if (S_ISREG(there.st_mode)) {
    if (!force) return tl::unexpected(cannot(path, EEXIST));
    return write_beside(behind_links(path), text, &there);
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(cannot(path, errno));
  const Result<void> done = write_all(fd, text, path);
  const int error = result_of(::close(fd));
  if (done && error != 0) return tl::unexpected(cannot(path, error));
  return done;
}

Result<void> may_write(const std::string& path, bool force) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno != ENOENT) return tl::unexpected(cannot(path, errno));
  } else if (S_ISDIR(there.st_mode)) {
    return tl::unexpected(cannot(path, EISDIR));
  } else if (!S_ISREG(there.st_mode)) {
    return ::access(path.c_str(), W_OK) == 0 ? Result<void>() : tl::unexpected(cannot(path, errno));
  } else if (!force) {
    return tl::unexpected(cannot(path, EEXIST));
  }
  const std::string real = behind_links(path);
  const std::size_t slash = real.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : real.substr(0, slash + 1);
  return ::access(folder.c_str(), W_OK) == 0 ? Result<void>() : tl::unexpected(cannot(path, errno));
}

}  // namespace bellwether::app
