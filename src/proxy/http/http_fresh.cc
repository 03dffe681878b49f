#include "bellwether/base/assert.h"
#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

// A node that was demoted a moment ago, unknown to us, may answer reads itself, out of date (FACTS.md 2). Where that
// must not be, the answer waits, unread, in the connection and in our buffer, until the node has claimed to lead when
// it was asked after the answer had come.
namespace bellwether::proxy {

// The method does not tell: POST auth/token/lookup reads, and a DELETE of what a node does not know of yet writes
// nothing. Nor does 404 tell that there is nothing, nor 403 that a token is unknown.
bool HttpExchange::must_be_confirmed(const http::ResponseHead& head) const {
  const bool is_asked_for = front_.worker().options().listeners[connection_->listener()].fresh &&
                            request.is_for_leader && request.request_class != vault::RequestClass::kStream;
  if (!is_asked_for || head.status >= 500) return false;
  const std::string_view body = from_node.view().substr(head.bytes);
  return !vault::is_sure_write(request.method, request.path, head.status, body);
}

bool HttpExchange::is_of_leader() const {
  return cluster::leads_in(*front_.worker().view(), attempt.node, attempt.epoch);
}

void HttpExchange::await_claim() {
  note_answered();
  attempt.answered_at = front_.worker().loop().precise_now();
  front_.unconfirmed().push_back(*this);
  if (!is_of_leader()) return end_unconfirmed();
  front_.worker().clearance().want_claim(attempt.answered_at);
}

void HttpExchange::stop_awaiting_claim() {
  if (!is_unconfirmed()) return;
  attempt.answered_at = kNever;
  front_.unconfirmed().remove(*this);
}

void HttpExchange::on_confirmed() {
  BW_ASSERT(is_unconfirmed());
  stop_awaiting_claim();
  http::ResponseHead& head = front_.response_scratch();
  const http::ParseOutcome parsed =
      http::parse_response_head(from_node.view(), request.method, front_.worker().options().head_limits, head);
  BW_ASSERT(parsed.status == http::ParseStatus::kDone);
  start_answer(head);
  connection_->pump();
}

void HttpExchange::end_unconfirmed() {
  drop_upstream();
  act(vault::Row::kUnconfirmed, nullptr, {});
}

}  // namespace bellwether::proxy
