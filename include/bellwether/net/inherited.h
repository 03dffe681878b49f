#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/net/address.h"
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
  // Gives up what nobody has taken, and says which addresses these were.
  [[nodiscard]] std::vector<Address> release();
  // The program that this one replaces is told that it may go. No-op where there is none, and the second time.
  void say_ready();

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
  Socket predecessor_;
};

}  // namespace bellwether::net
