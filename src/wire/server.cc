#include "bellwether/wire/server.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "bellwether/base/assert.h"
#include "bellwether/base/text.h"
#include "connection.h"

namespace bellwether::wire {

std::optional<std::string_view> ServerRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

struct Server::Impl final : ConnectionOwner {
  Impl(net::Loop& l, Options o, OnRequest request, OnGone gone)
      : loop(l),
        options(std::move(o)),
        request_handler(std::move(request)),
        gone_handler(std::move(gone)),
        next_turn(l, [this] { serve_postponed(); }) {}

  ~Impl() {
    // Their end must not be told to handlers that may be half destroyed.
    gone_handler = {};
    request_handler = {};
    options.on_room_made = {};
    end_all(false);
  }

  void adopt(net::Socket socket, const net::Address& peer) {
    const bool is_full = table.size() + waiting.size() >= options.max_connections;
    if (is_full && !make_room()) {
      socket.close();
      return;
    }
    if (frozen) {
      waiting.emplace_back(std::move(socket), peer);
      return;
    }
    auto connection = std::make_unique<Connection>(*this, loop, options, std::move(socket), peer);
    Connection* const key = connection.get();
    table.emplace(key, std::move(connection));
  }

  ExchangeId begin_exchange(Connection& connection) override {
    exchanges.emplace(++last_exchange, &connection);
    return last_exchange;
  }
  void on_request(ServerRequest request) override {
    if (request_handler) request_handler(std::move(request));
  }
  void on_gone(ExchangeId exchange) override {
    if (gone_handler) gone_handler(exchange);
  }
  void end_exchange(ExchangeId exchange) override { exchanges.erase(exchange); }

  void retire(Connection& connection) override {
    const auto found = table.find(&connection);
    BW_ASSERT(found != table.end());
    postponed.erase(std::remove(postponed.begin(), postponed.end(), &connection), postponed.end());
    loop.at_turn_end([retired = std::shared_ptr<Connection>(std::move(found->second))] {});
    table.erase(found);
  }

  void postpone(Connection& connection) override {
    postponed.push_back(&connection);
    if (!next_turn.is_armed()) next_turn.arm_in(Duration::zero());
  }

  // Connections that end meanwhile leave no pointer behind: each is looked up.
  void serve_postponed() {
    for (Connection* connection : std::exchange(postponed, {})) {
      if (table.contains(connection)) connection->go_on();
    }
  }

  // Appends those of its connections that wait for their clients.
  void collect_idle(std::vector<IdleConnection>& into) {
    for (const auto& [key, connection] : table) {
      const auto waits = connection->waiting();
      if (waits)
        into.push_back({waits->idleness, waits->since, [this, key = key] {
                          key->end(false);
                          if (options.on_room_made) options.on_room_made();
                          return true;
                        }});
    }
  }

  bool make_room() {
    if (options.when_full != WhenFull::kEndLongestIdle) return false;
    std::vector<IdleConnection> idle;
    collect_idle(idle);
    return end_longest_idle(std::move(idle), loop.now(), {}) > 0;
  }

  [[nodiscard]] bool is_frozen() const override { return frozen; }

  [[nodiscard]] Connection* connection_of(ExchangeId exchange) const {
    const auto found = exchanges.find(exchange);
    return found == exchanges.end() ? nullptr : found->second;
  }

  // Calls `what` for each connection there is now; any of them may end, or end others, meanwhile.
  template <typename What>
  void for_each(What what) {
    std::vector<Connection*> now;
    now.reserve(table.size());
    for (const auto& [key, connection] : table) now.push_back(key);
    for (Connection* connection : now) {
      if (table.contains(connection)) what(*connection);
    }
  }

  void end_all(bool reset) {
    waiting.clear();
    for_each([reset](Connection& connection) { connection.end(reset); });
  }

  void set_frozen(bool freeze) {
    if (frozen == freeze) return;
    frozen = freeze;
    if (frozen) return;
    for_each([](Connection& connection) { connection.thaw(); });
    for (auto& [socket, peer] : std::exchange(waiting, {})) adopt(std::move(socket), peer);
  }

  net::Loop& loop;
  Options options;
  OnRequest request_handler;
  OnGone gone_handler;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> table;
  std::unordered_map<ExchangeId, Connection*> exchanges;
  std::vector<std::pair<net::Socket, net::Address>> waiting;  // accepted while frozen
  std::vector<Connection*> postponed;                         // each once: a pump() postpones it at its end
  net::Timer next_turn;
  ExchangeId last_exchange = 0;
  bool frozen = false;
};

Server::Server(net::Loop& loop, Options options, OnRequest on_request, OnGone on_gone)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(on_request), std::move(on_gone))) {}

Server::~Server() = default;

void Server::adopt(net::Socket socket, const net::Address& peer) { impl_->adopt(std::move(socket), peer); }

void Server::respond(ExchangeId exchange, const http::Response& response) {
  if (Connection* connection = impl_->connection_of(exchange)) connection->respond(response);
}

void Server::drop(ExchangeId exchange, bool reset) {
  if (Connection* connection = impl_->connection_of(exchange)) connection->end(reset);
}

void Server::drop_all(bool reset) { impl_->end_all(reset); }
void Server::set_frozen(bool frozen) { impl_->set_frozen(frozen); }
std::size_t Server::connections() const { return impl_->table.size() + impl_->waiting.size(); }

}  // namespace bellwether::wire
