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

// From wherever it was: that is over, whatever comes now.
void Session::hold() {
  become(State::kNew);
  auto place = HoldPlace::take(worker(), 0, !was_held_);
  if (!place) {
    const auto suspect = worker().target_if_hold_is_full();
    if (suspect && may_dial()) return dial(*suspect);
    worker().counters().hold_overflows.add();
    return end(refused_by_us(Phase::kHeld));
  }
  hold_place_ = std::move(*place);
  std::exchange(was_held_, true) ? front_.queue().push_front(*this) : front_.queue().push_back(*this);
  become(State::kHeld);
  if (client_.closed || client_.socket.peer_state() != net::PeerState::kHere) client_left();
}

void Session::unhold() {
  front_.queue().remove(*this);
  held_ += hold_place_.end();
}

bool Session::may_dial() const {
  return !dial_failed_ || worker().view()->serial != dialled_serial_ || worker().now() - dialled_ >= kRetrySameView;
}

void Session::leave_hold(NodeId target) {
  BW_ASSERT(state_ == State::kHeld);
  // It may have left in this very turn, unseen, and behind bytes that nobody has read.
  if (client_.socket.peer_state() != net::PeerState::kHere) return client_left();
  unhold();
  dial(target);
}

void Session::dial(NodeId node) {
  node_id_ = node;
  has_node_ = true;
  epoch_ = worker().view()->epoch;
  dialled_serial_ = worker().view()->serial;
  dialled_ = worker().now();
  dial_failed_ = false;
  become(State::kConnecting);
  dial_ = worker().dials().place();
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
  dial_failed_ = true;
  if (hint) worker().hint(node_id_, epoch_, *hint);
  hold();
}

void Session::close_dial() {
  node_.close();
  dial_.reset();
  connecting_ += worker().now() - dialled_;
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
  dial_.reset();
  connecting_ += worker().now() - dialled_;
  become(State::kRelaying);
  last_active_ = worker().now();
  worker().nodes().counters(node_id_).connects.add();
  at_node_ = Counted(worker().nodes().counters(node_id_).sessions_now);
  node_.writable = true;
  std::string first;
  if (worker().options().send_proxy != net::ProxyVersion::kNone) first = preamble();
  if (!hello_) hello_ = std::make_unique<Hello>();
  first += hello_->bytes();
  up_.deliver_first(first);
  up_.show_to(hello_.get());
  // resume() goes on from here, or on_node_lost() with another node.
  if (worker().must_withhold()) return pause_client();
  relay_up();
  if (state_ == State::kRelaying && node_.readable) relay_down();
}

std::string Session::preamble() const {
  const net::ProxyVersion version = worker().options().send_proxy;
  return origin_ ? net::proxy_header(version, origin_->client, origin_->destination) : net::proxy_header_local(version);
}

// The node has said nothing, and heard nothing but a hello: nothing was executed.
bool Session::may_replay() const {
  return state_ == State::kRelaying && hello_ && hello_->may_be_said_again() && !hello_->bytes().empty() &&
         !up_.has_ended() && replays_ < kMostReplays;
}

void Session::replay(std::optional<cluster::HintKind> hint) {
  note_answered();
  end_pause();
  leaving_.reset();
  dialogue_ = {};
  was_asked_ = false;
  at_node_.reset();
  if (!hello_->bytes().empty()) {
    worker().counters().hello_replays.add();
    ++replays_;
  }
  node_.close();
  up_.release(worker().pool());
  down_.release(worker().pool());
  up_ = Flow();
  down_ = Flow();
  // The same node gets it again only under a newer view, or later.
  dial_failed_ = hint.has_value();
  if (hint) worker().hint(node_id_, epoch_, *hint);
  hold();
}

void Session::forget_hello() {
  up_.show_to(nullptr);
  hello_.reset();
}

}  // namespace bellwether::proxy
