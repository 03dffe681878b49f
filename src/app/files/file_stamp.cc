#include "file_stamp.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace bellwether::app {

namespace {

constexpr std::size_t kMostEntries = 4096;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return out;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && out.size() < kMostEntries) out.push_back(fmt::format("{}/{}", path, name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void append_stamp(std::string& out, const std::string& path, bool looks_inside) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    out += fmt::format("{}:{};", path, errno);
    return;
  }
  // Who may read it counts as well: st_ctim.
  const auto& written = status.st_mtim;
  const auto& changed = status.st_ctim;
  out += fmt::format("{}:{}:{}:{}:{}.{}:{}.{};", path, status.st_dev, status.st_ino, status.st_size, written.tv_sec,
                     written.tv_nsec, changed.tv_sec, changed.tv_nsec);
  if (!looks_inside || !S_ISDIR(status.st_mode)) return;
  for (const std::string& entry : entries_of(path)) append_stamp(out, entry, false);
}

}  // namespace

std::string stamp_of(const std::vector<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) append_stamp(out, path, true);
  return out;
}

}  // namespace bellwether::app
