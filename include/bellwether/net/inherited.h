#pragma once

#include <sys/types.h>

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/net/address.h"
#include "bellwether/net/shared_text.h"
#include "bellwether/net/socket.h"

namespace bellwether::net {

// Listening sockets that whoever started this process has given to it: systemd's socket units (LISTEN_PID, LISTEN_FDS:
// sd_listen_fds(3)), or the program that it is to replace (BELLWETHER_INHERITED, see start_successor()). Any thread.
class InheritedSockets {
 public:
  static constexpr int kFirst = 3;  // the descriptor of the first; the others follow

  // Those of this process. bind_listener() takes from them.
  static InheritedSockets& process();

  // Takes them over from the environment, which forgets them. Once, before others read the environment.
  void take_over();
  [[nodiscard]] bool has(const Address& address) const;
  // One that is bound to that address: one that was not taken before, or else another descriptor of one that was. Not
  // open if there is none.
  [[nodiscard]] Socket take(const Address& address);
  // One at that address that nobody has taken yet; not open if there is none. Clients may wait in its queue.
  [[nodiscard]] Socket take_untaken(const Address& address);
  // Copies of the TCP sockets on which this process itself listens at that address can be taken from now on: for a
  // listener that takes over from another one of this process. Until release().
  void lend_own(const Address& address);
  // Gives up what nobody has taken, and says which addresses these were.
  [[nodiscard]] std::vector<Address> release();

  // Whether this process is to take another one's place, and has not said that it is ready: until then that one serves,
  // and nothing may be accepted here, for this process may never become ready.
  [[nodiscard]] bool has_predecessor() const;
  // The program that this one replaces is told that it may go. What is returned ends when that has handed over for the
  // last time; not open where there is none, and the second time.
  Socket say_ready();
  // What the program that this one replaces says of itself (SharedText), as it is now: its process, and a text of its
  // own. Nothing if it says nothing.
  struct Handover {
    pid_t pid = 0;
    std::string text;
  };
  [[nodiscard]] Result<std::optional<Handover>> handover(std::size_t at_most) const;
  // Whether a unix socket's file is this process's to remove at its end: not that of somebody else who holds the socket
  // too, the program that is to be replaced until it was told, or systemd for good.
  [[nodiscard]] bool owns_file_of(const Address& address) const;
  // All sockets of this process that have files are systemd's, as far as is known: to be told to a successor.
  [[nodiscard]] bool are_of_units() const;

 private:
  struct Kept {
    Socket socket;
    Address address;
    int taken = 0;
  };
  [[nodiscard]] static Socket copy_of(Kept& kept);
  void keep(int fd);

  mutable std::mutex mutex_;
  std::vector<Kept> kept_;
  std::vector<Address> inherited_files_;
  Socket predecessor_;
  pid_t predecessor_pid_ = 0;
  std::optional<SharedText> handover_;
  bool are_of_units_ = false;
};

}  // namespace bellwether::net
