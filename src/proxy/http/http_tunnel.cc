#include "bellwether/http/serialize.h"
#include "http_connection.h"
#include "http_exchange.h"
#include "http_front.h"

namespace bellwether::proxy {

void HttpExchange::start_tunnel(const http::ResponseHead& head) {
  http::append_response_head(exchange_.to_client.room(), head, {exchange_.request.version, true});
  begin_answer(head);
  exchange_.become(Stage::kTunnel);
}

bool HttpExchange::step_tunnel() {
  bool moved = false;
  if (!exchange_.in.empty() && exchange_.to_node.unsent().size() < kAhead) {
    exchange_.to_node.tail() += exchange_.in.view();
    exchange_.in.clear();
    moved = true;
  }
  moved = delivery_.write() || moved;
  moved = delivery_.read() || moved;
  if (!exchange_.from_node.empty() && exchange_.to_client.size() < kAhead) {
    exchange_.to_client.append(exchange_.from_node.view());
    exchange_.from_node.clear();
    moved = true;
  }
  return moved;
}

// The node's end is the tunnel's, once what it said before has been passed on. The client's is passed on to the node,
// which may have some last words.
void HttpExchange::step_ends() {
  if (stage() != Stage::kTunnel) return;
  const Attempt& attempt = exchange_.attempt;
  const bool client_is_done =
      connection_->has_client_ended() && exchange_.in.empty() && exchange_.to_node.unsent().empty();
  if (client_is_done && attempt.end_told_at == kNever) delivery_.end_sending();
  const bool node_is_done =
      attempt.ended != NodeEnd::kNone && exchange_.from_node.empty() && exchange_.to_client.empty();
  if (node_is_done || attempt.write_broken) end_tunnel();
}

void HttpExchange::end_tunnel() {
  account_.settle(Outcome::kOk, exchange_.answer.status, kEndedNormally);
  connection_->end(kEndedNormally);
}

}  // namespace bellwether::proxy
