#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/http/serialize.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/manual_clock.h"
#include "bellwether/sim/cluster.h"
#include "bellwether/wire/client.h"
#include "catch.hpp"

namespace bellwether::sim {

// One exchange over a connection of its own, and how it ended.
struct Asked {
  std::unique_ptr<wire::Client> client;
  std::optional<tl::expected<wire::Reply, wire::ExchangeError>> ended;

  [[nodiscard]] int status() const { return ended && *ended ? (*ended)->status : 0; }
  [[nodiscard]] std::string body() const { return ended && *ended ? (*ended)->body : ""; }
  [[nodiscard]] std::optional<wire::ExchangeFailure> failure() const {
    return ended && !*ended ? std::optional(ended->error().failure) : std::nullopt;
  }
  [[nodiscard]] std::string header(std::string_view name) const {
    if (!ended || !*ended) return "";
    for (const auto& [key, value] : (*ended)->headers) {
      if (key == name) return value;
    }
    return "";
  }
};

// A quick cluster on real sockets, and clients of it. Its time passes only while the test waits for something.
struct SimLab {
  static SimOptions quick() {
    SimOptions options;
    options.election = 120ms;
    options.demotion_block = 80ms;
    options.crash_election = 150ms;
    options.unseal_after = 50ms;
    return options;
  }

  explicit SimLab(SimOptions options = quick()) {
    auto made = net::Loop::create({.clock = &clock});
    REQUIRE(made);
    loop = std::move(*made);
    auto started = Cluster::start(*loop, std::move(options));
    REQUIRE(started);
    cluster = std::move(*started);
  }

  // Sends it on a connection of its own; the answer, if any, is found in what is returned.
  std::shared_ptr<Asked> send(const net::Address& to, http::Request request) {
    auto asked = std::make_shared<Asked>();
    wire::Client::Options options;
    options.address = to;
    options.connect.tls = tls;
    options.connect.server_name = tls ? "vault.test" : "";
    options.answer_timeout = 20s;
    asked->client = std::make_unique<wire::Client>(*loop, std::move(options));
    request.host = "vault.test";
    asked->client->send(http::serialize(request), request.method,
                        [raw = asked.get()](auto ended) { raw->ended = std::move(ended); });
    return asked;
  }
  std::shared_ptr<Asked> send(int node, std::string method, std::string target, std::string body = "") {
    return send(cluster->address(node),
                {std::move(method),
                 std::move(target),
                 "",
                 {{"X-Vault-Token", cluster->root_token()}, {"X-Vault-No-Request-Forwarding", "1"}},
                 std::move(body)});
  }
  std::shared_ptr<Asked> ask(int node, std::string method, std::string target, std::string body = "") {
    auto asked = send(node, std::move(method), std::move(target), std::move(body));
    REQUIRE(until([&] { return asked->ended.has_value(); }));
    return asked;
  }
  int health(int node) { return ask(node, "GET", "/v1/sys/health")->status(); }
  bool until(const std::function<bool()>& done) { return clock.advance_until(*loop, done, 20s); }
  void inject(int node, std::string_view fault, Duration argument = {}) {
    REQUIRE(cluster->inject(node, fault, argument));
  }

  net::ManualClock clock;
  std::unique_ptr<net::Loop> loop;
  std::unique_ptr<Cluster> cluster;
  std::shared_ptr<net::TlsContext> tls;  // of the clients
};

}  // namespace bellwether::sim
