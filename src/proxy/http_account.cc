#include <utility>

#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {

// The request has its outcome. `status`: what the client was told; 0: nothing.
void HttpSession::settle(Counter& outcome, int status) {
  HttpCounters& http = front_.worker().counters().http;
  const TimePoint now = front_.worker().now();
  if (std::exchange(request_.is_open, false)) {
    outcome.add();
    http.requests_now.subtract();
    if (request_.was_held) http.held.add();
    http.waiting.record(request_.held);
    if (request_.sends > 0) http.upstream.record(now - attempt_.began);
    http.total.record(now - request_.asked);
  }
  count_status(status);
}

void HttpSession::count_status(int status) {
  if (status < 100 || status > 599) return;
  front_.worker().counters().http.by_status_class[static_cast<std::size_t>(status / 100 - 1)].add();
}

}  // namespace bellwether::proxy
