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

// A listener has a number that no other one is given while a connection lives that came by it. One whose options have
// changed is another one, which has the socket of the first from then on: a connection keeps the options of the
// listener that it came by.
using ListenerNumber = std::uint16_t;

struct KnownListener {
  ListenerOptions options;  // without its TLS context, which may be replaced
  net::Address address;     // the real one, port included
  bool speaks_tls = false;
};
// By number, those included that are closed and may have connections.
using ListenerTable = std::vector<KnownListener>;

// A listener that is open from now on, as one worker is told of it.
struct OpenListener {
  ListenerNumber number = 0;
  std::optional<ListenerNumber> keeps;     // it has the socket of that one, which may be itself
  net::Socket socket{};                    // or this new one. None: another worker accepts. There may be several
  std::shared_ptr<net::TlsContext> tls{};  // how its clients speak to us; null: plain
};

// The listeners that a worker knows, and how many of its connections came by each. Used on the worker's thread only.
class KnownListeners {
 public:
  // `open`: what is accepted at from now on.
  void set(std::shared_ptr<const ListenerTable> table, const std::vector<OpenListener>& open);
  // Nobody waits for a handshake at a listener that is not `open`: certificates that only such ones have are let go.
  void forget_closed_tls(const std::vector<OpenListener>& open);
  // A connection has been accepted, or is gone.
  void begin_use(std::size_t number) { ++uses_[number]; }
  void end_use(std::size_t number) { --uses_[number]; }
  // Those that are not `open` and that no connection came by: none will.
  [[nodiscard]] std::vector<ListenerNumber> unused(const std::vector<OpenListener>& open) const;
  // Of listeners that have none of their own. Must live until others are set.
  void set_common(const SessionSettings& common);
  // Listeners with the one TLS context have the other one from now on.
  void renew_tls(const std::shared_ptr<net::TlsContext>& before, const std::shared_ptr<net::TlsContext>& tls);

  [[nodiscard]] const ListenerOptions& options(std::size_t number) const { return (*table_)[number].options; }
  // Also of one that is closed, whose context is gone.
  [[nodiscard]] bool speaks_tls(std::size_t number) const { return (*table_)[number].speaks_tls; }
  [[nodiscard]] const net::Address& address(std::size_t number) const { return (*table_)[number].address; }
  // As they are now: a reference must not outlive the call that it was taken in.
  [[nodiscard]] const SessionSettings& settings(std::size_t number) const { return *settings_[number]; }
  // By number.
  [[nodiscard]] const std::vector<const SessionSettings*>& all_settings() const { return settings_; }
  [[nodiscard]] const std::shared_ptr<net::TlsContext>& tls(std::size_t number) const { return tls_[number]; }
  // Of those that are open.
  [[nodiscard]] const std::vector<net::Address>& own_addresses() const { return own_addresses_; }

 private:
  void find_settings();

  std::shared_ptr<const ListenerTable> table_ = std::make_shared<const ListenerTable>();
  const SessionSettings* common_ = nullptr;
  std::vector<const SessionSettings*> settings_;  // by number: its own, in the table, or the common ones
  // By number. Who was accepted at a listener that is closed by now may still wait for its handshake.
  std::vector<std::shared_ptr<net::TlsContext>> tls_;
  std::vector<std::uint32_t> uses_;  // by number
  std::vector<net::Address> own_addresses_;
};

}  // namespace bellwether::proxy
