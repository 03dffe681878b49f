#include <utility>

#include "bellwether/http/serialize.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {

void HttpSession::start_tunnel(const http::ResponseHead& head) {
  http::append_response_head(to_client_.room(), head, {request_.version, true});
  from_node_.consume(head.bytes);
  to_node_.stop_keeping();
  note_answered();
  answer_.has_begun = true;
  answer_.status = head.status;
  request_.upstream = front_.worker().now() - attempt_.began;
  state_ = State::kTunnel;
}

bool HttpSession::tunnel_step() {
  bool moved = false;
  if (!in_.empty() && to_node_.unsent().size() < kAhead) {
    to_node_.tail() += in_.view();
    in_.clear();
    moved = true;
  }
  moved = write_node() || moved;
  moved = read_node() || moved;
  if (!from_node_.empty() && to_client_.size() < kAhead) {
    to_client_.append(from_node_.view());
    from_node_.clear();
    moved = true;
  }
  return moved;
}

// The node's end is the tunnel's, once what it said before has been passed on. The client's is passed on to the node,
// which may have some last words.
void HttpSession::tunnel_step_ends() {
  const bool client_is_done = client_ended_ && in_.empty() && to_node_.unsent().empty();
  if (client_is_done && !std::exchange(node_knows_of_end_, true)) {
    upstream_->shutdown_write();
    linger_since_ = front_.worker().now();
  }
  const bool node_is_done = attempt_.ended != NodeEnd::kNone && from_node_.empty() && to_client_.empty();
  if (!node_is_done && !attempt_.write_broken) return;
  end_tunnel();
}

void HttpSession::end_tunnel() {
  settle(Outcome::kOk, answer_.status, kEndedNormally);
  end(kEndedNormally);
}

}  // namespace bellwether::proxy
