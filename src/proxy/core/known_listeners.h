#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bellwether/net/address.h"
#include "bellwether/net/socket.h"
#include "bellwether/net/tls.h"
#include "bellwether/proxy/proxy.h"

namespace bellwether::proxy {

// A listener has a number that no other one is given while the process runs. One whose options have changed is another
// one, which has the socket of the first from then on: a connection keeps the options of the listener that it came by.
using ListenerNumber = std::uint16_t;

struct KnownListener {
  ListenerOptions options;  // without its TLS context, which may be replaced
  net::Address address;     // the real one, port included
};
// By number, those included that are closed.
using ListenerTable = std::vector<KnownListener>;

// A listener that is open from now on, as one worker is told of it.
struct OpenListener {
  ListenerNumber number = 0;
  std::optional<ListenerNumber> keeps;     // it has the socket of that one, which may be itself
  net::Socket socket{};                    // or this new one. None: another worker accepts. There may be several
  std::shared_ptr<net::TlsContext> tls{};  // how its clients speak to us, if it is new; null: plain
};

// The listeners that a worker knows, all that there have been. Used on the worker's thread only.
class KnownListeners {
 public:
  // `open`: what is accepted at from now on, and what is new among them has its TLS context.
  void set(std::shared_ptr<const ListenerTable> table, const std::vector<OpenListener>& open);
  // How clients of all listeners that may speak TLS do so from now on; null: not.
  void set_tls(const std::shared_ptr<net::TlsContext>& tls);

  [[nodiscard]] const ListenerOptions& options(std::size_t number) const { return (*table_)[number].options; }
  [[nodiscard]] const net::Address& address(std::size_t number) const { return (*table_)[number].address; }
  [[nodiscard]] const std::shared_ptr<net::TlsContext>& tls(std::size_t number) const { return tls_[number]; }
  // Of those that are open.
  [[nodiscard]] const std::vector<net::Address>& own_addresses() const { return own_addresses_; }

 private:
  std::shared_ptr<const ListenerTable> table_;
  // By number. Who was accepted at a listener that is closed by now may still wait for its handshake.
  std::vector<std::shared_ptr<net::TlsContext>> tls_;
  std::vector<net::Address> own_addresses_;
};

}  // namespace bellwether::proxy
