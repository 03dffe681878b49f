#include "connection.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "bellwether/base/assert.h"

namespace bellwether::wire {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr Duration kLinger = 1s;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

int status_of(http::Reject reason) {
  switch (reason) {
    case http::Reject::kTooLarge:
    case http::Reject::kTooManyHeaders:
      return 431;
    case http::Reject::kExpect:
      return 417;
    case http::Reject::kVersion:
      return 505;
    case http::Reject::kBareLineEnd:
    case http::Reject::kControlCharacter:
    case http::Reject::kRequestLine:
    case http::Reject::kStatusLine:
    case http::Reject::kMethod:
    case http::Reject::kTarget:
    case http::Reject::kHeaderName:
    case http::Reject::kFolding:
    case http::Reject::kHost:
    case http::Reject::kContentLength:
    case http::Reject::kTransferEncoding:
    case http::Reject::kLengthConflict:
    case http::Reject::kChunk:
    case http::Reject::kTrailer:
      break;
  }
  return 400;
}

}  // namespace

Connection::Connection(ConnectionOwner& owner, net::Loop& loop, const Server::Options& options, net::Socket socket,
                       const net::Address& peer)
    : owner_(owner), options_(options), peer_(peer), timer_(loop, [this] { on_timer(); }) {
  stream_ = net::Stream::accept(loop, std::move(socket), options.tls, options.head_timeout, *this);
}

void Connection::on_open() { arm_timer(); }

void Connection::on_readable() {
  readable_ = true;
  pump();
}

void Connection::on_writable() {
  flush();
  pump();
}

void Connection::on_broken(Error) {
  const auto failure = stream_->handshake_failure();
  if (failure && options_.on_handshake_failure) options_.on_handshake_failure(*failure);
  leave();
}

void Connection::thaw() {
  arm_timer();
  flush();
  pump();
}

// Reads, takes requests and sends answers until something must be waited for.
void Connection::pump() {
  if (std::exchange(pumping_, true)) return;
  do {
    process();
  } while (wants_bytes() && read_once());
  look_at_peer();
  pumping_ = false;
}

// The end of a client that waits cannot be read behind bytes for which there is no room, but the kernel knows of it.
void Connection::look_at_peer() {
  const bool is_full = state_ == State::kHandling && readable_ && in_.size() >= options_.head.max_head_bytes;
  if (is_full && !owner_.is_frozen() && stream_->peer_state() != net::PeerState::kHere) on_end();
}

bool Connection::wants_bytes() const {
  if (!readable_ || owner_.is_frozen()) return false;
  switch (state_) {
    case State::kHead:
      return out_.empty();
    case State::kHandling:
      return in_.size() < options_.head.max_head_bytes;
    case State::kBody:
    case State::kLingering:
      return true;
    case State::kClosing:
    case State::kRetired:
      return false;
  }
  return false;
}

// False: nothing more to read now.
bool Connection::read_once() {
  std::array<char, kReadBytes> chunk;
  const net::IoResult result = stream_->read(chunk);
  switch (result.status) {
    case net::IoStatus::kOk:
      if (state_ != State::kLingering) in_.append(chunk.data(), result.bytes);
      return true;
    case net::IoStatus::kAgain:
      readable_ = false;
      return false;
    case net::IoStatus::kEof:
    case net::IoStatus::kError:
      readable_ = false;
      on_end();
      return false;
  }
  return false;
}

// The client's side has ended: whoever waits for an answer is gone; answers already given still leave.
void Connection::on_end() {
  peer_ended_ = true;
  const bool answer_is_leaving = state_ == State::kHead && !out_.empty() && stream_->is_open();
  if (!answer_is_leaving) return leave();
  state_ = State::kClosing;
  arm_timer();
}

void Connection::process() {
  bool goes_on = true;
  while (goes_on && !owner_.is_frozen()) {
    switch (state_) {
      case State::kHead:
        goes_on = out_.empty() && !in_.empty() && take_head();
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
  in_.erase(0, leading_line_.skip(in_));
  if (in_.empty()) return false;
  const http::ParseOutcome outcome = http::parse_request_head(in_, options_.head, head_);
  if (outcome.status == http::ParseStatus::kRejected) {
    refuse(outcome.reason);
    return false;
  }
  if (!std::exchange(head_begun_, true)) arm_timer();
  if (outcome.status == http::ParseStatus::kNeedMore) return false;
  leading_line_.restart();
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
  const bool wants_continue = head_.expects_continue && head_.body.kind != http::BodyKind::kNone;
  const bool is_too_long = head_.body.kind == http::BodyKind::kLength && head_.body.length > options_.max_body_bytes;
  in_.erase(0, head_.bytes);
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

// True: the body is whole and its request has been handed over.
bool Connection::take_body() {
  std::string_view rest = in_;
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
  in_.erase(0, in_.size() - rest.size());
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

void Connection::respond(const http::Response& response, bool close) {
  BW_ASSERT(state_ == State::kHandling);
  owner_.end_exchange(std::exchange(exchange_, 0));
  const bool keep = keep_alive_ && !close && !owner_.is_draining();
  out_ += http::serialize(response, keep, is_head_request_);
  state_ = keep ? State::kHead : State::kClosing;
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
  refuse(status_of(reason), fmt::format("malformed request: {}", http::to_text(reason)));
}

void Connection::flush() {
  if (owner_.is_frozen() || is_retired()) return;
  while (out_sent_ < out_.size()) {
    const net::IoResult result = stream_->write(std::string_view(out_).substr(out_sent_));
    if (result.status == net::IoStatus::kAgain) return;
    if (result.status != net::IoStatus::kOk) return leave();
    out_sent_ += result.bytes;
  }
  out_.clear();
  out_sent_ = 0;
  if (state_ == State::kClosing) linger();
}

void Connection::linger() {
  if (peer_ended_) return leave();
  state_ = State::kLingering;
  in_.clear();
  stream_->shutdown_write();
  arm_timer();
}

void Connection::end(bool reset) {
  if (is_retired()) return;
  if (exchange_ != 0) owner_.end_exchange(std::exchange(exchange_, 0));
  if (reset) {
    stream_->abort();
  } else {
    stream_->close();
  }
  timer_.cancel();
  state_ = State::kRetired;
  owner_.retire(*this);
}

// The client has left, or will not be waited for any longer.
void Connection::leave() {
  const ExchangeId abandoned = exchange_;
  end(false);
  if (abandoned != 0) owner_.on_gone(abandoned);
}

void Connection::drain() {
  if (state_ != State::kHead || !in_.empty()) return;
  if (out_.empty()) return end(false);
  state_ = State::kClosing;
}

void Connection::arm_timer() {
  switch (state_) {
    case State::kHead:
      return timer_.arm_in(head_begun_ ? options_.head_timeout : options_.idle_timeout);
    case State::kBody:
      return;  // head_timeout is for the whole request: it goes on from the head's first byte
    case State::kHandling:
      return timer_.cancel();
    case State::kClosing:
      return timer_.arm_in(options_.idle_timeout);
    case State::kLingering:
      return timer_.arm_in(kLinger);
    case State::kRetired:
      return;
  }
}

void Connection::on_timer() {
  if (owner_.is_frozen()) return;  // thaw() arms it anew
  const bool request_was_begun = state_ == State::kBody || (state_ == State::kHead && head_begun_);
  if (!request_was_begun) return end(false);
  refuse(408, "the request did not arrive in time");
  pump();
}

}  // namespace bellwether::wire
