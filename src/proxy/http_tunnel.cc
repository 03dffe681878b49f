#include <utility>

#include "bellwether/http/serialize.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {

void HttpSession::start_tunnel(const http::ResponseHead& head) {
  http::append_response_head(exchange_->to_client.room(), head, {exchange_->request.version, true});
  exchange_->from_node.consume(head.bytes);
  exchange_->to_node.stop_keeping();
  note_answered();
  exchange_->answer.has_begun = true;
  exchange_->answer.status = head.status;
  exchange_->request.upstream = front_.worker().now() - exchange_->attempt.began;
  state_ = State::kTunnel;
}

bool HttpSession::tunnel_step() {
  bool moved = false;
  if (!exchange_->in.empty() && exchange_->to_node.unsent().size() < kAhead) {
    exchange_->to_node.tail() += exchange_->in.view();
    exchange_->in.clear();
    moved = true;
  }
  moved = write_node() || moved;
  moved = read_node() || moved;
  if (!exchange_->from_node.empty() && exchange_->to_client.size() < kAhead) {
    exchange_->to_client.append(exchange_->from_node.view());
    exchange_->from_node.clear();
    moved = true;
  }
  return moved;
}

// The node's end is the tunnel's, once what it said before has been passed on. The client's is passed on to the node,
// which may have some last words.
void HttpSession::tunnel_step_ends() {
  const bool client_is_done = client_ended_ && exchange_->in.empty() && exchange_->to_node.unsent().empty();
  if (client_is_done && !std::exchange(node_knows_of_end_, true)) {
    upstream_->shutdown_write();
    linger_since_ = front_.worker().now();
  }
  const bool node_is_done =
      exchange_->attempt.ended != NodeEnd::kNone && exchange_->from_node.empty() && exchange_->to_client.empty();
  if (!node_is_done && !exchange_->attempt.write_broken) return;
  end_tunnel();
}

void HttpSession::end_tunnel() {
  settle(Outcome::kOk, exchange_->answer.status, kEndedNormally);
  end(kEndedNormally);
}

}  // namespace bellwether::proxy
