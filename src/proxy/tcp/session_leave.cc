#include <algorithm>
#include <array>
#include <utility>

#include "proxy/core/worker_core.h"
#include "session.h"
#include "tcp_front.h"

// A session whose node takes no requests. Only in doubt (suspect, idle for long, or the view is older than a stop of
// our own): the client's next request waits, unread, and what the node says at last after it had blocked is passed on a
// moment later. Demoted: the session ends as soon as that breaks no exchange (drain_policy.h), and a request that the
// client begins never reaches the node.
namespace bellwether::proxy {
namespace {

// Two round trips of client and node: a client that was about to speak has spoken by then.
constexpr Duration kShortestPause = 4ms;
constexpr Duration kLongestPause = 100ms;
// For so long at most an answer is deferred: one for which the client waited for kBlockedFor, until the probe that
// blocked with it tells the truth about the node, or that of a demoted node, until it is whole.
constexpr Duration kDeferInDoubt = 50ms;
constexpr Duration kDeferDemoted = 50ms;
constexpr std::size_t kDiscardedPerTurn = 256 * 1024;

}  // namespace

Session::Leaving& Session::leaving() {
  if (!leaving_) leaving_ = std::make_unique<Leaving>();
  return *leaving_;
}

bool Session::needs_leave_steps() const {
  return state_ == State::kRelaying && leaving_ && (leaving_->has_lost_node || leaving_->deferred_since != kNever);
}

bool Session::may_relay_from(const Side& side) {
  if (worker().takes_requests(node_id_)) return true;
  return &side == &client_ ? admits_client() : !defers_answer();
}

// False: what the client says stays unread, or has ended the session.
bool Session::admits_client() {
  const TimePoint now = worker().now();
  if (!dialogue_.begins_message(now)) return true;
  std::array<char, Dialogue::kMaxAside + 1> ahead;
  const net::IoResult seen = client_.socket.peek(ahead);
  if (seen.status == net::IoStatus::kError) {
    // To look has used the error up: a read would find an end.
    end(ended_by_client(phase()));
    return false;
  }
  const bool is_speech = seen.status == net::IoStatus::kOk && !is_tls_aside(ahead.data(), seen.bytes);
  if (!is_speech) return true;
  if (worker().nodes().standing(node_id_) != Standing::kKeep) {
    leave(Cut::kRequest);
  } else if (worker().shared().held.is_full() && worker().target_if_hold_is_full() == node_id_) {
    return true;  // as a new connection, which is dialled then rather than refused
  } else {
    pause_client();
  }
  return false;
}

// What it says stays unread until resume(), or the node is lost.
void Session::pause_client() {
  if (leaving().pause) return;
  leaving_->pause = HoldTime(worker(), true);
  worker().note_traffic();
  worker().arm_tick();
}

// True: what the node has said stays unread for a moment.
bool Session::defers_answer() {
  const TimePoint now = worker().now();
  const bool is_deferred = leaving_ && leaving_->deferred_since != kNever;
  if (!is_deferred) {
    const bool is_lost = worker().nodes().standing(node_id_) != Standing::kKeep;
    const bool had_blocked = dialogue_.client_waits() && dialogue_.client_waited(now) >= kBlockedFor;
    if (!(is_lost ? !dialogue_.is_long_answer() : had_blocked)) return false;
    leaving().deferred_since = now;
    front_.arm_leave_timer();
  }
  leaving_->node_ready_at = now;
  return true;
}

bool Session::is_answer_due(TimePoint now) const {
  const Duration deferred = now - leaving_->deferred_since;
  if (!leaving_->has_lost_node) return deferred >= kDeferInDoubt;
  return now - leaving_->node_ready_at >= leaving_->quiet || deferred >= kDeferDemoted;
}

// Passes on what was deferred. If that was a whole answer of a lost node, it leaves in one segment with our end: a
// client that uses the connection again as soon as it has the answer then knows better.
void Session::relay_deferred(TimePoint now) {
  leaving_->deferred_since = kNever;
  const bool may_end = leaving_->has_lost_node && now - leaving_->node_ready_at >= leaving_->quiet;
  if (may_end) client_.socket.set_corked(true);
  relay_down();
  if (!may_end || state_ != State::kRelaying) return;
  if (!node_.readable && !down_.is_blocked() && dialogue_.has_short_answer()) return leave(Cut::kAnswer);
  client_.socket.set_corked(false);
}

void Session::on_view() {
  if (state_ == State::kConnecting && !worker().may_still_go(cluster::Accepts::kLeader, node_id_)) return undial();
  if (state_ != State::kRelaying) return;
  if (worker().nodes().standing(node_id_) != Standing::kKeep) return on_node_lost();
  if (worker().takes_requests(node_id_) && leaving_) resume();
}

void Session::on_node_lost() {
  if (may_replay() || nothing_was_said()) return replay(std::nullopt);
  if (!leaving().has_lost_node) {
    leaving_->has_lost_node = true;
    leaving_->waited = dialogue_.client_waits();
    leaving_->quiet =
        std::clamp((client_.socket.round_trip() + node_.socket.round_trip()) * 2, kShortestPause, kLongestPause);
  }
  // The request that it began has not reached the node, and never will.
  if (leaving_->pause && !dialogue_.client_waits()) return leave(Cut::kRequest);
  front_.arm_leave_timer();
  if (worker().nodes().standing(node_id_) == Standing::kDead) leave_step(worker().now(), false);
}

// The node takes requests again, or takes them still.
void Session::resume() {
  end_pause();
  const auto before = std::exchange(leaving_, nullptr);
  if (client_.readable || up_.is_blocked()) relay_up();
  const bool has_answer = node_.readable || before->deferred_since != kNever;
  if (state_ == State::kRelaying && has_answer) relay_down();
}

void Session::end_pause() {
  if (leaving_) held_ += leaving_->pause.end();
}

bool Session::leave_step(TimePoint now, bool may_cut_quiet) {
  if (!needs_leave_steps()) return false;
  const LostNode node = worker().lost_node(node_id_);
  const bool is_due = node.standing == Standing::kDead || is_answer_due(now);
  if (leaving_->deferred_since != kNever && is_due) relay_deferred(now);
  if (state_ != State::kRelaying || leaving_->deferred_since != kNever) return false;
  const ProxyOptions& options = worker().options();
  Cut cut = leave_now(node, dialogue_, last_active_, leaving_->quiet, leaving_->waited, now,
                      {options.drain_quiet, options.drain_deadline});
  const bool is_gentle = cut == Cut::kQuiet || cut == Cut::kAnswer || cut == Cut::kSilent;
  const bool is_blocked = is_gentle && down_.is_blocked();
  // A reader that is slow, or has stopped, has time until the deadline.
  if (is_blocked && now - node.since < options.drain_deadline) return false;
  if (is_blocked) cut = Cut::kDeadline;
  if (cut == Cut::kNone || (cut == Cut::kQuiet && !may_cut_quiet)) return false;
  if (is_gentle && !is_blocked && has_unread(node_)) {
    // With these words passed on, the session may have to stay, or to leave in another way.
    on_ready(node_, {.readable = true});
    return false;
  }
  leave(cut);
  return cut == Cut::kQuiet;
}

// Whether that side has said something that no event has told of yet. Events of one turn are handled some at a time,
// with timers between them, and after a stop of ours the timers come first.
bool Session::has_unread(const Side& side) {
  std::array<char, 1> byte;
  return side.socket.peek(byte).status == net::IoStatus::kOk;
}

// The node has not heard a byte, so that the session can begin anew with another.
bool Session::nothing_was_said() const {
  return hello_ && hello_->may_be_said_again() && hello_->bytes().empty() && !up_.has_ended() && !down_.has_ended();
}

// What the node said before is the client's, whatever ends the session.
void Session::pass_on_last_words() {
  if (leaving_) leaving_->deferred_since = kNever;
  if (!has_unread(node_)) return;
  node_.readable = true;
  relay_down();
}

void Session::leave(Cut cut) {
  pass_on_last_words();
  if (state_ != State::kRelaying) return;
  worker().counters().cuts[static_cast<std::size_t>(cut)].add();
  const EndReason reason = cut_by(cut, phase());
  const bool speaks = cut == Cut::kRequest || cut == Cut::kAnswer || has_unread(client_);
  speaks ? linger(reason) : end(reason);
}

// The client reads our end behind the node's last words: to close with its request unread would be a reset, which is an
// error where an end between two answers is none.
void Session::linger(EndReason reason) {
  part_from_node(reason);
  become(State::kLingering);
  linger_since_ = worker().now();
  client_.socket.shutdown_write();
  worker().arm_tick();
  discard_input();
}

void Session::discard_input() {
  std::size_t discarded = 0;
  while (client_.readable && discarded < kDiscardedPerTurn) {
    const net::IoResult read = client_.socket.read(worker().pool().buffer(RelayPool::kReadSize));
    if (read.status == net::IoStatus::kAgain) client_.readable = false;
    if (read.status == net::IoStatus::kEof || read.status == net::IoStatus::kError) return end(kEndedNormally);
    discarded += read.bytes;
  }
  if (client_.readable) client_.watch.call_again({.readable = true});
}

}  // namespace bellwether::proxy
