#include <cerrno>
#include <string>
#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/proxy_protocol.h"
#include "proxy/core/worker_core.h"
#include "session.h"
#include "tcp_front.h"

// A session's way to a node: hold, dial, and back to the hold with what may be said again.
namespace bellwether::proxy {
namespace {

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

// From wherever it was: that is over, whatever comes now.
void Session::hold() {
  become(State::kNew);
  const bool comes_back = dialling_.was_held();
  if (!dialling_.hold(worker())) {
    const auto suspect = worker().target_if_hold_is_full();
    if (suspect && dialling_.may_begin(worker())) return dial(*suspect);
    worker().counters().hold_overflows.add();
    return end(refused_by_us(Phase::kHeld));
  }
  comes_back ? front_.queue().push_front(*this) : front_.queue().push_back(*this);
  become(State::kHeld);
  if (client_.closed || client_.socket.peer_state() != net::PeerState::kHere) client_left();
}

void Session::leave_hold(NodeId target) {
  BW_ASSERT(state_ == State::kHeld);
  if (!dialling_.may_begin(worker())) return;
  // It may have left in this very turn, unseen, and behind bytes that nobody has read.
  if (client_.socket.peer_state() != net::PeerState::kHere) return client_left();
  front_.queue().remove(*this);
  dialling_.end_hold();
  dial(target);
}

void Session::dial(NodeId node) {
  node_id_ = node;
  has_node_ = true;
  epoch_ = worker().view()->epoch;
  dialling_.begin(worker());
  become(State::kConnecting);
  const net::Address* address = worker().nodes().address(node);
  if (address == nullptr) return dial_failed(std::nullopt);
  auto socket = net::Socket::connect(*address, worker().options().source, worker().options().tcp);
  // Nothing went out: no descriptor, no source port, no route. The hold's own pace repeats it.
  if (!socket) return dial_failed(std::nullopt);
  node_.socket = std::move(*socket);
  if (!node_.watch.open(worker().loop(), node_.socket.fd(), node_)) dial_failed(std::nullopt);
}

void Session::dial_failed(std::optional<cluster::HintKind> hint) {
  worker().nodes().counters(node_id_).connect_failures.add();
  close_dial();
  dialling_.set_failed(true);
  if (hint) worker().hint(node_id_, epoch_, *hint);
  hold();
}

void Session::close_dial() {
  node_.close();
  dialling_.end(worker().now());
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
  if (worker().clearance().is_fenced()) return undial();
  dialling_.end(worker().now());
  become(State::kRelaying);
  last_active_ = worker().now();
  worker().nodes().counters(node_id_).connects.add();
  at_node_ = Counted(worker().nodes().counters(node_id_).sessions_now);
  node_.writable = true;
  std::string first;
  const net::ProxyVersion version = worker().options().send_proxy;
  if (version != net::ProxyVersion::kNone) first = account_.proxy_header(version);
  if (!hello_) hello_ = std::make_unique<Hello>();
  first += hello_->bytes();
  up_.deliver_first(first);
  up_.show_to(hello_.get());
  // resume() goes on from here, or on_node_lost() with another node.
  if (worker().must_withhold()) return leaving_.pause(worker());
  relay_up();
  if (state_ == State::kRelaying && node_.readable) relay_down();
}

// The node has said nothing, and heard nothing but a hello: nothing was executed.
bool Session::may_replay() const {
  return state_ == State::kRelaying && hello_ && hello_->may_be_replayed() && !up_.has_ended();
}

void Session::replay(std::optional<cluster::HintKind> hint) {
  note_answered();
  dialling_.add_held(leaving_.end_pause());
  leaving_.clear();
  dialogue_ = {};
  was_asked_ = false;
  at_node_.reset();
  if (!hello_->bytes().empty()) {
    worker().counters().hello_replays.add();
    hello_->note_replay();
  }
  node_.close();
  up_.release(worker().pool());
  down_.release(worker().pool());
  up_ = Flow();
  down_ = Flow();
  dialling_.set_failed(hint.has_value());
  if (hint) worker().hint(node_id_, epoch_, *hint);
  hold();
}

}  // namespace bellwether::proxy
