#include "connection.h"

#include <array>
#include <utility>

namespace bellwether::wire {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr Duration kLinger = 1s;

}  // namespace

Connection::Connection(ConnectionOwner& owner, net::Loop& loop, const Server::Options& options, net::Socket socket,
                       const net::Address& peer)
    : owner_(owner),
      loop_(loop),
      options_(options),
      peer_(peer),
      timer_(loop, [this] { on_timer(); }),
      since_(loop.now()),
      moved_at_(since_) {
  stream_ = net::Stream::accept(loop, std::move(socket), options.tls, options.head_timeout, *this);
}

void Connection::on_open() {
  since_ = now();
  arm_timer();
}

void Connection::on_readable() {
  readable_ = true;
  pump();
}

void Connection::on_writable() {
  flush();
  pump();
}

void Connection::on_broken(Error) { leave(); }

void Connection::thaw() {
  arm_timer();
  flush();
  pump();
}

void Connection::go_on() {
  is_postponed_ = false;
  pump();
}

// Reads, takes requests and sends answers until something must be waited for, or its share of the turn is used up.
void Connection::pump() {
  if (is_postponed_ || std::exchange(pumping_, true)) return;
  turn_requests_ = 0;
  turn_bytes_ = 0;
  do {
    process();
  } while (!has_had_its_turn() && wants_bytes() && read_once());
  if (has_had_its_turn() && !is_retired()) {
    is_postponed_ = true;
    owner_.postpone(*this);
  }
  if (!is_postponed_) look_at_peer();
  pumping_ = false;
}

// The end of a client that waits cannot be read behind bytes for which there is no room, but the kernel knows of it.
void Connection::look_at_peer() {
  const bool is_full = state_ == State::kHandling && readable_ && in_.size() >= options_.head.max_head_bytes;
  if (is_full && !owner_.is_frozen() && stream_->peer_state() != net::PeerState::kHere) on_end();
}

bool Connection::has_had_its_turn() const {
  return turn_requests_ >= kMaxRequestsPerTurn || turn_bytes_ >= kMaxBytesPerTurn;
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
      turn_bytes_ += result.bytes;
      moved_at_ = now();
      if (state_ != State::kLingering) in_.append({chunk.data(), result.bytes});
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

void Connection::flush() {
  if (owner_.is_frozen() || is_retired()) return;
  while (out_sent_ < out_.size()) {
    const net::IoResult result = stream_->write(std::string_view(out_).substr(out_sent_));
    if (result.status == net::IoStatus::kAgain) return;
    if (result.status != net::IoStatus::kOk) return leave();
    out_sent_ += result.bytes;
    moved_at_ = now();
  }
  // A connection that waits owns no buffer for an answer: the longest have tens of kilobytes.
  std::string().swap(out_);
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

void Connection::arm_timer() {
  switch (state_) {
    case State::kHead:
      return timer_.arm_in(head_begun_ || !was_asked_ ? options_.head_timeout : options_.idle_timeout);
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

std::optional<Connection::Waiting> Connection::waiting() const {
  switch (state_) {
    case State::kHead:
      if (!out_.empty()) return Waiting{Idleness::kStuck, moved_at_};
      if (head_begun_ || !in_.empty() || !stream_->is_open()) return Waiting{Idleness::kUnfinished, since_};
      return Waiting{was_asked_ ? Idleness::kBetween : Idleness::kSilent, since_};
    case State::kBody:
      return Waiting{Idleness::kUnfinished, since_};
    case State::kClosing:
    case State::kLingering:
      return Waiting{out_.empty() ? Idleness::kAnswered : Idleness::kStuck, moved_at_};
    case State::kHandling:
    case State::kRetired:
      break;
  }
  return std::nullopt;
}

}  // namespace bellwether::wire
