#include "session.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/proxy_protocol.h"
#include "worker.h"

namespace bellwether::proxy {
namespace {

// A failed dial is repeated when a newer view names a target. Where the view stays as it is, because the node answers
// its probes all the same, it is repeated after that long.
constexpr Duration kRetrySameView = 1s;
// How many nodes a hello may be said to that do not answer it.
constexpr int kMostReplays = 8;

cluster::HintKind hint_for(int connect_error) {
  switch (connect_error) {
    case ECONNREFUSED:
      return cluster::HintKind::kRefused;
    case ECONNRESET:
      return cluster::HintKind::kReset;
    case ETIMEDOUT:
      return cluster::HintKind::kSlow;
    default:
      return cluster::HintKind::kClosed;
  }
}

}  // namespace

Session::Session(Worker& worker, std::uint16_t listener, net::Socket client, std::unique_ptr<Origin> origin)
    : worker_(worker),
      client_(*this),
      node_(*this),
      origin_(std::move(origin)),
      started_(worker.now()),
      listener_(listener) {
  client_.socket = std::move(client);
  client_.writable = true;
}

void Session::Side::close() {
  watch.close();
  socket.close();
  readable = writable = closed = false;
}

void Session::start() {
  if (!client_.watch.open(worker_.loop(), client_.socket.fd(), client_)) return end(ended_by_us(Phase::kHeld));
  worker_.note_traffic();
  const auto target = worker_.target();
  if (target && worker_.queue().empty()) {
    dial(*target);
  } else {
    hold();
  }
}

// From wherever it was: that is over, whatever comes now.
void Session::hold() {
  become(State::kNew);
  if (!worker_.shared().held.try_acquire()) {
    const auto suspect = worker_.suspect_leader();
    if (suspect && may_dial()) return dial(*suspect);
    worker_.counters().hold_overflows.add();
    return end(refused_by_us(Phase::kHeld));
  }
  if (was_held_) {
    worker_.queue().push_front(*this);
  } else {
    worker_.queue().push_back(*this);
    worker_.counters().held_total.add();
  }
  was_held_ = true;
  hold_since_ = worker_.now();
  worker_.counters().held_now.add();
  become(State::kHeld);
  if (client_.closed) client_left();
}

void Session::unhold() {
  worker_.queue().remove(*this);
  worker_.shared().held.release();
  worker_.counters().held_now.subtract();
  const Duration held = worker_.now() - hold_since_;
  worker_.counters().record_hold(held);
  held_ += held;
}

bool Session::may_dial() const {
  return !dial_failed_ || worker_.view()->serial != dialled_serial_ || worker_.now() - dialled_ >= kRetrySameView;
}

void Session::leave_hold(NodeId target) {
  BW_ASSERT(state_ == State::kHeld);
  // It may have left in this very turn, unseen. One byte tells.
  std::array<char, 1> byte;
  const net::IoStatus seen = client_.socket.peek(byte).status;
  if (seen == net::IoStatus::kEof || seen == net::IoStatus::kError) return client_left();
  unhold();
  dial(target);
}

void Session::dial(NodeId node) {
  node_id_ = node;
  has_node_ = true;
  epoch_ = worker_.view()->epoch;
  dialled_serial_ = worker_.view()->serial;
  dialled_ = worker_.now();
  dial_failed_ = false;
  become(State::kConnecting);
  worker_.dial_started();
  const net::Address* address = worker_.address(node);
  if (address == nullptr) return dial_failed(std::nullopt);
  auto socket = net::Socket::connect(*address, worker_.options().source, worker_.options().tcp);
  // Nothing went out: no descriptor, no source port, no route. The hold's own pace repeats it.
  if (!socket) return dial_failed(std::nullopt);
  node_.socket = std::move(*socket);
  if (!node_.watch.open(worker_.loop(), node_.socket.fd(), node_)) dial_failed(std::nullopt);
}

void Session::dial_failed(std::optional<cluster::HintKind> hint) {
  worker_.node_counters(node_id_).connect_failures.add();
  close_dial();
  dial_failed_ = true;
  if (hint) worker_.hint(node_id_, epoch_, *hint);
  hold();
}

void Session::close_dial() {
  node_.close();
  worker_.dial_ended();
  connecting_ += worker_.now() - dialled_;
}

void Session::undial() {
  if (state_ != State::kConnecting) return;
  close_dial();
  hold();
}

void Session::on_connect_ready() {
  // A fresh connection is writable. Readable too: it failed, or the server speaks first.
  if (!node_.writable && !node_.readable) return;
  if (node_.readable) {
    const int error = node_.socket.connect_error();
    if (error != 0) return dial_failed(hint_for(error));
  }
  connected();
}

void Session::connected() {
  worker_.dial_ended();
  connecting_ += worker_.now() - dialled_;
  become(State::kRelaying);
  last_active_ = worker_.now();
  worker_.node_counters(node_id_).connects.add();
  worker_.node_counters(node_id_).sessions_now.add();
  node_.writable = true;
  std::string first;
  if (worker_.options().send_proxy != net::ProxyVersion::kNone) first = preamble();
  if (!hello_) hello_ = std::make_unique<Hello>();
  first += hello_->bytes();
  up_.deliver_first(first);
  up_.show_to(hello_.get());
  relay(up_, client_, node_);
  if (state_ == State::kRelaying && node_.readable) relay(down_, node_, client_);
}

std::string Session::preamble() const {
  const net::ProxyVersion version = worker_.options().send_proxy;
  return origin_ ? net::proxy_header(version, origin_->client, origin_->destination) : net::proxy_header_local(version);
}

void Session::on_ready(Side& side, net::Readiness ready) {
  side.readable = side.readable || ready.readable || ready.closed;
  side.writable = side.writable || ready.writable;
  side.closed = side.closed || ready.closed;
  switch (state_) {
    case State::kHeld:
      return on_held_client_ready(ready);
    case State::kConnecting:
      if (&side == &client_) return;
      on_connect_ready();
      return worker_.release();
    case State::kRelaying: {
      Flow& out = &side == &client_ ? up_ : down_;
      Flow& in = &side == &client_ ? down_ : up_;
      Side& other = &side == &client_ ? node_ : client_;
      if (side.readable) relay(out, side, other);
      if (state_ == State::kRelaying && ready.writable && in.is_blocked()) relay(in, other, side);
      return;
    }
    case State::kNew:
    case State::kEnded:
      return;
  }
}

void Session::on_held_client_ready(net::Readiness ready) {
  // libevent shows an error as readable and writable at once.
  if (ready.closed || (ready.readable && ready.writable && client_.socket.connect_error() != 0)) client_left();
}

void Session::client_left() {
  worker_.counters().client_gone_while_held.add();
  end(ended_by_client(Phase::kHeld));
}

void Session::relay(Flow& flow, Side& from, Side& to) {
  const Flow& reverse = &flow == &up_ ? down_ : up_;
  const bool passes_end = !reverse.has_ended() && !(&flow == &down_ && may_replay());
  on_progress(flow.pump(from, to, worker_.pool(), passes_end), flow, from, to);
}

void Session::on_progress(const Flow::Progress& progress, Flow& flow, Side& from, Side& to) {
  if (progress.bytes > 0) {
    last_active_ = worker_.now();
    (&flow == &up_ ? worker_.counters().bytes_up : worker_.counters().bytes_down).add(progress.bytes);
    const bool is_first_word = &flow == &down_ && awaits_first_word_;
    &flow == &up_ ? note_asked() : note_answered();
    if (is_first_word) worker_.make_room_to_dial();
    if (&flow == &down_ || (hello_ && !hello_->may_be_said_again())) forget_hello();
    if (&flow == &down_) worker_.note_success(epoch_);
    worker_.note_traffic();
  }
  switch (progress.outcome) {
    case Flow::Outcome::kWaiting:
      return;
    case Flow::Outcome::kBudgetSpent:
      return from.watch.call_again({.readable = true});
    case Flow::Outcome::kEnded:
      if (&from == &node_ && may_replay()) return replay(cluster::HintKind::kClosed);
      return on_end_passed(from);
    case Flow::Outcome::kReadFailed:
      if (&from == &node_ && may_replay()) return replay(cluster::HintKind::kReset);
      if (&from == &node_) worker_.hint(node_id_, epoch_, cluster::HintKind::kReset);
      return end(&from == &client_ ? ended_by_client(phase()) : ended_by_node(phase()));
    case Flow::Outcome::kWriteFailed:
      return on_write_failed(to);
  }
}

// The node has said nothing, and heard nothing but a hello: nothing was executed.
bool Session::may_replay() const {
  return state_ == State::kRelaying && hello_ && hello_->may_be_said_again() && !hello_->bytes().empty() &&
         !up_.has_ended() && replays_ < kMostReplays;
}

void Session::replay(std::optional<cluster::HintKind> hint) {
  note_answered();
  was_asked_ = false;
  worker_.node_counters(node_id_).sessions_now.subtract();
  worker_.counters().hello_replays.add();
  ++replays_;
  node_.close();
  up_.release(worker_.pool());
  down_.release(worker_.pool());
  up_ = Flow();
  down_ = Flow();
  // The same node gets it again only under a newer view, or later.
  dial_failed_ = hint.has_value();
  if (hint) worker_.hint(node_id_, epoch_, *hint);
  hold();
}

void Session::replay_if_unanswered() {
  if (worker_.standing(node_id_) != Standing::kKeep && may_replay()) replay(std::nullopt);
}

void Session::forget_hello() {
  up_.show_to(nullptr);
  hello_.reset();
}

void Session::note_asked() {
  if (is_queued() || said_unanswered_) return;
  if (!was_asked_) {
    was_asked_ = awaits_first_word_ = true;
    worker_.dial_started();
  }
  asked_at_ = worker_.now();
  worker_.answers().add(*this);
}

void Session::note_answered() {
  said_unanswered_ = false;
  worker_.answers().remove(*this);
  let_others_knock();
}

// The kernel takes connections faster than the node answers them.
void Session::let_others_knock() {
  if (std::exchange(awaits_first_word_, false)) worker_.dial_ended();
}

void Session::say_unanswered() {
  said_unanswered_ = true;
  let_others_knock();
  worker_.release();
  worker_.hint(node_id_, epoch_, cluster::HintKind::kSlow);
}

void Session::on_end_passed(const Side& from) {
  if (up_.has_ended() && down_.has_ended()) return end(kEndedNormally);
  if (&from == &node_) worker_.hint(node_id_, epoch_, cluster::HintKind::kClosed);
}

// It takes no more from us, but what it said before that is still to be delivered: an answer that came early.
void Session::on_write_failed(Side& to) {
  Flow& last_words = &to == &node_ ? down_ : up_;
  Side& other = &to == &node_ ? client_ : node_;
  if (!last_words.has_ended() && !last_words.is_blocked()) {
    to.readable = true;
    const Flow::Progress progress = last_words.pump(to, other, worker_.pool(), false);
    (&to == &node_ ? worker_.counters().bytes_down : worker_.counters().bytes_up).add(progress.bytes);
    if (&to == &node_ && progress.bytes > 0) forget_hello();
  }
  if (&to == &node_ && may_replay()) return replay(cluster::HintKind::kReset);
  if (&to == &node_) worker_.hint(node_id_, epoch_, cluster::HintKind::kReset);
  end(&to == &client_ ? ended_by_client(phase()) : ended_by_node(phase()));
}

void Session::on_tick(TimePoint now) {
  const ProxyOptions& options = worker_.options();
  switch (state_) {
    case State::kHeld:
      if (now - started_ < options.hold_timeout_tcp) return;
      worker_.counters().hold_timeouts.add();
      return end(node_timed_out(Phase::kHeld));
    case State::kConnecting:
      if (now - dialled_ >= options.timeout_connect) dial_failed(cluster::HintKind::kSlow);
      return;
    case State::kRelaying:
      if (now - last_active_ < options.timeout_idle) return;
      worker_.counters().cut_idle.add();
      return end(idle_timed_out(phase()));
    case State::kNew:
    case State::kEnded:
      return;
  }
}

bool Session::cut_if_due(TimePoint now) {
  if (state_ != State::kRelaying) return false;
  const Cut cut = worker_.cut_for(node_id_, last_active_, now);
  switch (cut) {
    case Cut::kNone:
      return false;
    case Cut::kQuiet:
      worker_.counters().cut_quiet.add();
      break;
    case Cut::kDeadline:
      worker_.counters().cut_deadline.add();
      break;
    case Cut::kDead:
      worker_.counters().cut_dead.add();
      break;
    case Cut::kAdmin:
      worker_.counters().cut_admin.add();
      break;
  }
  end(cut_by(cut, phase()));
  return true;
}

Phase Session::phase() const {
  if (state_ == State::kConnecting) return Phase::kConnecting;
  if (state_ != State::kRelaying) return Phase::kHeld;
  return down_.has_ended() ? Phase::kLastData : Phase::kRelaying;
}

void Session::end(EndReason reason) {
  if (state_ == State::kEnded) return;
  if (state_ == State::kHeld) unhold();
  if (state_ == State::kConnecting) close_dial();
  if (state_ == State::kRelaying) {
    note_answered();
    worker_.node_counters(node_id_).sessions_now.subtract();
  }
  become(State::kEnded);
  log(reason);
  client_.close();
  node_.close();
  up_.release(worker_.pool());
  down_.release(worker_.pool());
  worker_.retire(*this);
}

void Session::log(EndReason reason) const {
  if (!worker_.options().log_sessions || !worker_.shared().callbacks.on_session_end) return;
  SessionRecord record;
  record.listener = worker_.shared().own_addresses[listener_].to_string();
  if (origin_) record.client = origin_->client.to_string();
  if (has_node_) record.node = node_id_;
  record.epoch = epoch_;
  record.held = held_;
  record.connecting = connecting_;
  record.total = worker_.now() - started_;
  record.bytes_up = up_.bytes();
  record.bytes_down = down_.bytes();
  record.end[0] = reason.who;
  record.end[1] = reason.when;
  worker_.shared().callbacks.on_session_end(record);
}

}  // namespace bellwether::proxy
