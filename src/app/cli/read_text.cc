#include "read_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace bellwether::app {

Result<std::string> read_text(const std::string& name, std::size_t most, const std::string& what) {
  const bool is_stdin = name == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(is_stdin ? stdin : std::fopen(name.c_str(), "rb"),
                                                             is_stdin ? [](std::FILE*) { return 0; } : &std::fclose);
  const auto failed = [&] {
    return fail(ErrorKind::kUnavailable, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
  };
  if (!file) return failed();
  std::string text(most + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failed();
  if (text.size() > most) {
    return fail(ErrorKind::kLimit, fmt::format("{} is larger than {} may be ({} MiB)", name, what, most / 1024 / 1024));
  }
  return text;
}

}  // namespace bellwether::app
