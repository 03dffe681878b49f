#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/net/address.h"
#include "bellwether/proxy/proxy.h"
#include "proxy/core/known_listeners.h"

namespace bellwether::proxy {

// Listeners that are bound, and that nobody accepts at before they are used.
struct ListenerChange {
  ListenerChange() = default;
  ~ListenerChange();
  ListenerChange(const ListenerChange&) = delete;
  ListenerChange& operator=(const ListenerChange&) = delete;

  std::shared_ptr<const ListenerTable> table;   // with the new ones
  std::vector<ListenerNumber> open;             // in the order of the options
  std::vector<std::vector<OpenListener>> told;  // by worker
};

// The listeners of a proxy as its control thread keeps them: which are open, under which numbers, and with which
// sockets. Workers share a port by SO_REUSEPORT; a unix socket is accepted at by the first worker alone.
class Listeners {
 public:
  // Binds what `wanted` has and is not open yet. A listener at the address of one that is open keeps its socket. On
  // error nothing is bound and nothing has changed; it names the address and the way out.
  [[nodiscard]] Result<std::shared_ptr<ListenerChange>> bind(const std::vector<ListenerOptions>& wanted,
                                                             std::size_t workers, const net::TcpOptions& tcp) const;
  // What is missing in `change` is closed by the workers, which must be told of it and of round().
  void use(const ListenerChange& change);
  // Grows by one with each use().
  [[nodiscard]] std::uint64_t round() const { return round_; }
  // None of the worker's connections came by those, which it has closed in that round or before. Once all workers have
  // said so, their numbers may be given to others.
  void on_unused(std::size_t worker, std::uint64_t round, const std::vector<ListenerNumber>& numbers);

  // In the order of the options.
  [[nodiscard]] const std::vector<net::Address>& addresses() const { return addresses_; }

 private:
  struct Closed {
    std::uint64_t since = 0;  // the round
    std::set<std::size_t> unused_by;
  };
  [[nodiscard]] ListenerTable table_without_unused(std::size_t workers) const;
  // The one that was configured so, unless it is among `taken`.
  [[nodiscard]] std::optional<ListenerNumber> at(const net::Address& configured,
                                                 const std::vector<ListenerNumber>& taken) const;
  [[nodiscard]] Error cannot_bind(const Error& why, const net::Address& address) const;

  std::shared_ptr<const ListenerTable> table_ = std::make_shared<const ListenerTable>();
  std::vector<ListenerNumber> open_;
  std::map<ListenerNumber, Closed> closed_;  // all in `table_` that are not open
  std::uint64_t round_ = 0;
  std::vector<net::Address> addresses_;
};

}  // namespace bellwether::proxy
