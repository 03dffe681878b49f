#include "tcp_front.h"

#include <utility>

#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr Duration kLeaveInterval = 4ms;

}  // namespace

TcpFront::TcpFront(WorkerCore& worker)
    : worker_(worker), answers_(worker.loop()), leave_timer_(worker.loop(), [this] { leave_tick(); }) {}

void TcpFront::adopt(Accepted accepted) {
  worker_.counters().sessions_total.add();
  worker_.counters().sessions_now.add();
  auto origin = origin_of(accepted);
  Session& session =
      table_.add(std::make_unique<Session>(*this, accepted.listener, std::move(accepted.socket), std::move(origin)));
  session.start();
  release();
}

std::unique_ptr<Origin> TcpFront::origin_of(const Accepted& accepted) const {
  const ProxySettings& options = worker_.options();
  const bool sends_header = options.send_proxy != net::ProxyVersion::kNone;
  if (!sends_header && !options.log_sessions) return nullptr;
  auto origin = std::make_unique<Origin>();
  origin->client = accepted.client;
  origin->listener = accepted.listener;
  if (sends_header) origin->destination = accepted.reached();
  return origin;
}

void TcpFront::end_all() {
  table_.for_each([](Session& session) { session.end(ended_by_us(Phase::kRelaying)); });
}

void TcpFront::on_fence() {
  table_.for_each([](Session& session) { session.undial(); });
}

void TcpFront::on_view() {
  table_.for_each([](Session& session) {
    session.on_view();
    session.send_what_waits();
  });
  release();
}

void TcpFront::look_again() {
  table_.for_each([](Session& session) { session.on_view(); });
}

void TcpFront::tick(TimePoint now) {
  table_.for_each([now](Session& session) { session.on_tick(now); });
}

void TcpFront::release() {
  queue_.offer([this](WaitLink& link) {
    const auto next_target = worker_.dials().has_room() ? worker_.target() : std::nullopt;
    if (!next_target) return false;
    static_cast<Session&>(link).leave_hold(*next_target);
    return true;
  });
}

void TcpFront::collect_idle(std::vector<wire::IdleConnection>& into) {
  table_.for_each([&into](Session& session) { session.collect_idle(into); });
}

void TcpFront::arm_leave_timer() {
  if (!leave_timer_.is_armed()) leave_timer_.arm_in(kLeaveInterval);
}

void TcpFront::leave_tick() {
  int quiet_cuts = 0;
  bool is_needed = false;
  table_.for_each([&](Session& session) {
    // Those that come back wait for the new leader: they must not fill the hold.
    const bool may_cut_quiet = quiet_cuts < kMaxQuietCutsPerLeaveTick && !worker_.shared().held.is_half_full();
    if (session.leave_step(worker_.now(), may_cut_quiet)) ++quiet_cuts;
    is_needed = is_needed || session.needs_leave_steps();
  });
  if (is_needed) arm_leave_timer();
}

void TcpFront::retire(Session& session, std::uint16_t listener) {
  worker_.counters().sessions_now.subtract();
  if (!table_.has_retired()) worker_.loop().at_turn_end([this] { after_retire(); });
  table_.retire(session);
  worker_.release_session(listener);
}

void TcpFront::after_retire() {
  table_.bury();
  worker_.check_idle();
}

}  // namespace bellwether::proxy
