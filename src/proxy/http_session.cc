#include "http_session.h"

#include <algorithm>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/http/target.h"
#include "bellwether/vault/consistency.h"
#include "bellwether/vault/ui_requests.h"
#include "http_front.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

// Of a client that sends ahead. From one that is held hardly more is read than it had sent before: enough to see the
// end of one that sends nothing.
constexpr std::size_t kInput = 64 * 1024;
constexpr std::size_t kInputHeld = 1024;
// What a held request takes beside its buffers: the session, its TLS state, texts.
constexpr std::size_t kHeldOverhead = 4096;
constexpr std::size_t kTurnBudget = 256 * 1024;  // others wait meanwhile
// What a request takes of it beside its bytes: a client that pipelines small ones, which we answer ourselves, has its
// share too.
constexpr std::size_t kRequestShare = 16 * 1024;

}  // namespace

HttpSession::HttpSession(HttpFront& front, Accepted accepted)
    : front_(front), started_(front.worker().now()), last_active_(started_), listener_(accepted.listener) {
  const ProxyOptions& options = front_.worker().options();
  if (!accepted.client.is_unix()) {
    // Nodes take no zone (fe80::1%eth0).
    client_host_ = accepted.client.host();
    client_host_.erase(std::min(client_host_.find('%'), client_host_.size()));
    keeps_forwarded_for_ = is_in_any(client_host_, options.forwarded_for_trusted);
  }
  if (options.log_requests || options.log_sessions) client_name_ = accepted.client.to_string();
  if (options.send_proxy != net::ProxyVersion::kNone) {
    net::Address destination;
    if (accepted.destination) {
      destination = *accepted.destination;
    } else if (auto local = accepted.socket.local_address()) {
      destination = *local;
    }
    preamble_ = net::proxy_header(options.send_proxy, accepted.client, destination);
  }
  client_ = net::Stream::accept(front_.worker().loop(), std::move(accepted.socket),
                                front_.worker().client_tls(listener_), options.timeout_header, *this);
}

// What comes first is told by on_readable().
void HttpSession::on_open() {
  last_active_ = front_.worker().now();
  identity_.on_handshake(*client_, front_.worker().options().client_identity, keeps_forwarded_for_);
}

void HttpSession::on_readable() {
  can_read_client_ = must_look_at_peer_ = true;
  pump();
}

void HttpSession::on_writable() {
  can_write_client_ = true;
  pump();
}

void HttpSession::on_broken(Error) {
  if (const auto failure = client_->handshake_failure()) front_.worker().count_handshake_failure(*failure);
  end(ended_by_client(Phase::kRequest));
}

void HttpSession::pump() {
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
bool HttpSession::step() {
  bool moved = read_client();
  switch (state_) {
    case State::kReading:
      moved = take_request() || moved;
      break;
    case State::kExchange:
      moved = exchange_step() || moved;
      break;
    case State::kTunnel:
      moved = tunnel_step() || moved;
      break;
    case State::kLinger:
    case State::kHeld:
    case State::kFlushing:
    case State::kEnded:
      break;
  }
  moved = write_client() || moved;
  if (state_ == State::kTunnel) tunnel_step_ends();
  if (state_ == State::kFlushing && exchange_->to_client.empty()) {
    finish_flush();
    return true;
  }
  return moved && state_ != State::kEnded;
}

std::size_t HttpSession::input_limit() const {
  if (state_ == State::kHeld) return kInputHeld;
  if (state_ == State::kExchange && !exchange_->request_body.done()) return kBodyAhead;
  return std::max(kInput, front_.worker().options().head_limits.max_head_bytes);
}

bool HttpSession::read_client() {
  if (state_ == State::kEnded || !can_read_client_ || client_ended_) return false;
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
      can_read_client_ = false;
      return false;
    case net::IoStatus::kEof:
      client_ended_ = true;
      break;
    case net::IoStatus::kError:
      client_left();
      return false;
  }
  if (state_ == State::kHeld || (state_ == State::kExchange && cannot_be_answered())) client_left();
  if (state_ == State::kLinger) end(linger_reason_);
  return state_ != State::kEnded;
}

void HttpSession::take_input(std::string_view bytes) {
  charge_turn(bytes.size());
  last_active_ = front_.worker().now();
  if (state_ == State::kLinger) return;  // nobody looks at it
  if (!exchange_) exchange_ = front_.exchanges().take();
  if (exchange_->in.empty()) header_since_ = last_active_;
  exchange_->in.append(bytes);
}

// The client has ended its side. It still gets the answer to what it sent, unless that has no end or is not whole.
bool HttpSession::cannot_be_answered() const {
  const bool is_endless = exchange_->request.request_class == vault::RequestClass::kStream;
  return is_endless || (!exchange_->request_body.done() && exchange_->in.empty());
}

// Its end cannot be read for lack of room, but the kernel knows of it.
void HttpSession::look_at_peer() {
  if (!std::exchange(must_look_at_peer_, false)) return;
  const net::PeerState peer = client_->peer_state();
  const bool has_left = peer == net::PeerState::kGone || (peer == net::PeerState::kEnded && state_ == State::kHeld);
  if (has_left) client_left();
}

// What is left of the buffers, and all that goes with a request that waits.
std::size_t HttpSession::shrink_buffers() {
  for (ByteQueue* queue : {&exchange_->in, &exchange_->from_node, &exchange_->to_client}) queue->shrink();
  exchange_->to_node.shrink();
  return kHeldOverhead + exchange_->in.capacity() + exchange_->from_node.capacity() + exchange_->to_client.capacity() +
         exchange_->to_node.capacity() + exchange_->request.head_without_expect.capacity() +
         exchange_->request.path.capacity();
}

bool HttpSession::write_client() {
  if (state_ == State::kEnded || !exchange_ || !can_write_client_ || exchange_->to_client.empty()) return false;
  const std::string_view bytes = exchange_->to_client.view();
  const net::IoResult wrote = client_->write(bytes);
  if (wrote.bytes > 0) {
    exchange_->to_client.consume(wrote.bytes);
    charge_turn(wrote.bytes);
    last_active_ = front_.worker().now();
    count_down(wrote.bytes);
  }
  if (wrote.status == net::IoStatus::kError) {
    client_left();
    return false;
  }
  can_write_client_ = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

bool HttpSession::take_request() {
  if (exchange_) exchange_->in.consume(leading_line_.skip(exchange_->in.view()));
  if (unread_bytes() == 0) {
    if (exchange_) end_exchange();  // an empty line, and no request yet
    if (client_ended_) end(kEndedNormally);
    return false;
  }
  const http::HeadLimits& limits = front_.worker().options().head_limits;
  if (!head_search_.is_worth_parsing(exchange_->in.view(), limits)) {
    if (client_ended_) end(ended_by_client(Phase::kRequest));
    return false;
  }
  const HttpFront::ScratchUse use(front_);
  http::RequestHead& head = front_.request_scratch();
  const http::ParseOutcome parsed = http::parse_request_head(exchange_->in.view(), limits, head);
  switch (parsed.status) {
    case http::ParseStatus::kNeedMore:
      head_search_.need_more(exchange_->in.view());
      if (client_ended_) end(ended_by_client(Phase::kRequest));
      return false;
    case http::ParseStatus::kRejected:
      reject(parsed.reason);
      return true;
    case http::ParseStatus::kDone:
      start_request(head);
      return true;
  }
  return false;
}

void HttpSession::start_request(const http::RequestHead& head) {
  Request& request = exchange_->request;
  Worker& worker = front_.worker();
  moved_ += kRequestShare;
  head_search_.restart();
  leading_line_.restart();
  worker.note_traffic();
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
  if (head.expects_continue) append_upstream_head(request.head_without_expect, head, true);
  exchange_->request_body = http::BodyReader(head.body);
  again_here_ = false;
  append_upstream_head(exchange_->to_node.start(), head, false);
  exchange_->to_node.end_head();
  const bool is_whole =
      head.body.kind == http::BodyKind::kNone ||
      (head.body.kind == http::BodyKind::kLength && head.body.length <= exchange_->in.size() - head.bytes);
  const bool has_quick_answer = request.request_class != vault::RequestClass::kStream && !request.is_websocket;
  // Not read again, which would find nothing. A client that has reset its connection right behind these bytes is found
  // when it is answered.
  if (is_whole && has_quick_answer && client_->is_drained()) can_read_client_ = false;
  exchange_->in.consume(head.bytes);  // what `head` points into
  dispatch();
}

void HttpSession::append_upstream_head(std::string& out, const http::RequestHead& head, bool omits_expect) const {
  const ProxyOptions& options = front_.worker().options();
  std::string own_host;  // for HTTP/1.0, which may name none
  if (head.host.empty()) {
    const net::Address& own = front_.worker().shared().own_addresses[listener_];
    own_host = own.is_unix() ? "localhost" : own.to_string();
  }
  http::RequestEdits edits;
  edits.set = identity_.set();
  edits.dropped = &options.client_identity.dropped;
  edits.passed_on = identity_.passed_on();
  edits.host = own_host;
  if (options.forwarded_for) edits.forwarded_for = client_host_;
  edits.keeps_forwarded_for = keeps_forwarded_for_;
  if (exchange_->request.is_websocket) edits.upgrade = "websocket";
  edits.omits_expect = omits_expect;
  http::append_request_head(out, head, edits);
}

void HttpSession::reject(http::Reject reason) {
  WorkerCounters& counters = front_.worker().counters();
  counters.rejected_requests.add();
  counters.http.rejected[static_cast<std::size_t>(reason)].add();
  const int status = http::status_of(reason);
  if (exchange_->request.is_open) {
    counters.http.rejected_late.add();
  } else {
    open_account();
  }
  exchange_->request.rejected = http::to_text(reason);
  settle(Outcome::kRejected, status, refused_by_us(Phase::kRequest));
  exchange_->in.clear();  // where a next request would begin is unknown
  respond(status, "Bellwether: " + http::explain(reason, front_.worker().options().head_limits), false);
}

void HttpSession::finish_flush() {
  tell_request();
  if (!close_after_) return next_request();
  linger(exchange_->request.end);
}

// A close with unread input would reset the connection, and the answer with it.
void HttpSession::linger(EndReason reason) {
  state_ = State::kLinger;
  linger_reason_ = reason;
  if (exchange_) end_exchange();
  linger_since_ = front_.worker().now();
  client_->shutdown_write();
  if (client_ended_) end(linger_reason_);
}

void HttpSession::next_request() {
  state_ = State::kReading;
  header_since_ = front_.worker().now();
  exchange_->in.empty() ? end_exchange() : exchange_->restart();
}

// REQUIRES: the request is told of, its answer has left, and no node works on it
void HttpSession::end_exchange() {
  BW_ASSERT(!upstream_);
  exchange_->in.clear();
  front_.exchanges().give_back(std::move(exchange_));
}

void HttpSession::client_left() {
  if (state_ == State::kHeld) front_.worker().counters().client_gone_while_held.add();
  const bool is_between_requests = state_ == State::kReading && unread_bytes() == 0;
  EndReason reason = is_between_requests ? kEndedNormally : ended_by_client(phase());
  if (state_ == State::kLinger) reason = linger_reason_;
  if (state_ == State::kHeld) unhold();
  client_->abort();
  end(reason);
}

void HttpSession::end(EndReason reason) {
  if (state_ == State::kEnded) return;
  if (exchange_) cut_exchange(reason);
  tell_session(reason);
  state_ = State::kEnded;
  client_->close();
  front_.retire(*this);
}

// With its connection.
void HttpSession::cut_exchange(EndReason reason) {
  if (state_ == State::kHeld) unhold();
  exchange_->mount_lookup.reset();
  settle_unfinished(reason);
  if (exchange_->request.end.is_normal()) exchange_->request.end = reason;  // cut while its answer was leaving
  drop_upstream();
  tell_request();
}

}  // namespace bellwether::proxy
