#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access.h"
#include "bellwether/admin/admin.h"
#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/wire/server.h"
#include "orders.h"
#include "state_feed.h"

namespace bellwether::admin {

// Connections at a time; beyond them the one that has been idle for longest makes room.
inline constexpr std::size_t kMaxReadConnections = 256;
inline constexpr std::size_t kMaxControlConnections = 64;

enum class Rights : std::uint8_t { kRead, kChange };

// Where the answer to an order goes.
struct OrderPlace {
  wire::Server* server = nullptr;
  wire::ExchangeId exchange = 0;
};

// The admin address and the control socket: their connections, requests and answers. What an answer is made of comes
// from the control thread, by copies (StateFeed); orders are carried out there. Lives on the admin thread.
class Endpoints {
 public:
  struct ToControl {
    StateFeed::AskControl ask_state;
    std::function<void(OrderPlace place, Order order)> carry_out;
    std::function<void(std::uint64_t ended)> on_room_made;
  };

  Endpoints(net::Loop& loop, const AdminOptions& options, ToControl to_control);
  ~Endpoints();
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  void listen(net::Socket socket, Rights rights);
  void begin_accepting();
  // Another process accepts at these addresses; what was asked here is answered.
  void leave();
  // From the control thread.
  void on_state(const StatePtr& state) { feed_.on_state(state); }
  void set_access(const AccessOptions& access) { access_ = Access(access); }
  void on_carried_out(const OrderPlace& place, const http::Response& response);

 private:
  struct Side;
  void on_request(Side& side, const wire::ServerRequest& request);
  void answer_all(const std::vector<PendingRead>& reads, const StatePtr& state);
  void on_room_made();
  void tell_room();

  net::Loop& loop_;
  const AdminOptions& options_;
  Access access_;
  ToControl to_control_;
  StateFeed feed_;
  std::vector<std::unique_ptr<Side>> sides_;
  bool accepts_;  // what a listener does that is added
  std::uint64_t made_room_untold_ = 0;
  net::Timer tell_room_timer_;
};

}  // namespace bellwether::admin
