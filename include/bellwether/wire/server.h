#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/http/serialize.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/socket.h"
#include "bellwether/net/tls.h"

namespace bellwether::wire {

using ExchangeId = std::uint64_t;

// One request, whole. Owned strings: it may outlive the connection's buffer.
struct ServerRequest {
  ExchangeId exchange = 0;
  std::string method;
  std::string target;  // byte for byte
  std::string host;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  net::Address peer;
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;  // any case
};

// An HTTP/1.1 server side for small exchanges: admin, simulated cluster. Keep-alive and pipelining; one
// request of a connection is answered before the next is read, and a connection that has more to read or to answer than
// its share of a turn waits for the next turn. The handler answers now or later (by exchange id), or never: then the
// idle limit does not apply and the client waits.
class Server {
 public:
  enum class WhenFull : std::uint8_t {
    kRefuse,          // new connections are closed
    kEndLongestIdle,  // the one that has waited for its client for longest makes room; if none does, as above
  };
  struct Options {
    std::shared_ptr<net::TlsContext> tls;  // null: plain
    http::HeadLimits head;
    std::size_t max_body_bytes = 1024 * 1024;
    std::size_t max_connections = 1024;
    WhenFull when_full = WhenFull::kRefuse;
    Duration idle_timeout = 60s;           // between requests
    Duration head_timeout = 10s;           // for a connection's first byte, and from a request's first byte to its last
    std::function<void()> on_room_made{};  // a connection was ended for another one
  };
  using OnRequest = std::function<void(ServerRequest request)>;
  using OnGone = std::function<void(ExchangeId exchange)>;  // the client left before its answer

  Server(net::Loop& loop, Options options, OnRequest on_request, OnGone on_gone = {});
  ~Server();  // closes all connections
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes over an accepted connection.
  void adopt(net::Socket socket, const net::Address& peer);
  // Ignored if the exchange is gone.
  void respond(ExchangeId exchange, const http::Response& response);
  // Ends the exchange's connection without an answer (`reset`: by RST). For simulated faults.
  void drop(ExchangeId exchange, bool reset);
  // Ends all connections. For simulated faults.
  void drop_all(bool reset);
  // While true nothing is read and no answer leaves: a frozen process. For simulated faults.
  void set_frozen(bool frozen);
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::wire
