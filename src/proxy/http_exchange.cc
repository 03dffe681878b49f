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
  attempt_ = {};
  attempt_.node = node;
  attempt_.began = worker.now();
  sum_.has_node = true;
  if (view) {
    attempt_.epoch = view->epoch;
    if (node.index < view->nodes.size()) {
      attempt_.role = view->nodes[node.index].role;
      attempt_.conduct = vault::conduct_of(view->nodes[node.index].facts);
    }
  }
  request_sent_at_ = kNever;
  from_node_.clear();
  state_ = State::kExchange;
  if (request_.sends++ > 0) worker.counters().http.resent.add();
  if (request_.was_continued && !request_.head_without_expect.empty()) {
    to_node_.replace_head(std::exchange(request_.head_without_expect, {}));
  }
  if (front_.shares_upstreams()) upstream_ = front_.pool().take(node);
  if (upstream_) {
    upstream_->lend(this);
    attempt_.can_write = true;  // it was quiet a moment ago: an edge tells of its answer
    attempt_.at_node = Counted(worker.node_counters(node).sessions_now);
    return pump();
  }
  upstream_ = front_.open_upstream(node, preamble_, this);
  if (!upstream_) {
    worker.node_counters(node).connect_failures.add();
    return attempt_failed(vault::Failure::kNotConnected);
  }
  attempt_.is_connecting = true;
  attempt_.dial = worker.dial_place();
}

void HttpSession::on_upstream_open() {
  attempt_.is_connecting = false;
  attempt_.can_write = true;
  Worker& worker = front_.worker();
  sum_.connecting += worker.now() - attempt_.began;
  attempt_.is_fresh = true;
  worker.node_counters(attempt_.node).connects.add();
  attempt_.at_node = Counted(worker.node_counters(attempt_.node).sessions_now);
  pump();
  // A request that is not yet sent whole may take as long as its client likes.
  if (!attempt_.is_connecting && !is_queued()) let_others_knock();
  front_.release();
}

void HttpSession::on_upstream_readable() {
  attempt_.can_read = true;
  pump();
}

void HttpSession::on_upstream_writable() {
  attempt_.can_write = true;
  pump();
}

void HttpSession::on_upstream_broken(net::StreamFailure failure) {
  Worker& worker = front_.worker();
  worker.node_counters(attempt_.node).connect_failures.add();
  worker.hint(attempt_.node, attempt_.epoch, hint_for(failure));
  attempt_failed(vault::Failure::kNotConnected);
  front_.release();
  pump();
}

void HttpSession::drop_upstream() {
  end_init(attempt_.sent > 0 ? InitGuard::Outcome::kUnknown : InitGuard::Outcome::kNotDone);
  stop_awaiting_claim();
  front_.answers().remove(*this);
  let_others_knock();
  if (!upstream_) return;
  attempt_.at_node.reset();
  if (std::exchange(attempt_.is_connecting, false)) sum_.connecting += front_.worker().now() - attempt_.began;
  front_.pool().discard(std::move(upstream_));
}

bool HttpSession::exchange_step() {
  if (!upstream_ || attempt_.is_connecting) return false;
  bool moved = take_body();
  if (state_ == State::kExchange) moved = write_node() || moved;
  if (state_ == State::kExchange) moved = read_node() || moved;
  if (state_ == State::kExchange) moved = take_answer() || moved;
  return moved;
}

// From the client's bytes into the queue to the node, framed anew.
bool HttpSession::take_body() {
  bool moved = false;
  while (!request_body_.done() && !in_.empty() && !attempt_.write_broken && to_node_.unsent().size() < kAhead) {
    const http::BodyReader::Bite bite = request_body_.feed(in_.view());
    if (bite.status == http::ParseStatus::kRejected) {
      refuse_body(bite.reason);
      return true;
    }
    if (request_body_.done() && has_left_while_held()) {
      client_left();
      return true;
    }
    queue_body(bite.content);
    in_.consume(bite.consumed);
    if (request_.body_kind == http::BodyKind::kChunked && request_body_.done()) to_node_.tail() += http::kLastChunk;
    moved = true;
  }
  return moved;
}

// Its end may have been behind more of the body than the kernel takes, so that it shows only now. The node has not had
// the last of the body, and executes nothing.
bool HttpSession::has_left_while_held() const {
  return request_.was_held && client_->peer_state() != net::PeerState::kHere;
}

void HttpSession::queue_body(std::string_view content) {
  if (content.empty()) return;
  request_.was_continued = true;
  const std::size_t most = front_.worker().options().retry_buffer;
  if (to_node_.keeps() && to_node_.body_size() + content.size() > most) {
    note_effect();  // the head goes too
    to_node_.stop_keeping();
  }
  if (request_.body_kind == http::BodyKind::kChunked) {
    http::append_chunk(to_node_.tail(), content);
  } else {
    to_node_.tail() += content;
  }
}

// The node never sees this body's end, so it does not execute the request.
void HttpSession::refuse_body(http::Reject reason) {
  if (answer_.has_begun) return cut_answer(refused_by_us(phase()));
  drop_upstream();
  reject(reason);
}

bool HttpSession::write_node() {
  if (!attempt_.can_write || attempt_.write_broken) return false;
  const std::string_view bytes = to_node_.unsent();
  if (bytes.empty()) {
    // Its last bytes are gone now: from here on the node is asked.
    const bool is_all_sent = request_body_.done() && request_sent_at_ == kNever;
    if (!is_all_sent) {
      if (client_ended_ && in_.empty() && !request_body_.done()) client_left();
      return false;
    }
    request_sent_at_ = front_.worker().now();
    if (!answer_.has_begun && !is_queued()) front_.answers().add(*this);
    return false;
  }
  if (request_.is_for_leader && front_.worker().must_withhold()) return false;
  if (!request_.is_for_leader || attempt_.sent > 0) return write_to_node(bytes);
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
    attempt_.write_broken = attempt_.can_read = true;
    return true;
  }
  attempt_.can_write = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

// The node may have these bytes of the request, whatever else became of the call that wrote them.
void HttpSession::note_sent(std::size_t bytes) {
  to_node_.mark_sent(bytes);
  attempt_.sent += bytes;
  charge_turn(bytes);
  attempt_.active = last_active_ = front_.worker().now();
  count_up(bytes);
}

bool HttpSession::read_node() {
  const bool has_room = from_node_.size() < kAhead && to_client_.size() < kAhead;
  if (!attempt_.can_read || attempt_.ended != NodeEnd::kNone || !has_room) return false;
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  const net::IoResult read = upstream_->read(buffer);
  switch (read.status) {
    case net::IoStatus::kOk:
      from_node_.append({buffer.data(), read.bytes});
      attempt_.received += read.bytes;
      charge_turn(read.bytes);
      attempt_.active = attempt_.heard = last_active_ = front_.worker().now();
      return true;
    case net::IoStatus::kAgain:
      attempt_.can_read = false;
      return false;
    case net::IoStatus::kEof:
      attempt_.ended = NodeEnd::kOrderly;
      return true;
    case net::IoStatus::kError:
      attempt_.ended = NodeEnd::kBroken;
      return true;
  }
  return false;
}

void HttpSession::say_unanswered() {
  let_others_knock();
  front_.release();
  front_.worker().hint(attempt_.node, attempt_.epoch, cluster::HintKind::kSlow);
}

void HttpSession::note_answered() {
  front_.answers().remove(*this);
  let_others_knock();
  if (!std::exchange(attempt_.is_fresh, false)) return;
  front_.worker().make_room_to_dial();
  front_.release_soon();
}

// The kernel takes connections faster than the node answers them.
void HttpSession::let_others_knock() { attempt_.dial.reset(); }

void HttpSession::attempt_failed(vault::Failure failure) {
  const vault::Row row = vault::judge(vault::Transport{failure, attempt_.sent, attempt_.received});
  if (vault::verdict_of(row) != vault::Verdict::kAmbiguous) end_init(InitGuard::Outcome::kNotDone);
  drop_upstream();
  act(row, nullptr, {});
}

}  // namespace bellwether::proxy
