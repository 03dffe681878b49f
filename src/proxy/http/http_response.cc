#include <memory>
#include <string>

#include "http_connection.h"
#include "http_exchange.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"
#include "proxy/exchange/responder.h"

// Requests that a Responder answers in place of a node. Their bodies are read and dropped, while they wait and after.
namespace bellwether::proxy {

void HttpExchange::start_for_responder(const http::RequestHead& head) {
  exchange_.request.target =
      std::make_unique<const RequestTarget>(RequestTarget{std::string(head.target), std::string(head.host)});
  if (head.body.kind == http::BodyKind::kNone) connection_->stop_reading_if_drained();
  exchange_.in.consume(head.bytes);  // what `head` points into
  if (!exchange_.in.empty()) exchange_.request.was_continued = true;
  if (const auto leader = front_.worker().target()) {
    answer_for(*leader);
  } else {
    (void)drop_body();  // what is there of it is not kept in the hold
    if (stage() == Stage::kHead) delivery_.hold();
  }
  front_.worker().check_idle();  // the connection was idle, and shutting down does not wait for those
}

void HttpExchange::answer_for(NodeId leader) {
  const Responder::Reply reply = front_.responder().respond(*exchange_.request.target, connection_->listener(), leader);
  exchange_.attempt.node = leader;
  exchange_.attempt.epoch = front_.worker().view()->epoch;
  exchange_.request.names_node = true;
  const int status = reply.response.status;
  reply.rejected.empty() ? account_.settle(Outcome::kOk, status, kEndedNormally)
                         : account_.refuse(reply.rejected, status);
  send(reply.response, true);
}

// False: nothing has changed.
bool HttpExchange::drop_body() {
  const bool was_empty = exchange_.in.empty();
  http::BodyReader& reader = exchange_.request_body;
  bool is_cut_off = connection_->has_client_ended();
  while (!reader.done() && !exchange_.in.empty()) {
    const http::BodyReader::Bite bite = reader.feed(exchange_.in.view());
    if (bite.status != http::ParseStatus::kRejected) {
      exchange_.request.was_continued = true;
      exchange_.in.consume(bite.consumed);
    } else if (stage() == Stage::kDroppingBody) {
      exchange_.in.clear();  // where a next request would begin is unknown
      is_cut_off = true;
    } else {
      if (stage() == Stage::kHeld) delivery_.unhold();
      reject(bite.reason);
      return true;
    }
  }
  if (stage() != Stage::kDroppingBody) return !was_empty;
  if (exchange_.to_client.empty()) tell();  // the answer has left, and its log line does not wait for the body
  if (!reader.done() && !is_cut_off) return !was_empty;
  exchange_.answer.is_last = !reader.done();
  exchange_.become(Stage::kAnswered);
  return true;
}

}  // namespace bellwether::proxy
