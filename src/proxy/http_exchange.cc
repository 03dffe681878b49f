#include <utility>

#include "bellwether/http/chunk_writer.h"
#include "http_front.h"
#include "http_session.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

cluster::HintKind hint_for(net::StreamFailure failure) {
  switch (failure) {
    case net::StreamFailure::kRefused:
      return cluster::HintKind::kRefused;
    case net::StreamFailure::kReset:
      return cluster::HintKind::kReset;
    case net::StreamFailure::kTimeout:
      return cluster::HintKind::kSlow;
    case net::StreamFailure::kNone:
    case net::StreamFailure::kTls:
    case net::StreamFailure::kUnreachable:
    case net::StreamFailure::kClosed:
      return cluster::HintKind::kClosed;
  }
  return cluster::HintKind::kClosed;
}

}  // namespace

void HttpSession::begin_attempt(NodeId node) {
  Worker& worker = front_.worker();
  const auto& view = worker.view();
  exchange_->attempt = {};
  exchange_->attempt.node = node;
  exchange_->attempt.began = worker.now();
  sum_.node = node;
  if (view) {
    exchange_->attempt.epoch = sum_.epoch = view->epoch;
    if (node.index < view->nodes.size()) {
      exchange_->attempt.role = view->nodes[node.index].role;
      exchange_->attempt.conduct = vault::conduct_of(view->nodes[node.index].facts);
    }
  }
  request_sent_at_ = kNever;
  exchange_->from_node.clear();
  state_ = State::kExchange;
  if (exchange_->request.sends++ > 0) worker.counters().http.resent.add();
  if (exchange_->request.was_continued && !exchange_->request.head_without_expect.empty()) {
    exchange_->to_node.replace_head(std::exchange(exchange_->request.head_without_expect, {}));
  }
  if (front_.shares_upstreams()) upstream_ = front_.pool().take(node);
  if (upstream_) {
    upstream_->lend(this);
    exchange_->attempt.can_write = true;  // it was quiet a moment ago: an edge tells of its answer
    exchange_->attempt.at_node = Counted(worker.node_counters(node).sessions_now);
    return pump();
  }
  upstream_ = front_.open_upstream(node, preamble_, this);
  if (!upstream_) {
    worker.node_counters(node).connect_failures.add();
    return attempt_failed(vault::Failure::kNotConnected);
  }
  exchange_->attempt.is_connecting = true;
  exchange_->attempt.dial = worker.dial_place();
}

void HttpSession::on_upstream_open() {
  exchange_->attempt.is_connecting = false;
  exchange_->attempt.can_write = true;
  Worker& worker = front_.worker();
  sum_.connecting += worker.now() - exchange_->attempt.began;
  exchange_->attempt.is_fresh = true;
  worker.node_counters(exchange_->attempt.node).connects.add();
  exchange_->attempt.at_node = Counted(worker.node_counters(exchange_->attempt.node).sessions_now);
  pump();
  // A request that is not yet sent whole may take as long as its client likes.
  if (exchange_ && !exchange_->attempt.is_connecting && !is_queued()) let_others_knock();
  front_.release();
}

void HttpSession::on_upstream_readable() {
  exchange_->attempt.can_read = true;
  pump();
}

void HttpSession::on_upstream_writable() {
  exchange_->attempt.can_write = true;
  pump();
}

void HttpSession::on_upstream_broken(net::StreamFailure failure) {
  Worker& worker = front_.worker();
  worker.node_counters(exchange_->attempt.node).connect_failures.add();
  worker.hint(exchange_->attempt.node, exchange_->attempt.epoch, hint_for(failure));
  attempt_failed(vault::Failure::kNotConnected);
  front_.release();
  pump();
}

void HttpSession::drop_upstream() {
  end_init(exchange_->attempt.sent > 0 ? InitGuard::Outcome::kUnknown : InitGuard::Outcome::kNotDone);
  stop_awaiting_claim();
  front_.answers().remove(*this);
  let_others_knock();
  if (!upstream_) return;
  exchange_->attempt.at_node.reset();
  if (std::exchange(exchange_->attempt.is_connecting, false))
    sum_.connecting += front_.worker().now() - exchange_->attempt.began;
  front_.pool().discard(std::move(upstream_));
}

bool HttpSession::exchange_step() {
  if (!upstream_ || exchange_->attempt.is_connecting) return false;
  bool moved = take_body();
  if (state_ == State::kExchange) moved = write_node() || moved;
  if (state_ == State::kExchange) moved = read_node() || moved;
  if (state_ == State::kExchange) moved = take_answer() || moved;
  return moved;
}

// From the client's bytes into the queue to the node, framed anew.
bool HttpSession::take_body() {
  bool moved = false;
  while (!exchange_->request_body.done() && !exchange_->in.empty() && !exchange_->attempt.write_broken &&
         exchange_->to_node.unsent().size() < kBodyAhead) {
    const std::size_t room = kBodyAhead - exchange_->to_node.unsent().size();
    const http::BodyReader::Bite bite = exchange_->request_body.feed(exchange_->in.view().substr(0, room));
    if (bite.status == http::ParseStatus::kRejected) {
      refuse_body(bite.reason);
      return true;
    }
    if (exchange_->request_body.done() && has_left_while_held()) {
      client_left();
      return true;
    }
    queue_body(bite.content);
    exchange_->in.consume(bite.consumed);
    if (exchange_->request.body_kind == http::BodyKind::kChunked && exchange_->request_body.done())
      exchange_->to_node.tail() += http::kLastChunk;
    moved = true;
  }
  return moved;
}

// Its end may have been behind more of the body than the kernel takes, so that it shows only now. The node has not had
// the last of the body, and executes nothing.
bool HttpSession::has_left_while_held() const {
  return exchange_->request.was_held && client_->peer_state() != net::PeerState::kHere;
}

void HttpSession::queue_body(std::string_view content) {
  if (content.empty()) return;
  exchange_->request.was_continued = true;
  const std::size_t most = front_.worker().options().retry_buffer;
  if (exchange_->to_node.keeps() && exchange_->to_node.body_size() + content.size() > most) {
    note_effect();  // the head goes too
    exchange_->to_node.stop_keeping();
  }
  if (exchange_->request.body_kind == http::BodyKind::kChunked) {
    http::append_chunk(exchange_->to_node.tail(), content);
  } else {
    exchange_->to_node.tail() += content;
  }
}

// The node never sees this body's end, so it does not execute the request.
void HttpSession::refuse_body(http::Reject reason) {
  if (exchange_->answer.has_begun) return cut_answer(refused_by_us(phase()));
  drop_upstream();
  reject(reason);
}

bool HttpSession::write_node() {
  if (!exchange_->attempt.can_write || exchange_->attempt.write_broken) return false;
  const std::string_view bytes = exchange_->to_node.unsent();
  if (bytes.empty()) {
    // Its last bytes are gone now: from here on the node is asked.
    const bool is_all_sent = exchange_->request_body.done() && request_sent_at_ == kNever;
    if (!is_all_sent) {
      if (client_ended_ && exchange_->in.empty() && !exchange_->request_body.done()) client_left();
      return false;
    }
    request_sent_at_ = front_.worker().now();
    if (!exchange_->answer.has_begun && !is_queued()) front_.answers().add(*this);
    return false;
  }
  if (exchange_->request.is_for_leader && front_.worker().must_withhold()) return false;
  if (!exchange_->request.is_for_leader || exchange_->attempt.sent > 0) return write_to_node(bytes);
  const SendPermit permit = front_.worker().ask_to_send();
  if (permit) return write_to_node(bytes);
  abandon_attempt();
  return true;
}

bool HttpSession::write_to_node(std::string_view bytes) {
  const net::IoResult wrote = upstream_->write(bytes);
  if (wrote.bytes > 0) note_sent(wrote.bytes);
  if (wrote.status == net::IoStatus::kError) {
    // What it said before is still to be read: an answer that came early.
    exchange_->attempt.write_broken = exchange_->attempt.can_read = true;
    return true;
  }
  exchange_->attempt.can_write = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

// The node may have these bytes of the request, whatever else became of the call that wrote them.
void HttpSession::note_sent(std::size_t bytes) {
  exchange_->to_node.mark_sent(bytes);
  exchange_->attempt.sent += bytes;
  charge_turn(bytes);
  exchange_->attempt.active = last_active_ = front_.worker().now();
  count_up(bytes);
}

bool HttpSession::read_node() {
  const bool has_room = exchange_->from_node.size() < kAhead && exchange_->to_client.size() < kAhead;
  if (!exchange_->attempt.can_read || exchange_->attempt.ended != NodeEnd::kNone || !has_room) return false;
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  const net::IoResult read = upstream_->read(buffer);
  switch (read.status) {
    case net::IoStatus::kOk:
      exchange_->from_node.append({buffer.data(), read.bytes});
      exchange_->attempt.received += read.bytes;
      charge_turn(read.bytes);
      exchange_->attempt.active = exchange_->attempt.heard = last_active_ = front_.worker().now();
      return true;
    case net::IoStatus::kAgain:
      exchange_->attempt.can_read = false;
      return false;
    case net::IoStatus::kEof:
      exchange_->attempt.ended = NodeEnd::kOrderly;
      return true;
    case net::IoStatus::kError:
      exchange_->attempt.ended = NodeEnd::kBroken;
      return true;
  }
  return false;
}

void HttpSession::say_unanswered() {
  let_others_knock();
  front_.release();
  front_.worker().hint(exchange_->attempt.node, exchange_->attempt.epoch, cluster::HintKind::kSlow);
}

void HttpSession::note_answered() {
  front_.answers().remove(*this);
  let_others_knock();
  if (!std::exchange(exchange_->attempt.is_fresh, false)) return;
  front_.worker().make_room_to_dial();
  front_.release_soon();
}

// The kernel takes connections faster than the node answers them.
void HttpSession::let_others_knock() { exchange_->attempt.dial.reset(); }

void HttpSession::attempt_failed(vault::Failure failure) {
  const vault::Row row = vault::judge(vault::Transport{failure, exchange_->attempt.sent, exchange_->attempt.received});
  if (vault::verdict_of(row) != vault::Verdict::kAmbiguous) end_init(InitGuard::Outcome::kNotDone);
  drop_upstream();
  act(row, nullptr, {});
}

}  // namespace bellwether::proxy
