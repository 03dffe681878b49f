#include "session.h"

#include <string>
#include <utility>

#include "proxy/core/worker_core.h"
#include "tcp_front.h"

namespace bellwether::proxy {
namespace {

// A session that has been quiet for so long may have lost a side by a reset that no edge told of.
constexpr Duration kLookForResetAfter = 100ms;

}  // namespace

Session::Session(TcpFront& front, std::uint16_t listener, net::Socket client, std::unique_ptr<Origin> origin)
    : front_(front),
      client_(*this),
      node_(*this),
      origin_(std::move(origin)),
      started_(front.worker().now()),
      listener_(listener) {
  client_.socket = std::move(client);
  client_.writable = true;
}

void Session::Side::close() {
  watch.close();
  socket.close();
  readable = writable = closed = may_hide_reset = false;
}

void Session::start() {
  if (!client_.watch.open(worker().loop(), client_.socket.fd(), client_)) return end(ended_by_us(Phase::kHeld));
  worker().note_traffic();
  const auto target = worker().target();
  if (target && front_.queue().empty()) {
    dial(*target);
  } else {
    hold();
  }
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
      return front_.release();
    case State::kLingering:
      return discard_input();
    case State::kRelaying: {
      const bool is_client = &side == &client_;
      if (side.readable && may_relay_from(side)) is_client ? relay_up() : relay_down();
      const bool is_awaited = (is_client ? down_ : up_).is_blocked();
      if (state_ == State::kRelaying && ready.writable && is_awaited) is_client ? relay_down() : relay_up();
      return;
    }
    case State::kNew:
    case State::kEnded:
      return;
  }
}

// Once after each short read, and only of a session that is quiet: those that are busy find it by themselves.
void Session::look_for_reset(Side& side) {
  if (!std::exchange(side.may_hide_reset, false)) return;
  if (side.socket.peer_state() == net::PeerState::kGone) on_ready(side, {.readable = true});
}

void Session::on_held_client_ready(net::Readiness ready) {
  // libevent shows an error as readable and writable at once.
  if (ready.closed || (ready.readable && ready.writable && client_.socket.connect_error() != 0)) client_left();
}

void Session::client_left() {
  worker().counters().client_gone_while_held.add();
  end(ended_by_client(Phase::kHeld));
}

// Nothing goes to a node while a new epoch's view is on its way to this worker: its node may lead no more.
std::optional<Flow::Progress> Session::pump_up(bool passes_end) {
  const SendPermit permit = worker().ask_to_send();
  if (!permit) return std::nullopt;
  return up_.pump(client_, node_, worker().pool(), passes_end);
}

void Session::relay_up() {
  const auto progress = pump_up(!down_.has_ended());
  waits_to_send_ = !progress;
  if (progress) on_progress(*progress, up_, client_, node_);
}

void Session::relay_down() {
  const bool passes_end = !up_.has_ended() && !may_replay();
  on_progress(down_.pump(node_, client_, worker().pool(), passes_end), down_, node_, client_);
}

void Session::send_what_waits() {
  if (!std::exchange(waits_to_send_, false) || state_ != State::kRelaying) return;
  // Behind the first bytes, which wait here, the client's own would go along.
  if (!was_asked_ && !worker().takes_requests(node_id_)) return pause_client();
  if (up_.is_blocked() || (client_.readable && may_relay_from(client_))) relay_up();
}

void Session::on_progress(const Flow::Progress& progress, Flow& flow, Side& from, Side& to) {
  if (progress.bytes > 0) {
    last_active_ = worker().now();
    (&flow == &up_ ? worker().counters().bytes_up : worker().counters().bytes_down).add(progress.bytes);
    if (hello_) dialogue_.set_tls(hello_->is_tls());
    if (!progress.is_aside) &flow == &up_ ? dialogue_.client_spoke(last_active_) : dialogue_.node_spoke(progress.bytes);
    const bool is_first_word = &flow == &down_ && dial_;
    &flow == &up_ ? note_asked() : note_answered();
    node_spoke_last_ = &flow == &down_;
    if (is_first_word) worker().make_room_to_dial();
    if (&flow == &down_ || (hello_ && !hello_->may_be_said_again())) forget_hello();
    if (&flow == &down_) worker().note_success(epoch_);
    worker().note_traffic();
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
      if (&from == &node_) worker().hint(node_id_, epoch_, cluster::HintKind::kReset);
      return end(&from == &client_ ? ended_by_client(phase()) : ended_by_node(phase()));
    case Flow::Outcome::kWriteFailed:
      return on_write_failed(to);
  }
}

void Session::note_asked() {
  if (is_queued() || said_unanswered_) return;
  if (!was_asked_) {
    was_asked_ = true;
    dial_ = worker().dials().place();
  }
  asked_at_ = worker().now();
  front_.answers().add(*this);
}

void Session::note_answered() {
  said_unanswered_ = false;
  front_.answers().remove(*this);
  let_others_knock();
}

// The kernel takes connections faster than the node answers them.
void Session::let_others_knock() { dial_.reset(); }

void Session::say_unanswered() {
  said_unanswered_ = true;
  let_others_knock();
  front_.release();
  worker().hint(node_id_, epoch_, cluster::HintKind::kSlow);
}

void Session::on_end_passed(const Side& from) {
  if (up_.has_ended() && down_.has_ended()) return end(kEndedNormally);
  if (&from == &node_) worker().hint(node_id_, epoch_, cluster::HintKind::kClosed);
}

// It takes no more from us, but what it said before that is still to be delivered: an answer that came early.
void Session::on_write_failed(Side& to) {
  Flow& last_words = &to == &node_ ? down_ : up_;
  const bool are_due = !last_words.has_ended() && !last_words.is_blocked();
  to.readable = to.readable || are_due;
  if (&to == &client_) {
    const auto progress = are_due && worker().takes_requests(node_id_) ? pump_up(false) : std::nullopt;
    if (progress) worker().counters().bytes_up.add(progress->bytes);
    return end(ended_by_client(phase()));
  }
  const std::size_t answered = are_due ? down_.pump(node_, client_, worker().pool(), false).bytes : 0;
  worker().counters().bytes_down.add(answered);
  if (answered > 0) forget_hello();
  if (may_replay()) return replay(cluster::HintKind::kReset);
  worker().hint(node_id_, epoch_, cluster::HintKind::kReset);
  end(ended_by_node(phase()));
}

void Session::on_tick(TimePoint now) {
  const ProxyOptions& options = worker().options();
  switch (state_) {
    case State::kHeld:
      if (now - started_ < options.hold_timeout_tcp) return;
      worker().counters().hold_timeouts.add();
      return end(node_timed_out(Phase::kHeld));
    case State::kConnecting:
      if (now - dialled_ >= options.timeout_connect) dial_failed(cluster::HintKind::kSlow);
      return;
    case State::kRelaying:
      if (leaving_ && leaving_->pause && now - leaving_->pause.since() >= options.hold_timeout_tcp) {
        worker().counters().hold_timeouts.add();
        return linger(node_timed_out(Phase::kHeld));
      }
      if (is_silent() && now - last_active_ >= options.timeout_header) {
        worker().counters().cut_no_first_byte.add();
        return end(idle_timed_out(phase()));
      }
      if (now - last_active_ >= kLookForResetAfter) {
        look_for_reset(node_);
        if (state_ == State::kRelaying) look_for_reset(client_);
        if (state_ != State::kRelaying) return;
      }
      if (now - last_active_ < options.timeout_idle) return;
      worker().counters().cut_idle.add();
      return end(idle_timed_out(phase()));
    case State::kLingering:
      if (now - linger_since_ >= kLongestLinger) end(kEndedNormally);
      return;
    case State::kNew:
    case State::kEnded:
      return;
  }
}

// Nobody has said a word since the node took the connection. The node may be the one to speak first, but whoever it is
// does so at once.
bool Session::is_silent() const {
  return state_ == State::kRelaying && !was_asked_ && down_.bytes() == 0 && !has_unheard_client();
}

// What the client says waits, for room in the node's socket or for a leader that is in doubt.
bool Session::has_unheard_client() const {
  return client_.readable || up_.is_blocked() || (leaving_ && leaving_->pause);
}

// Who has spoken last waits for the other, whatever the protocol: a client that has not been answered is not idle.
void Session::collect_idle(std::vector<wire::IdleConnection>& into) {
  const auto add = [&](wire::Idleness idleness, TimePoint since) {
    into.push_back({idleness, since, [this] {
                      worker().counters().cut_for_room.add();
                      end(idle_timed_out(phase()));
                      return true;
                    }});
  };
  // Nothing is read of a client that has no node yet; that its socket is readable is known all the same.
  const bool has_no_node = state_ == State::kHeld || state_ == State::kConnecting;
  if (has_no_node && !client_.readable && replays_ == 0) return add(wire::Idleness::kSilent, started_);
  if (is_silent()) return add(wire::Idleness::kSilent, last_active_);
  if (state_ == State::kRelaying && node_spoke_last_ && !has_unheard_client())
    add(wire::Idleness::kBetween, last_active_);
}

Phase Session::phase() const {
  if (state_ == State::kConnecting) return Phase::kConnecting;
  if (state_ != State::kRelaying) return Phase::kHeld;
  return down_.has_ended() ? Phase::kLastData : Phase::kRelaying;
}

void Session::end(EndReason reason) {
  if (state_ == State::kEnded) return;
  if (state_ != State::kLingering) part_from_node(reason);
  become(State::kEnded);
  client_.close();
  front_.retire(*this);
}

// What ends with the pairing: counters, the log line, the connection to the node.
void Session::part_from_node(EndReason reason) {
  if (state_ == State::kHeld) unhold();
  if (state_ == State::kConnecting) close_dial();
  if (state_ == State::kRelaying) {
    end_pause();
    note_answered();
    at_node_.reset();
  }
  log(reason);
  node_.close();
  up_.release(worker().pool());
  down_.release(worker().pool());
}

void Session::log(EndReason reason) const {
  if (!worker().options().log_sessions || !worker().shared().callbacks.on_session_end) return;
  SessionRecord record;
  record.listener = worker().shared().own_addresses[listener_].to_string();
  if (origin_) record.client = origin_->client.to_string();
  if (has_node_) record.node = node_id_;
  record.node_name = worker().nodes().name(record.node);
  record.epoch = epoch_;
  record.held = held_;
  record.connecting = connecting_;
  record.total = worker().now() - started_;
  record.bytes_up = up_.bytes();
  record.bytes_down = down_.bytes();
  record.end[0] = reason.who;
  record.end[1] = reason.when;
  worker().shared().callbacks.on_session_end(record);
}

}  // namespace bellwether::proxy
