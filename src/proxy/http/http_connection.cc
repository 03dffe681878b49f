#include "http_connection.h"

#include <algorithm>
#include <utility>

#include "bellwether/net/proxy_protocol.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

namespace bellwether::proxy {
namespace {

// Of a client that sends ahead. From one that is held hardly more is read than it had sent before: enough to see the
// end of one that sends nothing.
constexpr std::size_t kInput = 64 * 1024;
constexpr std::size_t kInputHeld = 1024;
constexpr std::size_t kTurnBudget = 256 * 1024;  // others wait meanwhile
// What a read or a write costs of it at the least: a TLS record may hold a single byte.
constexpr std::size_t kLeastCharge = 1024;
// What a request takes of it beside its bytes: a client that pipelines small ones, which we answer ourselves, has its
// share too.
constexpr std::size_t kRequestShare = 16 * 1024;

}  // namespace

HttpConnection::HttpConnection(HttpFront& front, Accepted accepted, AnsweredBy answered_by)
    : front_(front),
      started_(front.worker().now()),
      last_active_(started_),
      listener_(accepted.listener),
      answered_by_(answered_by) {
  const ProxySettings& options = front_.worker().options();
  may_state_certificates_ = !front_.settings_of(*this).client_identity.certificate_header.empty();
  if (!accepted.client.is_unix()) {
    // Nodes take no zone (fe80::1%eth0).
    client_host_ = accepted.client.host();
    client_host_.erase(std::min(client_host_.find('%'), client_host_.size()));
    keeps_forwarded_for_ = is_in_any(client_host_, options.forwarded_for_trusted);
  }
  if (options.log_requests || options.log_sessions) client_name_ = accepted.client.to_string();
  if (options.send_proxy != net::ProxyVersion::kNone) {
    preamble_ = net::proxy_header(options.send_proxy, accepted.client, accepted.reached());
  }
  client_ = net::Stream::accept(front_.worker().loop(), std::move(accepted.socket),
                                front_.worker().listeners().tls(listener_), front_.settings_of(*this).timeout_header,
                                *this, listener_);
}

// What comes first is told by on_readable().
void HttpConnection::on_open() {
  last_active_ = front_.worker().now();
  // A reload may have given this connection the header of another listener, which believes other clients.
  if (!may_state_certificates_) return;
  identity_.on_handshake(*client_, front_.settings_of(*this).client_identity, keeps_forwarded_for_);
}

void HttpConnection::on_readable() {
  can_read_ = must_look_at_peer_ = true;
  pump();
}

void HttpConnection::on_writable() {
  can_write_ = true;
  pump();
}

void HttpConnection::on_broken(Error) {
  if (const auto failure = client_->handshake_failure()) front_.worker().counters().count_handshake_failure(*failure);
  end(ended_by_client(Phase::kRequest));
}

void HttpConnection::pump() {
  if (std::exchange(pumping_, true)) return;
  moved_ = 0;
  while (state_ != State::kEnded && step()) {
    if (moved_ < kTurnBudget) continue;
    front_.pump_later(*this);
    break;
  }
  pumping_ = false;
}

// One round of all that can be done; false if nothing could.
bool HttpConnection::step() {
  bool moved = read();
  if (is_reading()) {
    moved = take_request() || moved;
  } else if (state_ == State::kOpen) {
    moved = exchange_->step() || moved;
  }
  moved = write() || moved;
  if (state_ == State::kOpen && exchange_) {
    exchange_->step_ends();
    if (exchange_->stage() == Stage::kAnswered && exchange_->output().empty()) {
      finish_answer();
      moved = true;
    }
  }
  return moved && state_ != State::kEnded;
}

void HttpConnection::charge_turn(std::size_t bytes) { moved_ += std::max(bytes, kLeastCharge); }

std::size_t HttpConnection::input_limit() const {
  if (exchange_ && exchange_->state().takes_body()) return kBodyAhead;
  if (is_held()) return kInputHeld;
  return std::max(kInput, front_.worker().options().head_limits.max_head_bytes);
}

bool HttpConnection::read() {
  if (state_ == State::kEnded || !can_read_ || client_ended_) return false;
  if (unread_bytes() >= input_limit()) {
    look_at_peer();
    return false;
  }
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  const net::IoResult read = client_->read(buffer.first(std::min(buffer.size(), input_limit() - unread_bytes())));
  switch (read.status) {
    case net::IoStatus::kOk:
      take_input({buffer.data(), read.bytes});
      return true;
    case net::IoStatus::kAgain:
      can_read_ = false;
      return false;
    case net::IoStatus::kEof:
      client_ended_ = true;
      break;
    case net::IoStatus::kError:
      client_left();
      return false;
  }
  if (state_ == State::kOpen && exchange_ && exchange_->state().cannot_be_answered()) client_left();
  if (state_ == State::kLinger) end(linger_reason_);
  return state_ != State::kEnded;
}

void HttpConnection::take_input(std::string_view bytes) {
  charge_turn(bytes.size());
  last_active_ = front_.worker().now();
  if (state_ == State::kLinger) {  // nobody looks at it
    // A body that nobody wants may be long. To close amid it would reset the answer away.
    if (answered_by_ == AnsweredBy::kResponder) linger_since_ = last_active_;
    return;
  }
  if (!exchange_) {
    exchange_ = front_.exchanges().take(front_);
    exchange_->bind(*this);
  }
  if (exchange_->input().empty()) header_since_ = last_active_;
  exchange_->input().append(bytes);
}

// Its end cannot be read for lack of room, but the kernel knows of it.
void HttpConnection::look_at_peer() {
  if (!std::exchange(must_look_at_peer_, false)) return;
  const net::PeerState peer = client_->peer_state();
  const bool has_left = peer == net::PeerState::kGone || (peer == net::PeerState::kEnded && is_held());
  if (has_left) client_left();
}

bool HttpConnection::stays_held() {
  can_read_ = must_look_at_peer_ = true;  // it may have left in this very turn, unseen
  while (is_held() && read()) {
  }
  return is_held();
}

// To read again would find nothing. A client that has reset its connection right behind these bytes is found when it is
// answered.
void HttpConnection::stop_reading_if_drained() {
  if (client_->is_drained()) can_read_ = false;
}

bool HttpConnection::write() {
  if (state_ == State::kEnded || !exchange_ || !can_write_ || exchange_->output().empty()) return false;
  const std::string_view bytes = exchange_->output().view();
  const net::IoResult wrote = client_->write(bytes);
  if (wrote.bytes > 0) {
    exchange_->output().consume(wrote.bytes);
    charge_turn(wrote.bytes);
    last_active_ = front_.worker().now();
    exchange_->count_down(wrote.bytes);
  }
  if (wrote.status == net::IoStatus::kError) {
    client_left();
    return false;
  }
  can_write_ = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

bool HttpConnection::take_request() {
  if (exchange_) exchange_->input().consume(leading_line_.skip(exchange_->input().view()));
  if (unread_bytes() == 0) {
    if (exchange_) end_exchange();  // an empty line, and no request yet
    if (client_ended_) end(kEndedNormally);
    return false;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!head_search_.is_worth_parsing(exchange_->input().view(), limits)) {
    if (client_ended_) end(ended_by_client(Phase::kRequest));
    return false;
  }
  const HttpFront::ScratchUse use(front_);
  http::RequestHead& head = front_.request_scratch();
  const http::ParseOutcome parsed = http::parse_request_head(exchange_->input().view(), limits, head);
  switch (parsed.status) {
    case http::ParseStatus::kNeedMore:
      head_search_.need_more(exchange_->input().view());
      if (client_ended_) end(ended_by_client(Phase::kRequest));
      return false;
    case http::ParseStatus::kRejected:
      exchange_->reject(parsed.reason);
      return true;
    case http::ParseStatus::kDone:
      start_request(head);
      return true;
  }
  return false;
}

void HttpConnection::start_request(const http::RequestHead& head) {
  moved_ += kRequestShare;
  head_search_.restart();
  leading_line_.restart();
  has_asked_ = true;
  front_.worker().note_traffic();
  exchange_->start(head);
}

void HttpConnection::append_request_head(std::string& out, const http::RequestHead& head, bool upgrades,
                                         bool omits_expect) const {
  const ClientIdentityOptions& identity = front_.settings_of(*this).client_identity;
  std::string own_host;  // for HTTP/1.0, which may name none
  if (head.host.empty()) {
    const net::Address& own = front_.worker().listeners().address(listener_);
    own_host = own.is_unix() ? "localhost" : own.to_string();
  }
  http::RequestEdits edits;
  edits.set = identity_.set();
  edits.dropped = &identity.dropped;
  edits.passed_on = identity_.passed_on(identity);
  edits.host = own_host;
  if (front_.worker().options().forwarded_for) edits.forwarded_for = client_host_;
  edits.keeps_forwarded_for = keeps_forwarded_for_;
  if (upgrades) edits.upgrade = "websocket";
  edits.omits_expect = omits_expect;
  http::append_request_head(out, head, edits);
}

// Behind the last byte of an answer.
void HttpConnection::finish_answer() {
  exchange_->tell();
  if (exchange_->is_last()) return linger(exchange_->end_reason());
  header_since_ = front_.worker().now();
  exchange_->input().empty() ? end_exchange() : exchange_->restart();
}

// A close with unread input would reset the connection, and the answer with it.
void HttpConnection::linger(EndReason reason) {
  state_ = State::kLinger;
  linger_reason_ = reason;
  if (exchange_) end_exchange();
  linger_since_ = front_.worker().now();
  client_->shutdown_write();
  if (client_ended_) end(linger_reason_);
}

// REQUIRES: the request is told of, its answer has left, and no node works on it
void HttpConnection::end_exchange() {
  exchange_->input().clear();
  front_.exchanges().give_back(std::move(exchange_));
}

void HttpConnection::client_left() {
  const bool was_held = is_held();
  const bool is_between_requests = is_reading() && unread_bytes() == 0;
  EndReason reason = is_between_requests ? kEndedNormally : ended_by_client(phase());
  if (state_ == State::kLinger) reason = linger_reason_;
  end(reason, Close::kReset);
  if (was_held) front_.worker().counters().client_gone_while_held.add();  // its place is free by now
}

void HttpConnection::end(EndReason reason, Close how) {
  if (state_ == State::kEnded) return;
  if (how == Close::kReset) client_->abort();
  if (exchange_) exchange_->cut(reason);
  tell(reason);
  state_ = State::kEnded;
  client_->close();
  front_.retire(*this);
}

Phase HttpConnection::phase() const {
  if (state_ != State::kOpen) return Phase::kLastData;
  return exchange_ ? exchange_->state().phase() : Phase::kRequest;
}

void HttpConnection::tell(EndReason reason) const {
  const WorkerCore& worker = front_.worker();
  if (are_sessions_logged(worker)) log_session_end(worker, {listener_, client_name_, started_, sum_, reason});
}

}  // namespace bellwether::proxy
