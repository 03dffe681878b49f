#include "worker.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bellwether::proxy {
namespace {

constexpr Duration kLongestTick = 100ms;  // a stop of this thread that is longer is noticed by the tick
constexpr Duration kShortestTick = 5ms;

Duration shortest_time(const SessionSettings& o) {
  return std::min(
      {o.hold_timeout_tcp, o.hold_timeout_http, o.timeout_idle, o.drain_quiet, o.drain_deadline, o.timeout_header});
}

}  // namespace

Worker::Worker(Shared& shared, Seat& seat)
    : WorkerCore(shared, seat),
      tcp_(*this),
      redirector_(*this),
      http_(*this, std::exchange(seat.node_tls, nullptr), redirector_),
      intake_(
          loop(), [this](Accepted accepted) { admit(std::move(accepted)); },
          [this](const Accepted& failed) {
            counters().proxy_header_errors.add();
            release_session(failed.listener);
            check_idle();
          }),
      room_maker_(*this),
      tick_(loop(), [this] { tick(); }),
      hung_timer_(loop(), [this] { on_hung(); }),
      tick_interval_(kLongestTick),
      accepts_(!shared.waits_to_accept) {
  std::vector<OpenListener> open = std::exchange(seat.listeners, {});
  set_listeners(std::exchange(seat.listener_table, nullptr), open, 0);
}

Worker::~Worker() {
  doors_.clear();
  // Their ends are counted and told: now, while all of the worker stands.
  tcp_.end_all();
  http_.end_all();
}

void Worker::set_listeners(std::shared_ptr<const ListenerTable> table, std::vector<OpenListener>& open,
                           std::uint64_t round) {
  known_listeners().set(std::move(table), open);
  std::vector<std::unique_ptr<Door>> before = std::exchange(doors_, {});
  for (OpenListener& each : open) {
    for (auto& door : before) {
      if (!door || door->number != each.keeps) continue;
      door->number = each.number;
      doors_.push_back(std::move(door));
    }
    if (auto door = open_door(each)) doors_.push_back(std::move(door));
  }
  for (const auto& door : before) {
    if (door) close_door(*door);
  }
  if (parked_.empty() && intake_.size() == 0) known_listeners().forget_closed_tls(open);
  if (auto unused = listeners().unused(open); !unused.empty()) shared_.on_unused(seat_, round, std::move(unused));
  restart_tick();
}

// The other process may not listen everywhere: who waits is taken here.
void Worker::leave_listeners() {
  for (const auto& door : std::exchange(doors_, {})) {
    door->listener->keep_file();
    close_door(*door);
  }
}

// Null: there is no new socket.
std::unique_ptr<Worker::Door> Worker::open_door(OpenListener& listener) {
  if (!listener.socket.is_open()) return nullptr;
  auto door = std::make_unique<Door>();
  door->number = listener.number;
  door->listener = std::make_unique<net::Listener>(
      loop(), std::move(listener.socket), [this, of = door.get()](net::Socket socket, const net::Address& peer) {
        on_accept(*of, std::move(socket), peer);
      });
  if (!accepts_) door->listener->pause();
  return door;
}

// Nobody has been parked yet.
void Worker::begin_accepting() {
  if (std::exchange(accepts_, true)) return;
  for (const auto& door : doors_) door->listener->resume();
}

// Who waits in its queue has been told that it is connected.
void Worker::close_door(Door& door) {
  door.listener->accept_all();
  past_accept_failures_ += door.listener->accept_failures();
  for (Parked& each : parked_) {
    if (each.door == &door) each.door = nullptr;
  }
}

void Worker::on_accept(Door& door, net::Socket socket, const net::Address& peer) {
  Accepted accepted{door.number, std::move(socket), peer, std::nullopt};
  known_listeners().begin_use(door.number);
  if (try_admit(accepted)) return;
  door.listener->pause();
  parked_.push_back({&door, std::move(accepted)});
  wait_for_room();
}

// False: maxconn is reached.
bool Worker::try_admit(Accepted& accepted) {
  if (!shared_.sessions.try_enter()) return false;
  if (expects_proxy_header(accepted)) {
    intake_.add(std::move(accepted));
    arm_tick();
  } else {
    admit(std::move(accepted));
  }
  return true;
}

// One that was accepted waits: the kernel keeps the others of its listener. Each listener has one that waits at most,
// and they have their turns: a flood of one listener does not keep the clients of another one out.
void Worker::wait_for_room() {
  if (!seat_.room.is_waiting()) counters().maxconn_pauses.add();
  if (!shared_.sessions.wait(seat_.room)) return loop().post([this] { resume_accepting(); });
  room_maker_.start();
}

void Worker::make_room() {
  std::vector<wire::IdleConnection> idle;
  intake_.collect_idle(idle);
  tcp_.collect_idle(idle);
  http_.collect_idle(idle);
  const std::size_t ended = wire::end_longest_idle(std::move(idle), now(), room_policy(options().maxconn));
  if (ended > 0 && shared_.callbacks.on_room_made) shared_.callbacks.on_room_made(ended);
}

bool Worker::expects_proxy_header(const Accepted& accepted) const {
  if (!listeners().options(accepted.listener).accept_proxy) return false;
  const std::vector<IpRange>& from = listeners().settings(accepted.listener).accept_proxy_from;
  // Who may connect to a unix socket is a question of its mode.
  return from.empty() || accepted.client.is_unix() || is_in_any(accepted.client.host(), from);
}

void Worker::resume_accepting() {
  shared_.sessions.stop_waiting(seat_.room);
  std::vector<Parked> waiting = std::exchange(parked_, {});
  for (auto each = waiting.begin(); each != waiting.end(); ++each) {
    if (!try_admit(each->accepted)) {
      std::move(each, waiting.end(), std::back_inserter(parked_));
      return wait_for_room();
    }
    if (each->door != nullptr) each->door->listener->resume();
  }
}

void Worker::admit(Accepted accepted) {
  switch (listeners().options(accepted.listener).mode) {
    case Mode::kTcp:
      tcp_.adopt(std::move(accepted));
      break;
    case Mode::kRedirect:
      http_.adopt(std::move(accepted), AnsweredBy::kResponder);
      break;
    case Mode::kHttp:
      http_.adopt(std::move(accepted), AnsweredBy::kNodes);
      break;
  }
  check_idle();
  arm_tick();
}

void Worker::set_view(cluster::ViewPtr next, std::uint64_t round) {
  if (shared_.gate.obeyed(seat_.index) != round) {
    tcp_.on_fence();
    http_.on_fence();
  }
  take_view(std::move(next), round);
  update_standings();
  tcp_.on_view();
  http_.on_view();
  if (known_nodes().forget_removed(*view())) http_.on_nodes();
  resume_withheld();
  if (has_waiting()) note_traffic();
}

void Worker::on_claim(const cluster::Claim& claim) {
  take_claim(claim);
  http_.on_claim();
  tcp_.release();
  resume_withheld();
  if (http_.has_unconfirmed() || own_clearance().wants_claim()) own_clearance().ask_for_wanted_claim();
}

void Worker::resume_withheld() {
  if (!own_clearance().take_up_withheld()) return;
  tcp_.look_again();
  http_.resume();
}

void Worker::update_standings() { hung_timer_.arm_at(known_nodes().update_standings(*view(), now(), options().grace)); }

void Worker::on_hung() {
  update_standings();
  tcp_.look_again();
  http_.on_hung();
}

void Worker::set_nodes(WorkerNodes next) {
  known_nodes().set(std::move(next));
  http_.on_nodes();
}

void Worker::set_address(NodeId node, const net::Address& address) {
  if (!nodes().has(node)) return;
  known_nodes().set_address(node, address);
  http_.on_address(node);
}

// A connection that was accepted before keeps its context.
void Worker::renew_client_tls(const std::shared_ptr<net::TlsContext>& before,
                              const std::shared_ptr<net::TlsContext>& tls) {
  known_listeners().renew_tls(before, tls);
}

// Whoever waits for a place below maxconn asks again, for there may be more of them.
void Worker::set_settings(std::shared_ptr<const ProxySettings> settings) {
  const auto before = std::exchange(settings_, std::move(settings));
  known_listeners().set_common(options());
  if (options().suspect_after != before->suspect_after) own_clearance().set_suspect_after(options().suspect_after);
  for (const auto& door : doors_) door->listener->set_tcp(options().tcp);
  if (view()) update_standings();
  http_.on_settings(*before);
  tcp_.look_again();
  resume_accepting();
  restart_tick();
}

Duration Worker::tick_interval() const {
  Duration shortest = std::min({shortest_time(options()), options().timeout_connect, options().grace});
  for (const SessionSettings* each : listeners().all_settings()) shortest = std::min(shortest, shortest_time(*each));
  return std::clamp(shortest / 4, kShortestTick, kLongestTick);
}

void Worker::restart_tick() {
  tick_interval_ = tick_interval();
  tick_.cancel();
  if (has_work() || http_.has_idle_upstreams()) arm_tick();
}

bool Worker::has_waiting() const { return tcp_.has_waiting() || http_.has_waiting(); }

bool Worker::has_work() const { return tcp_.is_busy() || intake_.size() > 0 || http_.is_busy(); }

void Worker::arm_tick() {
  if (!tick_.is_armed()) tick_.arm_in(tick_interval_);
}

void Worker::tick() {
  count_accept_failures();
  intake_.tick(now());
  tcp_.tick(now());
  http_.tick(now());
  if (has_waiting()) note_traffic();  // however long ago it came
  own_clearance().keep_fresh();
  tcp_.release();
  resume_withheld();
  check_idle();
  if (has_work() || http_.has_idle_upstreams()) arm_tick();
}

void Worker::count_accept_failures() {
  std::uint64_t failures = past_accept_failures_;
  for (const auto& door : doors_) failures += door->listener->accept_failures();
  counters().accept_failures.set(failures);
}

void Worker::shut_down() {
  begin_shutting_down();
  check_idle();
  arm_tick();
}

void Worker::check_idle() {
  if (!is_shutting_down()) return;
  const bool is_idle = !tcp_.is_busy() && !http_.is_serving() && intake_.size() == 0 && parked_.empty();
  if (std::exchange(told_idle_, is_idle) != is_idle) shared_.on_idle_changed(seat_, is_idle);
}

}  // namespace bellwether::proxy
