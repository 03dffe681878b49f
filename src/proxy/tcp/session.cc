#include "session.h"

#include <utility>

#include "proxy/core/worker_core.h"
#include "tcp_front.h"

namespace bellwether::proxy {
namespace {

// A session that has been quiet for so long may have lost a side by a reset that no edge told of.
constexpr Duration kLookForResetAfter = 100ms;
constexpr std::size_t kDiscardedPerTurn = 256 * 1024;

}  // namespace

// Idle connections are many: what few of them need is behind a pointer.
static_assert(sizeof(Session) <= 392 || sizeof(void*) != 8);

Session::Session(TcpFront& front, std::uint16_t listener, net::Socket client, std::unique_ptr<Origin> origin)
    : front_(front),
      client_(*this),
      node_(*this),
      account_(std::move(origin), front.worker().now()),
      listener_(listener) {
  client_.socket = std::move(client);
  client_.writable = true;
}

// Those of its listener, as they are now.
const SessionSettings& Session::options() const { return worker().listeners().settings(listener_); }

void Session::Side::close() {
  watch.close();
  socket.close();
  readable = writable = closed = may_hide_reset = false;
}

bool Session::Side::has_failed(net::Readiness ready) const {
  return ready.readable && ready.writable && socket.connect_error() != 0;
}

bool Session::Side::discard_input(RelayPool& pool) {
  std::size_t discarded = 0;
  while (readable && discarded < kDiscardedPerTurn) {
    const net::IoResult read = socket.read(pool.buffer(RelayPool::kReadSize));
    if (read.status == net::IoStatus::kAgain) readable = false;
    if (read.status == net::IoStatus::kEof || read.status == net::IoStatus::kError) return false;
    discarded += read.bytes;
  }
  if (readable) watch.call_again({.readable = true});
  return true;
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
      if (ready.closed || client_.has_failed(ready)) client_left();
      return;
    case State::kConnecting:
      if (&side == &client_) return;
      on_connect_ready();
      return front_.release();
    case State::kLingering:
      if (!client_.discard_input(worker().pool())) end(kEndedNormally);
      return;
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
  if (!was_asked_ && !worker().takes_requests(node_id_)) return leaving_.pause(worker());
  if (up_.is_blocked() || (client_.readable && may_relay_from(client_))) relay_up();
}

void Session::on_progress(const Flow::Progress& progress, Flow& flow, Side& from, Side& to) {
  if (progress.bytes > 0) {
    last_active_ = worker().now();
    (&flow == &up_ ? worker().counters().bytes_up : worker().counters().bytes_down).add(progress.bytes);
    if (hello_) dialogue_.set_tls(hello_->is_tls());
    if (!progress.is_aside) &flow == &up_ ? dialogue_.client_spoke(last_active_) : dialogue_.node_spoke(progress.bytes);
    const bool is_first_word = &flow == &down_ && dialling_.takes_place();
    &flow == &up_ ? note_asked() : note_answered();
    node_spoke_last_ = &flow == &down_;
    if (is_first_word) worker().make_room_to_dial();
    if (&flow == &down_ || (hello_ && !hello_->may_be_said_again())) {
      up_.show_to(nullptr);
      hello_.reset();
    }
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
    dialling_.await_answer(worker());
  }
  asked_at_ = worker().now();
  front_.answers().add(*this);
}

void Session::note_answered() {
  said_unanswered_ = false;
  front_.answers().remove(*this);
  dialling_.give_place_back();
}

void Session::say_unanswered() {
  said_unanswered_ = true;
  dialling_.give_place_back();
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
  if (answered == 0 && may_replay()) return replay(cluster::HintKind::kReset);
  worker().hint(node_id_, epoch_, cluster::HintKind::kReset);
  end(ended_by_node(phase()));
}

void Session::on_tick(TimePoint now) {
  const SessionSettings& options = this->options();
  switch (state_) {
    case State::kHeld:
      if (now - account_.started() < options.hold_timeout_tcp) return;
      worker().counters().hold_timeouts.add();
      return end(node_timed_out(Phase::kHeld));
    case State::kConnecting:
      if (now - dialling_.begun_at() >= worker().options().timeout_connect) dial_failed(cluster::HintKind::kSlow);
      return;
    case State::kRelaying:
      if (leaving_.is_paused() && now - leaving_.paused_since() >= options.hold_timeout_tcp) {
        worker().counters().hold_timeouts.add();
        return linger(node_timed_out(Phase::kHeld), true);
      }
      if (is_silent() && now - last_active_ >= options.timeout_header) {
        worker().counters().sessions_cut_no_first_byte.add();
        return end(idle_timed_out(phase()));
      }
      if (now - last_active_ >= kLookForResetAfter) {
        // A session that is busy finds a reset by itself.
        if (node_.was_reset_unseen()) on_ready(node_, {.readable = true});
        if (state_ == State::kRelaying && client_.was_reset_unseen()) on_ready(client_, {.readable = true});
        if (state_ != State::kRelaying) return;
      }
      if (now - last_active_ < options.timeout_idle) return;
      worker().counters().sessions_cut_idle.add();
      return end(idle_timed_out(phase()));
    case State::kLingering:
      if (leaving_.has_lingered(now)) end(kEndedNormally);
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
bool Session::has_unheard_client() const { return client_.readable || up_.is_blocked() || leaving_.is_paused(); }

// Who has spoken last waits for the other, whatever the protocol: a client that has not been answered is not idle.
void Session::collect_idle(std::vector<wire::IdleConnection>& into) {
  const auto add = [&](wire::Idleness idleness, TimePoint since) {
    into.push_back({idleness, since, [this] {
                      worker().counters().sessions_cut_for_room.add();
                      end(idle_timed_out(phase()));
                      return true;
                    }});
  };
  // Nothing is read of a client that has no node yet; that its socket is readable is known all the same.
  const bool has_no_node = state_ == State::kHeld || state_ == State::kConnecting;
  const bool was_replayed = hello_ && hello_->was_replayed();
  if (has_no_node && !client_.readable && !was_replayed) return add(wire::Idleness::kSilent, account_.started());
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
  front_.retire(*this, listener_);
}

// What ends with the pairing: counters, the log line, the connection to the node.
void Session::part_from_node(EndReason reason) {
  if (state_ == State::kHeld) {
    front_.queue().remove(*this);
    dialling_.end_hold();
  }
  if (state_ == State::kConnecting) close_dial();
  if (state_ == State::kRelaying) {
    dialling_.add_held(leaving_.end_pause());
    note_answered();
    at_node_.reset();
  }
  account_.log(worker(),
               {.node = has_node_ ? std::optional(node_id_) : std::nullopt,
                .epoch = epoch_,
                .held = dialling_.held(),
                .connecting = dialling_.connecting(),
                .bytes_up = up_.bytes(),
                .bytes_down = down_.bytes()},
               reason);
  node_.close();
  up_.release(worker().pool());
  down_.release(worker().pool());
}

}  // namespace bellwether::proxy
