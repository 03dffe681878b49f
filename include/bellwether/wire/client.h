#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/http/head.h"
#include "bellwether/net/stream.h"

namespace bellwether::wire {

// A whole answer. Heads and bodies are bounded by the limits given to the Client.
struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  TimePoint sent{};      // the request's last bytes were given to the kernel then, or a moment later
  TimePoint received{};  // the answer's last byte was read
  bool reused = false;   // went over a connection that had carried an exchange before
};

enum class ExchangeFailure : std::uint8_t {
  kRefused,
  kReset,
  kClosed,
  kConnectTimeout,
  kAnswerTimeout,
  kTls,
  kUnreachable,
  kProtocol
};
struct ExchangeError {
  ExchangeFailure failure{};
  std::string message;
};

// One kept-alive HTTP/1.1 connection to one address, one request at a time. Connects when first asked, reconnects
// after an end. Used by the prober, by `bellwether status` and by tests. One thread: the loop's.
class Client {
 public:
  struct Options {
    net::Address address;
    net::ConnectOptions connect;  // TLS, server name, source, preamble, connect timeout
    // How long a SYN may go unanswered before another follows from a new socket, asked before each; empty: the kernel's
    // own rhythm, 1 s and then twice as long each time. Another one is only of use when longer than the round trip.
    std::function<Duration()> connect_patience;
    std::function<void()> on_lost_syn;  // another one follows
    Duration answer_timeout = 3s;       // from the first byte sent
    std::size_t max_head_bytes = 32 * 1024;
    std::size_t max_body_bytes = 256 * 1024;
  };
  using OnReply = std::function<void(tl::expected<Reply, ExchangeError>)>;

  Client(net::Loop& loop, Options options);
  ~Client();  // the pending callback is dropped
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `request` is a whole serialised request; `method` decides whether a body is expected. On a kept connection that
  // turns out to be closed before any byte of an answer came, it is NOT sent again: the caller is told kClosed.
  // REQUIRES: !is_busy().
  void send(std::string request, std::string_view method, OnReply on_reply);
  [[nodiscard]] bool is_busy() const;
  [[nodiscard]] bool is_connected() const;
  // Called when an idle kept connection is ended by the other side: an early sign.
  void set_on_idle_end(std::function<void(ExchangeFailure)> on_idle_end);
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::wire
