#include "bellwether/net/inherited.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "bellwether/net/successor.h"
#include "listening_sockets.h"

namespace bellwether::net {
namespace {

// The number in a variable, which is removed.
std::optional<int> take_number(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const std::string_view digits = text;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = read.ec == std::errc() && read.ptr == digits.data() + digits.size() && number >= 0;
  ::unsetenv(name);
  return is_number ? std::optional(number) : std::nullopt;
}

// The process that has made that pair of sockets; 0: unknown.
pid_t maker_of(const Socket& one_of_pair) {
  ucred maker{};
  socklen_t size = sizeof maker;
  return ::getsockopt(one_of_pair.fd(), SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 ? maker.pid : 0;
}

}  // namespace

InheritedSockets& InheritedSockets::process() {
  static InheritedSockets sockets;
  return sockets;
}

void InheritedSockets::take_over() {
  const std::lock_guard lock(mutex_);
  const auto pid = take_number("LISTEN_PID");
  const auto of_units = take_number("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  const auto of_predecessor = take_number(kInheritedVariable);
  const auto handover = take_number(kHandoverVariable);
  are_of_units_ = take_number(kOfUnitsVariable).has_value();
  if (of_predecessor) {
    for (int i = 0; i < *of_predecessor; ++i) keep(kFirst + i);
    predecessor_ = Socket(kFirst + *of_predecessor);
    if (::fcntl(predecessor_.fd(), F_SETFD, FD_CLOEXEC) != 0) (void)predecessor_.release();
    predecessor_pid_ = maker_of(predecessor_);
    if (handover) {
      if (auto text = SharedText::adopt(*handover)) handover_ = std::move(*text);
    }
  } else if (of_units && pid == static_cast<int>(::getpid())) {
    are_of_units_ = *of_units > 0;
    for (int i = 0; i < *of_units; ++i) keep(kFirst + i);
  }
}

// What is not a listening socket is somebody else's mistake: it stays open and unused.
void InheritedSockets::keep(int fd) {
  if (!Socket::is_listening(fd)) return;
  Kept kept{Socket(fd), {}, 0};
  const auto address = kept.socket.local_address();
  const int flags = ::fcntl(fd, F_GETFL);
  if (!address || flags < 0) return;
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  kept.address = *address;
  if (address->is_unix()) inherited_files_.push_back(*address);
  kept_.push_back(std::move(kept));
}

bool InheritedSockets::has(const Address& address) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.address == address; });
}

Socket InheritedSockets::copy_of(Kept& kept) {
  ++kept.taken;
  return Socket(::fcntl(kept.socket.fd(), F_DUPFD_CLOEXEC, 0));
}

Socket InheritedSockets::take(const Address& address) {
  const std::lock_guard lock(mutex_);
  Kept* least_taken = nullptr;
  for (Kept& kept : kept_) {
    const bool is_better = kept.address == address && (least_taken == nullptr || kept.taken < least_taken->taken);
    if (is_better) least_taken = &kept;
  }
  return least_taken == nullptr ? Socket() : copy_of(*least_taken);
}

Socket InheritedSockets::take_untaken(const Address& address) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& kept) { return kept.taken == 0 && kept.address == address; });
  return found == kept_.end() ? Socket() : copy_of(*found);
}

void InheritedSockets::lend_own(const Address& address) {
  if (address.is_unix()) return;  // its file is one listener's
  const std::lock_guard lock(mutex_);
  for (Socket& each : copies_of_listening_sockets(kFirst)) {
    const auto at = each.local_address();
    if (at && *at == address) kept_.push_back({std::move(each), *at, 0});
  }
}

std::vector<Address> InheritedSockets::release() {
  const std::lock_guard lock(mutex_);
  std::vector<Address> untaken;
  for (const Kept& kept : std::exchange(kept_, {})) {
    if (kept.taken == 0) untaken.push_back(kept.address);
  }
  return untaken;
}

bool InheritedSockets::has_predecessor() const {
  const std::lock_guard lock(mutex_);
  return predecessor_.is_open();
}

bool InheritedSockets::owns_file_of(const Address& address) const {
  const std::lock_guard lock(mutex_);
  if (!predecessor_.is_open() && !are_of_units_) return true;
  return std::find(inherited_files_.begin(), inherited_files_.end(), address) == inherited_files_.end();
}

bool InheritedSockets::are_of_units() const {
  const std::lock_guard lock(mutex_);
  return are_of_units_;
}

Socket InheritedSockets::say_ready() {
  const std::lock_guard lock(mutex_);
  constexpr char kReady = kSuccessorIsReady;
  // One that does not listen any more has given up, and will end this process.
  if (predecessor_.is_open()) (void)predecessor_.write({&kReady, 1});
  return std::exchange(predecessor_, Socket());
}

Result<std::optional<InheritedSockets::Handover>> InheritedSockets::handover(std::size_t at_most) const {
  const std::lock_guard lock(mutex_);
  if (!handover_) return std::nullopt;
  return handover_->read(at_most).map([this](std::string text) {
    return std::optional(Handover{predecessor_pid_, std::move(text)});
  });
}

}  // namespace bellwether::net
