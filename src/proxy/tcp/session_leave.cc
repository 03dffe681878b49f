#include <array>

#include "proxy/core/worker_core.h"
#include "session.h"
#include "tcp_front.h"

// A session whose node takes no requests. Only in doubt (suspect, idle for long, or the view is older than a stop of
// our own): the client's next request waits, unread, and what the node says at last after it had blocked is passed on a
// moment later. Demoted: the session ends as soon as that breaks no exchange (drain_policy.h), and a request that the
// client begins never reaches the node.
namespace bellwether::proxy {

bool Session::needs_leave_steps() const { return state_ == State::kRelaying && leaving_.needs_steps(); }

bool Session::may_relay_from(const Side& side) {
  if (worker().takes_requests(node_id_)) return true;
  if (&side == &client_) return admits_client();
  const bool is_lost = worker().nodes().standing(node_id_) != Standing::kKeep;
  if (!leaving_.defers_answer(dialogue_, is_lost, worker().now())) return true;
  front_.arm_leave_timer();
  return false;
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
    leaving_.pause(worker());
  }
  return false;
}

// Passes on what was deferred. If that was a whole answer of a lost node, it leaves in one segment with our end: a
// client that uses the connection again as soon as it has the answer then knows better.
void Session::relay_deferred(TimePoint now) {
  const bool may_end = leaving_.is_answer_last(now);
  leaving_.end_deferral();
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
  // Where the node has not heard a byte, the session can begin anew with another.
  const bool is_unbegun = hello_ && hello_->is_unbegun() && !up_.has_ended() && !down_.has_ended();
  if (may_replay() || is_unbegun) return replay(std::nullopt);
  if (!leaving_.has_lost_node()) {
    leaving_.lose_node(dialogue_, client_.socket.round_trip() + node_.socket.round_trip());
  }
  // The request that it began has not reached the node, and never will.
  if (leaving_.is_paused() && !dialogue_.client_waits()) return leave(Cut::kRequest);
  front_.arm_leave_timer();
  if (worker().nodes().standing(node_id_) == Standing::kDead) leave_step(worker().now(), false);
}

// The node takes requests again, or takes them still.
void Session::resume() {
  dialling_.add_held(leaving_.end_pause());
  const bool was_deferring = leaving_.is_deferring();
  leaving_.clear();
  if (client_.readable || up_.is_blocked()) relay_up();
  const bool has_answer = node_.readable || was_deferring;
  if (state_ == State::kRelaying && has_answer) relay_down();
}

bool Session::leave_step(TimePoint now, bool may_cut_quiet) {
  if (!needs_leave_steps()) return false;
  const LostNode node = worker().lost_node(node_id_);
  const bool is_dead = node.standing == Standing::kDead;
  if (leaving_.is_deferring() && (is_dead || leaving_.is_answer_due(now))) relay_deferred(now);
  if (state_ != State::kRelaying || leaving_.is_deferring()) return false;
  const Cut cut = leaving_.cut_now(node, {dialogue_, last_active_, down_.is_blocked()}, now,
                                   {options().drain_quiet, options().drain_deadline});
  if (cut == Cut::kNone || (cut == Cut::kQuiet && !may_cut_quiet)) return false;
  if (is_gentle(cut) && node_.has_unread()) {
    // With these words passed on, the session may have to stay, or to leave in another way.
    on_ready(node_, {.readable = true});
    return false;
  }
  leave(cut);
  return cut == Cut::kQuiet;
}

void Session::leave(Cut cut) {
  leaving_.end_deferral();
  // What the node said before is the client's, whatever ends the session.
  if (node_.has_unread()) {
    node_.readable = true;
    relay_down();
  }
  if (state_ != State::kRelaying) return;
  worker().counters().count_cut(cut);
  linger(cut_by(cut, phase()), cut == Cut::kRequest || cut == Cut::kAnswer);
}

// The client reads our end behind the node's last words: to close with its request unread would be a reset, which is an
// error where an end between two answers is none. One that has not spoken, and is not expected to, needs no lingering.
void Session::linger(EndReason reason, bool may_speak) {
  part_from_node(reason);
  become(State::kLingering);
  // Looked at last: the client may have spoken while the end was counted and logged.
  if (!may_speak && !client_.has_unread()) return end(reason);
  leaving_.linger(worker().now());
  client_.socket.shutdown_write();
  worker().arm_tick();
  // What it has said already is discarded at once.
  on_ready(client_, {});
}

}  // namespace bellwether::proxy
