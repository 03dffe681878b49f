#include "bellwether/net/successor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "bellwether/net/inherited.h"
#include "listening_sockets.h"
#include "net/loop/system.h"

namespace bellwether::net {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of_successor(int sockets, bool has_handover) {
  std::vector<std::string> all;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) all.emplace_back(*each);
  all.push_back(fmt::format("{}={}", kInheritedVariable, sockets));
  if (has_handover) all.push_back(fmt::format("{}={}", kHandoverVariable, InheritedSockets::kFirst + sockets + 1));
  if (InheritedSockets::process().are_of_units()) all.push_back(fmt::format("{}=1", kOfUnitsVariable));
  return all;
}

// What posix_spawn() is told: the descriptors, and signals as a new process has them.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void put(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  // errno, or 0.
  [[nodiscard]] int run(pid_t& pid, const std::string& program, std::vector<std::string> arguments,
                        std::vector<std::string> environment) const {
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, pointers_to(arguments).data(),
                         pointers_to(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Why others than root and our own user could put something else in the place of that file or folder; empty: nobody.
std::string why_replaceable(const std::filesystem::path& place) {
  struct stat status {};
  if (::stat(place.c_str(), &status) != 0) return fmt::format("cannot be started: {}", describe_errno(errno));
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return fmt::format("may be replaced: {} belongs neither to root nor to our own user", place.string());
  }
  // In a folder with the sticky bit, as /tmp has, nobody replaces what belongs to another one.
  const bool is_shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0;
  return is_shared ? fmt::format("may be replaced: {} may be written by others than its owner", place.string()) : "";
}

}  // namespace

Result<Successor> start_successor(const std::string& program, const std::vector<std::string>& arguments,
                                  const SharedText* handover) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return fail(ErrorKind::kUnavailable, fmt::format("cannot start {}: {}", program, describe_errno(errno)));
  }
  Successor made{0, Socket(ends[0])};
  const Socket its_end(ends[1]);
  // Above all descriptors that the new program is given: what is put into place must not be what is put next.
  const std::vector<Socket> sockets = copies_of_listening_sockets(InheritedSockets::kFirst + 2);
  const int count = static_cast<int>(sockets.size());
  const int above_all = InheritedSockets::kFirst + count + 2;
  const Socket high_end(::fcntl(its_end.fd(), F_DUPFD_CLOEXEC, above_all));
  const Socket high_text(handover != nullptr ? ::fcntl(handover->fd(), F_DUPFD_CLOEXEC, above_all) : -1);
  SpawnPlan plan;
  for (int i = 0; i < count; ++i) plan.put(sockets[static_cast<std::size_t>(i)].fd(), InheritedSockets::kFirst + i);
  plan.put(high_end.fd(), InheritedSockets::kFirst + count);
  if (high_text.is_open()) plan.put(high_text.fd(), InheritedSockets::kFirst + count + 1);
  const int error = plan.run(made.pid, program, arguments, environment_of_successor(count, high_text.is_open()));
  if (error == 0) return made;
  return fail(ErrorKind::kUnavailable, fmt::format("cannot start {}: {}", program, describe_errno(error)));
}

Result<std::string> check_program(const std::string& program) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, fmt::format("{} {}", program, why));
  };
  if (program.empty() || program.front() != '/') return refused("is not an absolute path");
  std::error_code missing;
  const std::filesystem::path real = std::filesystem::canonical(program, missing);
  if (missing) return refused(fmt::format("cannot be started: {}", describe_errno(missing.value())));
  struct stat status {};
  if (::stat(real.c_str(), &status) != 0) return refused(fmt::format("cannot be started: {}", describe_errno(errno)));
  if (!S_ISREG(status.st_mode) || ::access(real.c_str(), X_OK) != 0) return refused("is not an executable file");
  for (std::filesystem::path each = real;; each = each.parent_path()) {
    if (const std::string why = why_replaceable(each); !why.empty()) return refused(why);
    if (each == each.root_path()) return real.string();
  }
}

Result<OwnCommand> own_command() {
  std::error_code unreadable;
  OwnCommand own;
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  for (std::string each; std::getline(file, each, '\0');) own.arguments.push_back(each);
  own.program = std::filesystem::read_symlink("/proc/self/exe", unreadable).string();
  constexpr std::string_view kReplaced = " (deleted)";
  if (own.program.ends_with(kReplaced)) own.program.resize(own.program.size() - kReplaced.size());
  // A link may lead to another version by now.
  if (!own.arguments.empty() && own.arguments.front().starts_with('/')) own.program = own.arguments.front();
  if (!own.program.empty() && !own.arguments.empty()) return own;
  return fail(ErrorKind::kUnavailable, "/proc does not tell how this process was started");
}

bool has_ended(pid_t child, std::string& how) {
  int status = 0;
  const pid_t found = ::waitpid(child, &status, WNOHANG);
  if (found < 0) how = "an unknown end";  // who started us has the system forget our children
  if (found != child) return found < 0 && errno == ECHILD;
  how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                            : fmt::format("exit code {}", WEXITSTATUS(status));
  return true;
}

}  // namespace bellwether::net
