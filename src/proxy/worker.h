#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bellwether/net/listener.h"
#include "bellwether/net/loop.h"
#include "bellwether/proxy/proxy.h"
#include "intake.h"
#include "proxy/core/worker_core.h"
#include "proxy/http/http_front.h"
#include "proxy/redirect/redirect.h"
#include "proxy/tcp/tcp_front.h"
#include "room_maker.h"

namespace bellwether::proxy {

// One thread's listeners, its maxconn, and the modes behind them. Lives on that thread; the control side reaches
// it by posted work.
class Worker final : public WorkerCore {
 public:
  Worker(Shared& shared, Seat& seat);
  ~Worker();

  // From the control side.
  // `round`: of the gate, which the view opens if no newer round has closed it.
  void set_view(cluster::ViewPtr next, std::uint64_t round);
  void on_claim(const cluster::Claim& claim);
  void set_nodes(WorkerNodes next);
  void set_address(NodeId node, const net::Address& address);
  void renew_client_tls(const std::shared_ptr<net::TlsContext>& before, const std::shared_ptr<net::TlsContext>& tls);
  // `open`: those that clients are accepted at from now on; taken out of it.
  // `round`: Listeners::round().
  void set_listeners(std::shared_ptr<const ListenerTable> table, std::vector<OpenListener>& open, std::uint64_t round);
  void set_node_tls(const std::shared_ptr<net::TlsContext>& tls) { http_.set_node_tls(tls); }
  void set_settings(std::shared_ptr<const ProxySettings> settings);
  void begin_accepting();
  // Another process accepts at their sockets.
  void leave_listeners();
  void shut_down();
  [[nodiscard]] const Seat& seat() const { return seat_; }
  [[nodiscard]] bool has_parked() const { return !parked_.empty(); }

  void arm_tick() override;
  void resume_accepting() override;
  void make_room() override;
  void check_idle() override;

 private:
  void release() override { tcp_.release(); }
  // Where clients are accepted. Its listener may become another one (OpenListener::keeps).
  struct Door {
    ListenerNumber number = 0;
    std::unique_ptr<net::Listener> listener;
  };
  // Accepted, but beyond maxconn.
  struct Parked {
    Door* door;  // it accepts nothing meanwhile; null: it is no more
    Accepted accepted;
  };

  [[nodiscard]] std::unique_ptr<Door> open_door(OpenListener& listener);
  void close_door(Door& door);
  void on_accept(Door& door, net::Socket socket, const net::Address& peer);
  [[nodiscard]] bool try_admit(Accepted& accepted);
  void wait_for_room();
  [[nodiscard]] bool expects_proxy_header(const Accepted& accepted) const;
  void admit(Accepted accepted);
  void resume_withheld();
  void tick();
  void update_standings();
  void on_hung();
  void count_accept_failures();
  // A quarter of the shortest time that may have to be looked at.
  [[nodiscard]] Duration tick_interval() const;
  void restart_tick();
  [[nodiscard]] bool has_waiting() const;
  [[nodiscard]] bool has_work() const;

  TcpFront tcp_;
  Redirector redirector_;
  HttpFront http_;
  Intake intake_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<Parked> parked_;              // one of each door at most, and what waited at those that were closed
  std::uint64_t past_accept_failures_ = 0;  // of doors that were closed
  RoomMaker room_maker_;
  net::Timer tick_;
  net::Timer hung_timer_;  // a node that was replaced will have been silent for `grace`
  Duration tick_interval_;
  bool accepts_;            // what a door does when it is opened
  bool told_idle_ = false;  // what the control side was told last
};

}  // namespace bellwether::proxy
