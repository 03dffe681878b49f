#include "shared.h"

#include "worker_core.h"

namespace bellwether::proxy {

void Shared::release_session() {
  sessions.leave(
      seats, [](std::unique_ptr<Seat>& seat) -> SessionLimit::Waiter& { return seat->room; },
      [](std::unique_ptr<Seat>& seat) { seat->loop->post([s = seat.get()] { s->worker->resume_accepting(); }); });
}

void Shared::ask_others_for_room(const Seat& asking) {
  for (auto& seat : seats) {
    if (seat.get() != &asking) seat->loop->post([s = seat.get()] { s->worker->make_room(); });
  }
}

}  // namespace bellwether::proxy
