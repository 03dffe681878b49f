#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "bellwether/base/result.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/socket.h"

namespace bellwether::net {

struct ListenOptions {
  bool reuse_port = false;  // one listener per worker on the same address
  int backlog = 1024;
  int unix_mode = 0660;  // of a unix socket's file
  TcpOptions tcp{};      // set on the listener, inherited by what is accepted
};

// A bound, listening socket. Bind first (errors name the address and the way out), hand to a Listener later.
// A stale unix socket file that nobody listens on is replaced; a live one is an error. One of InheritedSockets is taken
// where there is one at that address.
[[nodiscard]] Result<Socket> bind_listener(const Address& address, const ListenOptions& options);

// Closes a listening socket that was bound and is not used, and removes its file.
void discard_listener(Socket socket);

// Accepts on one loop. While paused the kernel's accept queue fills and clients wait there.
// EMFILE and ENFILE pause it for a moment and are counted: it never spins.
class Listener {
 public:
  using OnAccept = std::function<void(Socket socket, const Address& peer)>;

  Listener(Loop& loop, Socket listening, OnAccept on_accept);
  ~Listener();  // a unix socket's file is removed by whoever bound it last
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Of what is accepted from now on; nothing for a unix socket.
  void set_tcp(const TcpOptions& options);
  // Accepts what waits in the queue now, even while it is paused: what is left there when a listener is destroyed is
  // reset.
  void accept_all();
  // A unix socket's file stays when this is destroyed: another process listens there.
  void keep_file();
  void pause();
  void resume();
  [[nodiscard]] bool is_paused() const;
  [[nodiscard]] Address address() const;                // with the real port, if 0 was asked for
  [[nodiscard]] std::uint64_t accept_failures() const;  // out of descriptors or memory

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::net
