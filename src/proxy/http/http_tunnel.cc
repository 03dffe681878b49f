#include "bellwether/http/serialize.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

void HttpExchange::start_tunnel(const http::ResponseHead& head) {
  http::append_response_head(to_client.room(), head, {request.version, true});
  from_node.consume(head.bytes);
  to_node.stop_keeping();
  note_answered();
  answer.has_begun = true;
  answer.status = head.status;
  request.upstream = front_.worker().now() - attempt.began;
  become(Stage::kTunnel);
}

bool HttpExchange::step_tunnel() {
  bool moved = false;
  if (!in.empty() && to_node.unsent().size() < kAhead) {
    to_node.tail() += in.view();
    in.clear();
    moved = true;
  }
  moved = write_node() || moved;
  moved = read_node() || moved;
  if (!from_node.empty() && to_client.size() < kAhead) {
    to_client.append(from_node.view());
    from_node.clear();
    moved = true;
  }
  return moved;
}

// The node's end is the tunnel's, once what it said before has been passed on. The client's is passed on to the node,
// which may have some last words.
void HttpExchange::step_ends() {
  if (stage_ != Stage::kTunnel) return;
  const bool client_is_done = connection_->has_client_ended() && in.empty() && to_node.unsent().empty();
  if (client_is_done && attempt.end_told_at == kNever) {
    upstream_->shutdown_write();
    attempt.end_told_at = front_.worker().now();
  }
  const bool node_is_done = attempt.ended != NodeEnd::kNone && from_node.empty() && to_client.empty();
  if (node_is_done || attempt.write_broken) end_tunnel();
}

void HttpExchange::end_tunnel() {
  settle(Outcome::kOk, answer.status, kEndedNormally);
  connection_->end(kEndedNormally);
}

}  // namespace bellwether::proxy
