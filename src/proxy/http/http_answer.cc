#include <fmt/format.h>

#include <string>
#include <utility>

#include "bellwether/http/chunk_writer.h"
#include "bellwether/http/serialize.h"
#include "http_connection.h"
#include "http_exchange.h"
#include "http_front.h"
#include "proxy/core/failure_text.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {

bool HttpExchange::take_answer() {
  if (exchange_.answer.has_begun) return relay_body();
  if (!delivery_.take_answer()) return false;
  // Head and body go out together where both are there.
  if (stage() == Stage::kAtNode && exchange_.answer.has_begun) (void)relay_body();
  return true;
}

void HttpExchange::start_answer(const http::ResponseHead& head) {
  Request& request = exchange_.request;
  const bool goes_on = request.keep_alive && exchange_.request_body.done() && !front_.worker().is_shutting_down();
  exchange_.answer.node_keeps_alive = head.keep_alive;
  exchange_.answer.framing = http::append_response_head(exchange_.to_client.room(), head, {request.version, goes_on});
  exchange_.answer_body = http::BodyReader(head.body);
  begin_answer(head);
}

// Its head is in to_client: from here on the answer is the client's, whatever comes.
void HttpExchange::begin_answer(const http::ResponseHead& head) {
  exchange_.answer.has_begun = true;
  exchange_.answer.status = head.status;
  exchange_.request.upstream = front_.worker().now() - exchange_.attempt.began;
  exchange_.from_node.consume(head.bytes);
  exchange_.to_node.stop_keeping();
  delivery_.note_answered();
}

bool HttpExchange::relay_body() {
  bool moved = false;
  ByteQueue& from_node = exchange_.from_node;
  ByteQueue& to_client = exchange_.to_client;
  http::BodyReader& reader = exchange_.answer_body;
  const NodeEnd& ended = exchange_.attempt.ended;
  while (!reader.done() && to_client.size() < kAhead) {
    if (from_node.empty()) {
      if (ended == NodeEnd::kNone) return moved;
      const bool is_whole = ended == NodeEnd::kOrderly && reader.complete_at_end();
      is_whole ? finish_answer() : cut_answer(ended_by_node(exchange_.phase()));
      return true;
    }
    const http::BodyReader::Bite bite = reader.feed(from_node.view());
    if (bite.status == http::ParseStatus::kRejected) {
      cut_answer(refused_by_us(exchange_.phase()));
      return true;
    }
    if (exchange_.answer.framing.body == http::BodyKind::kChunked) {
      http::append_chunk(to_client.room(), bite.content);
    } else {
      to_client.append(bite.content);
    }
    from_node.consume(bite.consumed);
    moved = true;
  }
  if (!reader.done()) return moved;
  finish_answer();
  return true;
}

void HttpExchange::finish_answer() {
  Answer& answer = exchange_.answer;
  if (answer.framing.body == http::BodyKind::kChunked) exchange_.to_client.append(http::kLastChunk);
  const bool is_success = exchange_.request.is_for_leader && answer.status < 500;
  if (is_success) front_.worker().note_success(exchange_.attempt.epoch);
  account_.settle(Outcome::kOk, answer.status, kEndedNormally);
  answer.is_last = !answer.framing.keep_alive || !exchange_.request_body.done();
  delivery_.give_upstream_back();
  exchange_.to_node.reset();
  exchange_.become(Stage::kAnswered);
}

// What is missing must be seen to be missing: no last chunk, fewer bytes than announced, or a reset where only the
// close would tell.
void HttpExchange::cut_answer(EndReason reason) {
  const Attempt& attempt = exchange_.attempt;
  if (attempt.ended == NodeEnd::kBroken) {
    front_.worker().hint(attempt.node, attempt.epoch, cluster::HintKind::kReset);
  }
  account_.settle(Outcome::kCut, exchange_.answer.status, reason);
  (void)connection_->write();
  if (stage() == Stage::kOver) return;
  const bool is_until_close = exchange_.answer.framing.body == http::BodyKind::kUntilClose;
  connection_->end(reason, is_until_close ? HttpConnection::Close::kReset : HttpConnection::Close::kOrderly);
}

void HttpExchange::answer_ambiguous(vault::Row row, std::string_view body, EndReason reason) {
  const std::string said = vault::first_error(body);
  std::string why(vault::explanation_of(row));
  const int status = front_.settings_of(*connection_).ambiguous_status;
  account_.fail(Outcome::kAmbiguous, status, why, reason);
  if (!said.empty()) why += fmt::format(" (the node said: {})", said);
  respond(status, ambiguous_text(why, exchange_.request.id), true);
}

void HttpExchange::answer_unserved(std::string_view why, EndReason reason, int status) {
  account_.fail(Outcome::kUnserved, status, why, reason);
  respond(status, unserved_text(why, exchange_.request.id), true);
}

// An answer of our own. REQUIRES: none of the node's has begun, and the request is settled.
void HttpExchange::respond(int status, std::string_view why, bool may_keep_alive) {
  const Request& request = exchange_.request;
  http::Response response = http::vault_error(status, why);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  if (!request.id.empty()) response.headers.push_back({std::string(kRequestIdHeader), request.id});
  send(response, may_keep_alive);
}

// A client that waits for 100 Continue may send its body all the same, or another request instead: nobody can tell
// which, so the connection ends.
void HttpExchange::send(const http::Response& response, bool may_keep_alive) {
  const Request& request = exchange_.request;
  const bool is_body_done = exchange_.request_body.done();
  const bool may_go_on = is_body_done || (request.target && request.was_continued);
  const bool keeps_alive = may_keep_alive && may_go_on && request.keep_alive &&
                           request.version == http::Version::kHttp11 && !front_.worker().is_shutting_down();
  exchange_.to_client.append(http::serialize(response, keeps_alive, request.method == "HEAD"));
  exchange_.answer.is_last = !keeps_alive;
  exchange_.to_node.reset();
  exchange_.from_node.clear();
  exchange_.become(keeps_alive && !is_body_done ? Stage::kDroppingBody : Stage::kAnswered);
}

}  // namespace bellwether::proxy
