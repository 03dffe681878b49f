#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bellwether/wire/client.h"
#include "bellwether/wire/server.h"
#include "component/net/stream_pair.h"

namespace bellwether::wire::testing {

using net::testing::End;

// A listening Server whose handler does what the test says, and keeps what it was asked.
struct ServerHouse {
  explicit ServerHouse(Server::Options options = {}) : loop(net::testing::make_loop()) {
    server.emplace(
        *loop, std::move(options),
        [this](ServerRequest request) {
          requests.push_back(request);
          if (on_request) on_request(request);
        },
        [this](ExchangeId exchange) { gone.push_back(exchange); });
    auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
    REQUIRE(socket);
    listener.emplace(*loop, std::move(*socket), [this](net::Socket accepted, const net::Address& peer) {
      server->adopt(std::move(accepted), peer);
    });
  }

  // Answers each request at once with its target.
  void echo_targets() {
    on_request = [this](const ServerRequest& request) {
      server->respond(request.exchange, {.status = 200, .headers = {}, .body = request.target});
    };
  }

  [[nodiscard]] Client::Options client_options(std::shared_ptr<net::TlsContext> tls = nullptr) const {
    Client::Options options;
    options.address = listener->address();
    options.connect.tls = std::move(tls);
    options.connect.server_name = "127.0.0.1";
    return options;
  }

  void connect(End& end) { end.stream = net::Stream::connect(*loop, listener->address(), {}, end); }
  bool until(const std::function<bool()>& done) { return loop->run_until(done, 20s); }
  // Turns until nothing that is ready is left undone.
  void settle() {
    CHECK_FALSE(loop->run_until([] { return false; }, 20ms));
  }

  std::unique_ptr<net::Loop> loop;
  std::vector<ServerRequest> requests;
  std::vector<ExchangeId> gone;
  std::function<void(const ServerRequest&)> on_request;
  std::optional<Server> server;
  std::optional<net::Listener> listener;
};

inline std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace bellwether::wire::testing
