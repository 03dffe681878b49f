#pragma once

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bellwether/net/listener.h"
#include "bellwether/wire/server.h"
#include "catch.hpp"

namespace bellwether::probe::testing {

// A node of OpenBao's manners for the prober's tests: answers health as `status` says, or lets the asker wait. It
// answers /v1/sys/leader with `leader`, and not at all while that is empty.
class FakeNode {
 public:
  FakeNode(net::Loop& loop, int says, std::shared_ptr<net::TlsContext> tls = nullptr)
      : status(says),
        loop_(loop),
        slow_answers_(loop, [this] { answer_slowly(); }),
        server_(loop, options(std::move(tls)), [this](const wire::ServerRequest& request) { on_request(request); }) {
    auto socket = net::bind_listener(*net::Address::parse("127.0.0.1:0"), {});
    REQUIRE(socket);
    listener_ = std::make_unique<net::Listener>(loop, std::move(*socket),
                                                [this](net::Socket accepted, const net::Address& peer) {
                                                  ++connections;
                                                  server_.adopt(std::move(accepted), peer);
                                                });
  }

  // Answers everything that waits, as the node is now.
  void wake() {
    hangs = false;
    for (const wire::ExchangeId exchange : waiting) server_.respond(exchange, health());
    waiting.clear();
  }
  void drop_connections() { server_.drop_all(false); }

  [[nodiscard]] net::Address address() const { return listener_->address(); }

  int status;
  std::string cluster_id = "c1";
  std::string more;                       // members of the body besides, each after a comma
  std::optional<http::Response> instead;  // of every answer about health: from something in between
  std::string leader;
  Duration delay{};  // of each answer about health
  bool hangs = false;
  std::vector<wire::ExchangeId> waiting;
  int requests = 0;
  int leader_questions = 0;
  int connections = 0;
  std::vector<std::string> targets;

 private:
  static wire::Server::Options options(std::shared_ptr<net::TlsContext> tls) {
    wire::Server::Options made;
    made.tls = std::move(tls);
    return made;
  }

  void on_request(const wire::ServerRequest& request) {
    ++requests;
    targets.push_back(request.target);
    if (request.target == "/v1/sys/leader") {
      ++leader_questions;
      const http::Response says{200, {{"Content-Type", "application/json"}}, leader};
      if (!leader.empty()) server_.respond(request.exchange, says);
    } else if (hangs) {
      waiting.push_back(request.exchange);
    } else if (delay > Duration{}) {
      slow_.emplace_back(loop_.now() + delay, request.exchange);
      slow_answers_.arm_at(slow_.front().first);
    } else {
      server_.respond(request.exchange, health());
    }
  }

  void answer_slowly() {
    for (; !slow_.empty() && slow_.front().first <= loop_.now(); slow_.pop_front()) {
      server_.respond(slow_.front().second, health());
    }
    if (!slow_.empty()) slow_answers_.arm_at(slow_.front().first);
  }

  [[nodiscard]] http::Response health() const {
    if (instead) return *instead;
    return {status,
            {{"Content-Type", "application/json"}},
            fmt::format(R"({{"initialized":true,"sealed":{},"standby":{},"version":"2.6.2","cluster_id":"{}"{}}})",
                        status == 503, status != 200, cluster_id, more)};
  }

  net::Loop& loop_;
  std::deque<std::pair<TimePoint, wire::ExchangeId>> slow_;
  net::Timer slow_answers_;
  wire::Server server_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace bellwether::probe::testing
