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

using Stage = HttpExchange::Stage;

// What a held request takes beside its buffers: the connection, its TLS state, texts.
constexpr std::size_t kHeldOverhead = 4096;

bool may_follow(Stage now, Stage next) {
  switch (now) {
    case Stage::kHead:
      return next != Stage::kTunnel;
    case Stage::kHeld:
      return next == Stage::kHead;
    case Stage::kAtNode:
      return next != Stage::kHead;
    case Stage::kAnswered:
      return next == Stage::kHead || next == Stage::kOver;
    case Stage::kTunnel:
      return next == Stage::kOver;
    case Stage::kOver:
      return false;
  }
  return false;
}

}  // namespace

void HttpExchange::become(Stage next) {
  BW_ASSERT(may_follow(stage_, next));
  stage_ = next;
}

void HttpExchange::start(const http::RequestHead& head) {
  open_account();
  request.method.assign(head.method);
  request.path.assign(http::path_of(head.target));
  request.version = head.version;
  request.body_kind = head.body.kind;
  request.request_class = vault::classify(request.method, request.path);
  request.keep_alive = head.keep_alive;
  request.states_index = vault::states_index(head);
  request.is_ui_question = vault::is_ui_question(request.method, request.path, vault::carries_token(head));
  request.is_websocket = http::asks_for_websocket(head);
  request.was_continued = !head.expects_continue;
  if (head.expects_continue) {
    connection_->append_request_head(request.head_without_expect, head, request.is_websocket, true);
  }
  request_body = http::BodyReader(head.body);
  connection_->append_request_head(to_node.start(), head, request.is_websocket, false);
  to_node.end_head();
  const bool is_whole = head.body.kind == http::BodyKind::kNone ||
                        (head.body.kind == http::BodyKind::kLength && head.body.length <= in.size() - head.bytes);
  const bool has_quick_answer = request.request_class != vault::RequestClass::kStream && !request.is_websocket;
  if (is_whole && has_quick_answer) connection_->stop_reading_if_drained();
  in.consume(head.bytes);  // what `head` points into
  dispatch();
}

// REQUIRES: the request is told of, its answer has left, and no node works on it
void HttpExchange::restart() {
  BW_ASSERT(!upstream_ && !is_queued());
  if (stage_ != Stage::kHead) become(Stage::kHead);
  Exchange::restart();
}

bool HttpExchange::step() {
  if (stage_ == Stage::kTunnel) return step_tunnel();
  if (stage_ != Stage::kAtNode || !upstream_ || attempt.is_connecting) return false;
  bool moved = take_body();
  if (stage_ == Stage::kAtNode) moved = write_node() || moved;
  if (stage_ == Stage::kAtNode) moved = read_node() || moved;
  if (stage_ == Stage::kAtNode) moved = take_answer() || moved;
  return moved;
}

void HttpExchange::cut(EndReason reason) {
  if (stage_ == Stage::kHeld) unhold();
  settle_unfinished(reason);
  mount_check.end();
  if (request.end.is_normal()) request.end = reason;  // cut while its answer was leaving
  drop_upstream();
  tell();
  become(Stage::kOver);
}

bool HttpExchange::cannot_be_answered() const {
  if (stage_ == Stage::kHeld) return true;
  if (stage_ != Stage::kAtNode) return false;
  const bool is_endless = request.request_class == vault::RequestClass::kStream;
  return is_endless || (!request_body.done() && in.empty());
}

// What is left of the buffers, and all that goes with a request that waits.
std::size_t HttpExchange::shrink_buffers() {
  std::size_t bytes = kHeldOverhead;
  for (ByteQueue* queue : {&in, &from_node, &to_client}) {
    queue->shrink();
    bytes += queue->capacity();
  }
  to_node.shrink();
  return bytes + to_node.capacity() + request.head_without_expect.capacity() + request.path.capacity();
}

// From the client's bytes into the queue to the node, framed anew.
bool HttpExchange::take_body() {
  bool moved = false;
  while (!request_body.done() && !in.empty() && !attempt.write_broken && to_node.unsent().size() < kBodyAhead) {
    const std::size_t room = kBodyAhead - to_node.unsent().size();
    const http::BodyReader::Bite bite = request_body.feed(in.view().substr(0, room));
    if (bite.status == http::ParseStatus::kRejected) {
      refuse_body(bite.reason);
      return true;
    }
    if (request_body.done() && has_left_while_held()) {
      connection_->client_left();
      return true;
    }
    queue_body(bite.content);
    in.consume(bite.consumed);
    if (request.body_kind == http::BodyKind::kChunked && request_body.done()) to_node.tail() += http::kLastChunk;
    moved = true;
  }
  return moved;
}

// Its end may have been behind more of the body than the kernel takes, so that it shows only now. The node has not had
// the last of the body, and executes nothing.
bool HttpExchange::has_left_while_held() const {
  return request.was_held && connection_->peer_state() != net::PeerState::kHere;
}

void HttpExchange::queue_body(std::string_view content) {
  if (content.empty()) return;
  request.was_continued = true;
  const std::size_t most = front_.worker().options().retry_buffer;
  if (to_node.keeps() && to_node.body_size() + content.size() > most) {
    mount_check.note_effect(sent());  // the head goes too
    to_node.stop_keeping();
  }
  if (request.body_kind == http::BodyKind::kChunked) {
    http::append_chunk(to_node.tail(), content);
  } else {
    to_node.tail() += content;
  }
}

// The node never sees this body's end, so it does not execute the request.
void HttpExchange::refuse_body(http::Reject reason) {
  if (answer.has_begun) return cut_answer(refused_by_us(phase()));
  drop_upstream();
  reject(reason);
}

void HttpExchange::reject(http::Reject reason) {
  WorkerCounters& counters = front_.worker().counters();
  counters.rejected_requests.add();
  counters.http.rejected[static_cast<std::size_t>(reason)].add();
  const int status = http::status_of(reason);
  if (request.is_open) {
    counters.http.rejected_late.add();
  } else {
    open_account();
  }
  request.rejected = http::to_text(reason);
  settle(Outcome::kRejected, status, refused_by_us(Phase::kRequest));
  in.clear();  // where a next request would begin is unknown
  respond(status, "Bellwether: " + http::explain(reason, front_.worker().options().head_limits), false);
}

}  // namespace bellwether::proxy
