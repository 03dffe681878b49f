#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/net/listener.h"
#include "bellwether/net/manual_clock.h"
#include "bellwether/net/stream.h"
#include "catch.hpp"
#include "support/paths.h"

namespace bellwether::net::testing {

inline std::string cert(const std::string& name) { return bellwether::testing::cert_path(name); }

inline std::unique_ptr<Loop> make_loop(ManualClock* clock = nullptr) {
  auto loop = Loop::create({.precise_timers = true, .clock = clock});
  REQUIRE(loop);
  return std::move(*loop);
}

// A loop whose time stands still until the test moves it.
class ManualLoop {
 public:
  [[nodiscard]] Loop& operator*() const { return *loop_; }
  [[nodiscard]] Loop* operator->() const { return loop_.get(); }

 private:
  ManualClock clock_;
  std::unique_ptr<Loop> loop_ = make_loop(&clock_);
};

// Lets `time` pass for the loop, by its own clock.
inline void pass(Loop& loop, Duration time) {
  if (ManualClock* clock = loop.clock()) return clock->advance(loop, time);
  CHECK_FALSE(loop.run_until([] { return false; }, time));
}
// Until `done()` is true, or `patience` has passed by the loop's own clock.
[[nodiscard]] inline bool pass_until(Loop& loop, const std::function<bool()>& done, Duration patience) {
  if (ManualClock* clock = loop.clock()) return clock->advance_until(loop, done, patience);
  return loop.run_until(done, patience);
}

inline std::shared_ptr<TlsContext> server_tls(const std::string& name = "server", TlsServerOptions options = {}) {
  options.cert_file = cert(name + ".pem");
  options.key_file = cert(name + ".key");
  auto context = TlsContext::server(options);
  REQUIRE(context);
  return *context;
}

inline std::shared_ptr<TlsContext> client_tls(const std::string& ca = "ca.pem", const std::string& own = "") {
  TlsClientOptions options{.ca_file = cert(ca)};
  if (!own.empty()) options.cert_file = cert(own + ".pem"), options.key_file = cert(own + ".key");
  auto context = TlsContext::client(options);
  REQUIRE(context);
  return *context;
}

// One end of a stream that notes what happens to it; reads everything unless told not to.
struct End final : StreamHandler {
  std::unique_ptr<Stream> stream;
  std::string received;
  std::string to_send;
  bool opened = false;
  bool eof = false;
  bool echo = false;
  bool reading = true;
  bool finish = false;  // shut down once all is sent
  std::optional<Error> broken;
  std::optional<int> read_error;

  void on_open() override {
    opened = true;
    flush();
  }
  void on_readable() override {
    std::vector<char> buffer(16 * 1024);
    while (reading) {
      const IoResult got = stream->read(buffer);
      if (got.status == IoStatus::kAgain) return;
      if (got.status == IoStatus::kEof) {
        eof = true;
        if (echo) finish = true;
        return flush();
      }
      if (got.status == IoStatus::kError) {
        read_error = got.error;
        return;
      }
      (echo ? to_send : received).append(buffer.data(), got.bytes);
      if (echo) flush();
    }
  }
  void on_writable() override { flush(); }
  void on_broken(Error error) override { broken = error; }

  void flush() {
    while (!to_send.empty()) {
      const IoResult sent = stream->write(to_send);
      if (sent.status != IoStatus::kOk) return;
      to_send.erase(0, sent.bytes);
    }
    if (finish) stream->shutdown_write();
  }
  [[nodiscard]] bool over() const { return broken || read_error || eof; }
};

// A listener at which nobody accepts, its queue full: one fills a backlog of 0, and the kernel drops the SYNs of
// whoever comes then. So does a node that is hidden, or has hung.
struct FullListener {
  explicit FullListener(Loop& loop) {
    auto bound = bind_listener(*Address::parse("127.0.0.1:0"), {.backlog = 0});
    REQUIRE(bound);
    socket = std::move(*bound);
    address = *socket.local_address();
    filler.stream = Stream::connect(loop, address, {}, filler);
    REQUIRE(loop.run_until([this] { return filler.opened; }, 20s));
  }

  Socket socket;
  Address address;
  End filler;
};

// Accepts, keeps what it accepted, and says nothing.
struct MuteListener {
  MuteListener(Loop& loop, Socket socket)
      : listener(loop, std::move(socket), [this](Socket one, const Address&) { accepted.push_back(std::move(one)); }) {}
  explicit MuteListener(Loop& loop) : MuteListener(loop, bind_listener(*Address::parse("127.0.0.1:0"), {}).value()) {}

  std::vector<Socket> accepted;
  Listener listener;
};

// A loopback listener whose first connection becomes `server`, and a `client` that connects to it.
struct Pair {
  explicit Pair(std::shared_ptr<TlsContext> tls = nullptr, const std::string& where = "127.0.0.1:0")
      : loop(make_loop()), server_context(std::move(tls)) {
    auto socket = bind_listener(*Address::parse(where), {});
    REQUIRE(socket);
    listener.emplace(*loop, std::move(*socket), [this](Socket accepted, const Address&) {
      server.stream = Stream::accept(*loop, std::move(accepted), server_context, handshake_timeout, server);
    });
  }

  void connect(ConnectOptions options = {}) {
    client.stream = Stream::connect(*loop, listener->address(), std::move(options), client);
  }
  bool until(const std::function<bool()>& done) { return loop->run_until(done, 20s); }
  bool both_open() {
    return until([&] { return (client.opened && server.opened) || client.broken || server.broken; }) && client.opened &&
           server.opened;
  }

  std::unique_ptr<Loop> loop;
  std::shared_ptr<TlsContext> server_context;
  Duration handshake_timeout = 10s;
  End client, server;
  std::optional<Listener> listener;
};

}  // namespace bellwether::net::testing
