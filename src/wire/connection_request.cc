#include <fmt/format.h>

#include <utility>

#include "bellwether/base/assert.h"
#include "connection.h"

// What a Connection makes of the bytes that have come: requests, their bodies, and the answers to them.
namespace bellwether::wire {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void Connection::process() {
  bool goes_on = true;
  while (goes_on && !owner_.is_frozen()) {
    switch (state_) {
      case State::kHead:
        goes_on = out_.empty() && !in_.empty() && turn_requests_ < kMaxRequestsPerTurn && take_head();
        break;
      case State::kBody:
        goes_on = take_body();
        break;
      case State::kHandling:
      case State::kClosing:
      case State::kLingering:
      case State::kRetired:
        goes_on = false;
        break;
    }
  }
}

// True: a head was taken off the input.
bool Connection::take_head() {
  if (!head_search_.is_worth_parsing(in_.view(), options_.head)) return false;
  const http::ParseOutcome outcome = http::parse_request_head(in_.view(), options_.head, head_);
  if (outcome.status == http::ParseStatus::kRejected) {
    refuse(outcome.reason);
    return false;
  }
  if (!std::exchange(head_begun_, true)) {
    since_ = now();
    arm_timer();
  }
  if (outcome.status == http::ParseStatus::kNeedMore) {
    head_search_.need_more(in_.view());
    return false;
  }
  ++turn_requests_;
  head_search_.restart();
  keep_head();
  const bool is_too_long = head_.body.kind == http::BodyKind::kLength && head_.body.length > options_.max_body_bytes;
  const bool wants_continue = head_.expects_continue && head_.body.kind != http::BodyKind::kNone;
  in_.consume(head_.bytes);
  if (is_too_long) {
    refuse(413, "the request's body is too large");
    return false;
  }
  state_ = State::kBody;
  if (wants_continue && in_.empty()) {
    out_ += kContinue;
    flush();
  }
  return state_ == State::kBody;
}

// What is needed of a head when its bytes are gone.
void Connection::keep_head() {
  was_asked_ = true;
  request_ = ServerRequest{};
  request_.method = head_.method;
  request_.target = head_.target;
  request_.host = head_.host;
  request_.peer = peer_;
  for (const http::Header& header : head_.headers) request_.headers.emplace_back(header.name, header.value);
  is_head_request_ = head_.method == "HEAD";
  // An HTTP/1.0 client would have to be told that it may go on; none of ours asks for it.
  keep_alive_ = head_.keep_alive && head_.version == http::Version::kHttp11;
  body_ = http::BodyReader(head_.body);
}

// True: the body is whole and its request has been handed over.
bool Connection::take_body() {
  std::string_view rest = in_.view();
  http::BodyReader::Bite bite;
  do {
    bite = body_.feed(rest);
    rest.remove_prefix(bite.consumed);
    if (bite.status == http::ParseStatus::kRejected) {
      refuse(bite.reason);
      return false;
    }
    if (bite.content.size() > options_.max_body_bytes - request_.body.size()) {
      refuse(413, "the request's body is too large");
      return false;
    }
    request_.body += bite.content;
  } while (bite.status == http::ParseStatus::kNeedMore && bite.consumed > 0);
  in_.consume(in_.size() - rest.size());
  if (bite.status != http::ParseStatus::kDone) return false;
  dispatch();
  return true;
}

void Connection::dispatch() {
  state_ = State::kHandling;
  head_begun_ = false;
  arm_timer();
  exchange_ = owner_.begin_exchange(*this);
  request_.exchange = exchange_;
  owner_.on_request(std::move(request_));
}

void Connection::respond(const http::Response& response) {
  BW_ASSERT(state_ == State::kHandling);
  owner_.end_exchange(std::exchange(exchange_, 0));
  out_ += http::serialize(response, keep_alive_, is_head_request_);
  state_ = keep_alive_ ? State::kHead : State::kClosing;
  since_ = moved_at_ = now();
  arm_timer();
  flush();
  pump();
}

// An answer of our own to what is no request; nothing behind it can be trusted.
void Connection::refuse(int status, std::string_view why) {
  in_.clear();
  out_ += http::serialize(http::vault_error(status, why), false);
  state_ = State::kClosing;
  arm_timer();
  flush();
}

void Connection::refuse(http::Reject reason) {
  refuse(http::status_of(reason), fmt::format("Bellwether: {}", http::explain(reason, options_.head)));
}

}  // namespace bellwether::wire
