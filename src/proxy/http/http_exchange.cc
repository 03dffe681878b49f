#include "http_exchange.h"

#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/http/chunk_writer.h"
#include "bellwether/http/target.h"
#include "bellwether/vault/consistency.h"
#include "bellwether/vault/ui_requests.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

constexpr int kRequestTimeout = 408;

}  // namespace

HttpExchange::HttpExchange(HttpFront& front)
    : front_(front), account_(front.worker(), exchange_), delivery_(front, exchange_, account_, *this) {}

void HttpExchange::bind(HttpConnection& connection) {
  connection_ = &connection;
  account_.bind(connection.sum(), front_.counters_of(connection.answered_by()));
  delivery_.bind(connection);
}

// REQUIRES: the request is told of, its answer has left, and no node works on it
void HttpExchange::restart() {
  BW_ASSERT(delivery_.is_idle());
  exchange_.restart();
}

void HttpExchange::start(const http::RequestHead& head) {
  account_.open();
  Request& request = exchange_.request;
  request.method.assign(head.method);
  request.path.assign(http::path_of(head.target));
  request.version = head.version;
  request.body_kind = head.body.kind;
  request.request_class = vault::classify(request.method, request.path);
  request.keep_alive = head.keep_alive;
  request.was_continued = !head.expects_continue;
  exchange_.request_body = http::BodyReader(head.body);
  if (connection_->answered_by() == AnsweredBy::kResponder) return start_for_responder(head);
  request.states_index = vault::states_index(head);
  request.is_ui_question = vault::is_ui_question(request.method, request.path, vault::carries_token(head));
  request.is_websocket = http::asks_for_websocket(head);
  if (head.expects_continue) {
    connection_->append_request_head(request.head_without_expect, head, request.is_websocket, true);
  }
  connection_->append_request_head(exchange_.to_node.start(), head, request.is_websocket, false);
  exchange_.to_node.end_head();
  ByteQueue& in = exchange_.in;
  const bool is_whole = head.body.kind == http::BodyKind::kNone ||
                        (head.body.kind == http::BodyKind::kLength && head.body.length <= in.size() - head.bytes);
  const bool has_quick_answer = request.request_class != vault::RequestClass::kStream && !request.is_websocket;
  if (is_whole && has_quick_answer) connection_->stop_reading_if_drained();
  in.consume(head.bytes);  // what `head` points into
  delivery_.dispatch();
}

bool HttpExchange::step() {
  if (stage() == Stage::kTunnel) return step_tunnel();
  if (stage() != Stage::kAtNode || !delivery_.is_connected()) return exchange_.drops_body() && drop_body();
  bool moved = take_body();
  if (stage() == Stage::kAtNode) moved = delivery_.write() || moved;
  if (stage() == Stage::kAtNode) moved = delivery_.read() || moved;
  if (stage() == Stage::kAtNode) moved = take_answer() || moved;
  return moved;
}

Delivery* HttpExchange::pump() {
  HttpConnection& connection = *connection_;
  connection.pump();
  HttpExchange* const now = connection.exchange();
  return now != nullptr ? &now->delivery_ : nullptr;
}

void HttpExchange::cut(EndReason reason) {
  if (stage() == Stage::kHeld) delivery_.unhold();
  account_.settle_unfinished(reason);
  exchange_.mount_check.end();
  if (exchange_.request.end.is_normal()) exchange_.request.end = reason;  // cut while its answer was leaving
  delivery_.drop_upstream();
  tell();
  exchange_.become(Stage::kOver);
}

void HttpExchange::tell() { account_.tell(connection_->listener(), connection_->client_name()); }

// From the client's bytes into the queue to the node, framed anew.
bool HttpExchange::take_body() {
  bool moved = false;
  ByteQueue& in = exchange_.in;
  SendQueue& to_node = exchange_.to_node;
  http::BodyReader& reader = exchange_.request_body;
  const Attempt& attempt = exchange_.attempt;
  while (!reader.done() && !in.empty() && !attempt.write_broken && to_node.unsent().size() < kBodyAhead) {
    const std::size_t room = kBodyAhead - to_node.unsent().size();
    const http::BodyReader::Bite bite = reader.feed(in.view().substr(0, room));
    if (bite.status == http::ParseStatus::kRejected) {
      refuse_body(bite.reason);
      return true;
    }
    if (reader.done() && has_left_while_held()) {
      connection_->client_left();
      return true;
    }
    queue_body(bite.content);
    in.consume(bite.consumed);
    if (exchange_.request.body_kind == http::BodyKind::kChunked && reader.done()) to_node.tail() += http::kLastChunk;
    moved = true;
  }
  return moved;
}

// Its end may have been behind more of the body than the kernel takes, so that it shows only now. The node has not had
// the last of the body, and executes nothing.
bool HttpExchange::has_left_while_held() const {
  return exchange_.request.was_held && connection_->peer_state() != net::PeerState::kHere;
}

void HttpExchange::queue_body(std::string_view content) {
  if (content.empty()) return;
  SendQueue& to_node = exchange_.to_node;
  exchange_.request.was_continued = true;
  const std::size_t most = front_.worker().options().retry_buffer;
  if (to_node.keeps() && to_node.body_size() + content.size() > most) {
    delivery_.note_effect();  // the head goes too
    to_node.stop_keeping();
  }
  if (exchange_.request.body_kind == http::BodyKind::kChunked) {
    http::append_chunk(to_node.tail(), content);
  } else {
    to_node.tail() += content;
  }
}

// The node never sees this body's end, so it does not execute the request.
void HttpExchange::refuse_body(http::Reject reason) {
  if (exchange_.answer.has_begun) return cut_answer(refused_by_us(exchange_.phase()));
  delivery_.drop_upstream();
  reject(reason);
}

void HttpExchange::reject(http::Reject reason) {
  const int status = http::status_of(reason);
  account_.reject(reason, status, refused_by_us(Phase::kRequest));
  exchange_.in.clear();  // where a next request would begin is unknown
  respond(status, "Bellwether: " + http::explain(reason, front_.worker().options().head_limits), false);
}

void HttpExchange::refuse_late_head(TimePoint since) {
  account_.note_late_head(since, kRequestTimeout);
  respond(kRequestTimeout, "the request's head took too long", false);
}

}  // namespace bellwether::proxy
