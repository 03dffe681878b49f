#include <utility>

#include "http_connection.h"
#include "http_front.h"
#include "proxy/core/worker_core.h"

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

void HttpExchange::begin_attempt(NodeId node) {
  WorkerCore& worker = front_.worker();
  const auto& view = worker.view();
  attempt = {};
  attempt.node = node;
  attempt.began = worker.now();
  connection_->sum().node = node;
  if (view) {
    attempt.epoch = connection_->sum().epoch = view->epoch;
    if (const cluster::NodeView* const seen = view->nodes.find(node)) {
      attempt.role = seen->role;
      attempt.conduct = vault::conduct_of(seen->facts);
    }
  }
  from_node.clear();
  become(Stage::kAtNode);
  if (request.sends++ > 0) worker.counters().http.resent.add();
  if (request.was_continued && !request.head_without_expect.empty()) {
    to_node.replace_head(std::exchange(request.head_without_expect, {}));
  }
  if (front_.shares_upstreams()) upstream_ = front_.pool().take(node);
  if (upstream_) {
    upstream_->lend(this);
    attempt.can_write = true;  // it was quiet a moment ago: an edge tells of its answer
    attempt.at_node = Counted(worker.nodes().counters(node).sessions_now);
    return;
  }
  upstream_ = front_.open_upstream(node, connection_->preamble(), this);
  if (!upstream_) {
    worker.nodes().counters(node).connect_failures.add();
    return attempt_failed(vault::Failure::kNotConnected);
  }
  attempt.is_connecting = true;
  attempt.dial = worker.dials().place();
}

void HttpExchange::on_upstream_open() {
  attempt.is_connecting = false;
  attempt.can_write = true;
  WorkerCore& worker = front_.worker();
  connection_->sum().connecting += worker.now() - attempt.began;
  attempt.is_fresh = true;
  worker.nodes().counters(attempt.node).connects.add();
  attempt.at_node = Counted(worker.nodes().counters(attempt.node).sessions_now);
  HttpFront& front = front_;
  HttpConnection& connection = *connection_;
  connection.pump();
  // A request that is not yet sent whole may take as long as its client likes.
  HttpExchange* const now = connection.exchange();
  if (now != nullptr && !now->attempt.is_connecting && !now->is_queued()) now->let_others_knock();
  front.release();
}

void HttpExchange::on_upstream_readable() {
  attempt.can_read = true;
  connection_->pump();
}

void HttpExchange::on_upstream_writable() {
  attempt.can_write = true;
  connection_->pump();
}

void HttpExchange::on_upstream_broken(net::StreamFailure failure) {
  WorkerCore& worker = front_.worker();
  worker.nodes().counters(attempt.node).connect_failures.add();
  worker.hint(attempt.node, attempt.epoch, hint_for(failure));
  attempt_failed(vault::Failure::kNotConnected);
  HttpFront& front = front_;
  HttpConnection& connection = *connection_;
  front.release();  // maybe this one
  connection.pump();
}

void HttpExchange::drop_upstream() {
  end_init(attempt.sent > 0 ? InitGuard::Outcome::kUnknown : InitGuard::Outcome::kNotDone);
  stop_awaiting_claim();
  front_.answers().remove(*this);
  let_others_knock();
  if (!upstream_) return;
  attempt.at_node.reset();
  if (std::exchange(attempt.is_connecting, false))
    connection_->sum().connecting += front_.worker().now() - attempt.began;
  front_.pool().discard(std::move(upstream_));
}

// Only one that owes nothing and is owed nothing.
void HttpExchange::give_upstream_back() {
  const bool is_even = answer_body.done() && from_node.empty() && request_body.done() && to_node.unsent().empty();
  const bool is_sound = answer.node_keeps_alive && attempt.ended == NodeEnd::kNone && !attempt.write_broken;
  const bool is_wanted = front_.worker().nodes().standing(attempt.node) == Standing::kKeep && front_.shares_upstreams();
  if (!is_even || !is_sound || !is_wanted) return drop_upstream();
  attempt.at_node.reset();
  front_.give_back(std::move(upstream_));
}

bool HttpExchange::write_node() {
  if (!attempt.can_write || attempt.write_broken) return false;
  const std::string_view bytes = to_node.unsent();
  if (bytes.empty()) {
    // Its last bytes are gone now: from here on the node is asked.
    const bool is_all_sent = request_body.done() && attempt.all_sent_at == kNever;
    if (!is_all_sent) {
      if (connection_->has_client_ended() && in.empty() && !request_body.done()) connection_->client_left();
      return false;
    }
    attempt.all_sent_at = front_.worker().now();
    if (!answer.has_begun && !is_queued()) front_.answers().add(*this);
    return false;
  }
  if (request.is_for_leader && front_.worker().must_withhold()) return false;
  if (!request.is_for_leader || attempt.sent > 0) return write_to_node(bytes);
  const SendPermit permit = front_.worker().clearance().ask_to_send();
  if (permit) return write_to_node(bytes);
  abandon_attempt();
  return true;
}

bool HttpExchange::write_to_node(std::string_view bytes) {
  const net::IoResult wrote = upstream_->write(bytes);
  if (wrote.bytes > 0) note_sent(wrote.bytes);
  if (wrote.status == net::IoStatus::kError) {
    // What it said before is still to be read: an answer that came early.
    attempt.write_broken = attempt.can_read = true;
    return true;
  }
  attempt.can_write = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

// The node may have these bytes of the request, whatever else became of the call that wrote them.
void HttpExchange::note_sent(std::size_t bytes) {
  to_node.mark_sent(bytes);
  attempt.sent += bytes;
  connection_->charge_turn(bytes);
  attempt.active = front_.worker().now();
  connection_->note_active(attempt.active);
  count_up(bytes);
}

bool HttpExchange::read_node() {
  const bool has_room = from_node.size() < kAhead && to_client.size() < kAhead;
  if (!attempt.can_read || attempt.ended != NodeEnd::kNone || !has_room) return false;
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  const net::IoResult read = upstream_->read(buffer);
  switch (read.status) {
    case net::IoStatus::kOk:
      from_node.append({buffer.data(), read.bytes});
      attempt.received += read.bytes;
      connection_->charge_turn(read.bytes);
      attempt.active = attempt.heard = front_.worker().now();
      connection_->note_active(attempt.active);
      return true;
    case net::IoStatus::kAgain:
      attempt.can_read = false;
      return false;
    case net::IoStatus::kEof:
      attempt.ended = NodeEnd::kOrderly;
      return true;
    case net::IoStatus::kError:
      attempt.ended = NodeEnd::kBroken;
      return true;
  }
  return false;
}

void HttpExchange::say_unanswered() {
  let_others_knock();
  front_.worker().hint(attempt.node, attempt.epoch, cluster::HintKind::kSlow);
  front_.release();
}

void HttpExchange::note_answered() {
  front_.answers().remove(*this);
  let_others_knock();
  if (!std::exchange(attempt.is_fresh, false)) return;
  front_.worker().make_room_to_dial();
  front_.release_soon();
}

// The kernel takes connections faster than the node answers them.
void HttpExchange::let_others_knock() { attempt.dial.reset(); }

void HttpExchange::attempt_failed(vault::Failure failure) {
  const vault::Row row = vault::judge(vault::Transport{failure, attempt.sent, attempt.received});
  if (vault::verdict_of(row) != vault::Verdict::kAmbiguous) end_init(InitGuard::Outcome::kNotDone);
  drop_upstream();
  act(row, nullptr, {});
}

}  // namespace bellwether::proxy
