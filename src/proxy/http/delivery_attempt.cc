#include <utility>

#include "bellwether/base/assert.h"
#include "delivery.h"
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

void Delivery::begin_attempt(NodeId node) {
  WorkerCore& worker = front_.worker();
  Attempt& attempt = exchange_.attempt;
  Request& request = exchange_.request;
  BW_ASSERT(is_idle());
  attempt = {};
  attempt.node = node;
  attempt.began = worker.now();
  account_.sum().node = node;
  if (const auto& view = worker.view()) {
    attempt.epoch = account_.sum().epoch = view->epoch;
    if (const cluster::NodeView* const seen = view->nodes.find(node)) {
      attempt.role = seen->role;
      attempt.conduct = vault::conduct_of(seen->facts);
    }
  }
  exchange_.from_node.clear();
  exchange_.become(Stage::kAtNode);
  if (request.sends++ > 0) worker.counters().http.resent.add();
  if (request.was_continued && !request.head_without_expect.empty()) {
    exchange_.to_node.replace_head(std::exchange(request.head_without_expect, {}));
  }
  upstream_ = front_.node_connections().take(node, *this);
  if (upstream_) {
    attempt.can_write = true;  // it was quiet a moment ago: an edge tells of its answer
    attempt.at_node = Counted(worker.nodes().counters(node).sessions_now);
    return;
  }
  upstream_ = front_.node_connections().open(node, connection_->preamble(), this);
  if (!upstream_) {
    worker.nodes().counters(node).connect_failures.add();
    return attempt_failed(vault::Failure::kNotConnected);
  }
  attempt.is_connecting = true;
  attempt.dial = worker.dials().place();
}

void Delivery::on_upstream_open() {
  Attempt& attempt = exchange_.attempt;
  attempt.is_connecting = false;
  attempt.can_write = true;
  WorkerCore& worker = front_.worker();
  account_.sum().connecting += worker.now() - attempt.began;
  attempt.is_fresh = true;
  worker.nodes().counters(attempt.node).connects.add();
  attempt.at_node = Counted(worker.nodes().counters(attempt.node).sessions_now);
  HttpFront& front = front_;
  Delivery* const now = user_.pump();
  // A request that is not yet sent whole may take as long as its client likes.
  const bool is_sending = now != nullptr && now->is_connected() && !now->is_queued() && !now->claim_wait_.is_queued();
  if (is_sending) now->exchange_.attempt.let_others_knock();
  front.release();
}

void Delivery::on_upstream_readable() {
  exchange_.attempt.can_read = true;
  (void)user_.pump();
}

void Delivery::on_upstream_writable() {
  exchange_.attempt.can_write = true;
  (void)user_.pump();
}

void Delivery::on_upstream_broken(net::StreamFailure failure) {
  WorkerCore& worker = front_.worker();
  worker.nodes().counters(exchange_.attempt.node).connect_failures.add();
  worker.hint(exchange_.attempt.node, exchange_.attempt.epoch, hint_for(failure));
  attempt_failed(vault::Failure::kNotConnected);
  HttpConnection& connection = *connection_;
  front_.release();  // maybe this one, whose exchange may be given back by that
  connection.pump();
}

void Delivery::drop_upstream() {
  Attempt& attempt = exchange_.attempt;
  destination_.end_init(attempt.sent > 0 ? InitGuard::Outcome::kUnknown : InitGuard::Outcome::kNotDone);
  claim_wait_.end(front_.unconfirmed());
  front_.answers().remove(*this);
  exchange_.attempt.let_others_knock();
  if (!upstream_) return;
  attempt.at_node.reset();
  if (std::exchange(attempt.is_connecting, false)) account_.sum().connecting += front_.worker().now() - attempt.began;
  front_.node_connections().discard(std::move(upstream_));
}

// Only one that owes nothing and is owed nothing.
void Delivery::give_upstream_back() {
  const bool is_even = exchange_.answer_body.done() && exchange_.from_node.empty() && exchange_.request_body.done() &&
                       exchange_.to_node.unsent().empty();
  Attempt& attempt = exchange_.attempt;
  const bool is_sound = exchange_.answer.node_keeps_alive && attempt.ended == NodeEnd::kNone && !attempt.write_broken;
  if (!is_even || !is_sound) return drop_upstream();
  attempt.at_node.reset();
  front_.node_connections().give_back(std::move(upstream_));
}

bool Delivery::write() {
  Attempt& attempt = exchange_.attempt;
  if (!attempt.can_write || attempt.write_broken) return false;
  const std::string_view bytes = exchange_.to_node.unsent();
  if (bytes.empty()) return note_all_sent();
  const bool is_for_leader = exchange_.request.is_for_leader;
  if (is_for_leader && front_.worker().must_withhold()) return false;
  if (!is_for_leader || attempt.sent > 0) return write_to_node(bytes);
  const SendPermit permit = front_.worker().ask_to_send();
  return permit ? write_to_node(bytes) : undial();
}

// If the last bytes of the request are gone now, the node is asked from here on. Nothing moves by that: false.
bool Delivery::note_all_sent() {
  Attempt& attempt = exchange_.attempt;
  const bool is_body_done = exchange_.request_body.done();
  if (!is_body_done || attempt.all_sent_at != kNever) {
    if (connection_->has_client_ended() && exchange_.in.empty() && !is_body_done) connection_->client_left();
    return false;
  }
  attempt.all_sent_at = front_.worker().now();
  const bool has_answer = exchange_.answer.has_begun || claim_wait_.is_under_way();
  if (!has_answer && !is_queued()) front_.answers().add(*this);
  return false;
}

// What was written counts as given to the node, whatever else became of the call that wrote it.
bool Delivery::write_to_node(std::string_view bytes) {
  Attempt& attempt = exchange_.attempt;
  const net::IoResult wrote = upstream_->write(bytes);
  if (wrote.bytes > 0) {
    exchange_.to_node.mark_sent(wrote.bytes);
    attempt.sent += wrote.bytes;
    connection_->charge_turn(wrote.bytes);
    attempt.active = front_.worker().now();
    connection_->note_active(attempt.active);
    account_.count_up(wrote.bytes);
  }
  if (wrote.status == net::IoStatus::kError) {
    // What it said before is still to be read: an answer that came early.
    attempt.write_broken = attempt.can_read = true;
    return true;
  }
  attempt.can_write = wrote.status == net::IoStatus::kOk && wrote.bytes == bytes.size();
  return wrote.bytes > 0;
}

bool Delivery::read() {
  Attempt& attempt = exchange_.attempt;
  const bool has_room = exchange_.from_node.size() < kAhead && exchange_.to_client.size() < kAhead;
  if (!attempt.can_read || attempt.ended != NodeEnd::kNone || !has_room) return false;
  const auto buffer = front_.worker().pool().buffer(RelayPool::kReadSize);
  const net::IoResult read = upstream_->read(buffer);
  switch (read.status) {
    case net::IoStatus::kOk:
      exchange_.from_node.append({buffer.data(), read.bytes});
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

void Delivery::end_sending() {
  upstream_->shutdown_write();
  exchange_.attempt.end_told_at = front_.worker().now();
}

void Delivery::say_unanswered() {
  exchange_.attempt.let_others_knock();
  front_.worker().hint(exchange_.attempt.node, exchange_.attempt.epoch, cluster::HintKind::kSlow);
  front_.release();
}

void Delivery::attempt_failed(vault::Failure failure) {
  const vault::Row row = vault::judge(vault::Transport{failure, exchange_.attempt.sent, exchange_.attempt.received});
  if (vault::verdict_of(row) != vault::Verdict::kAmbiguous) destination_.end_init(InitGuard::Outcome::kNotDone);
  drop_upstream();
  act(row, nullptr, {});
}

}  // namespace bellwether::proxy
