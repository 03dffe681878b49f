#include "bellwether/net/stream.h"

#include <fmt/format.h>

#include <utility>

#include "bellwether/base/assert.h"
#include "bellwether/net/watch.h"
#include "net/loop/system.h"
#include "net/socket/plain_http_answer.h"
#include "net/tls/tls_session.h"

namespace bellwether::net {

namespace {

StreamFailure failure_of(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:  // a unix socket's file
      return StreamFailure::kRefused;
    case ECONNRESET:
    case EPIPE:
      return StreamFailure::kReset;
    case ETIMEDOUT:
      return StreamFailure::kTimeout;
    case Stream::kTruncated:
      return StreamFailure::kClosed;
    default:
      return StreamFailure::kUnreachable;
  }
}

ErrorKind kind_of(StreamFailure failure) {
  switch (failure) {
    case StreamFailure::kTimeout:
      return ErrorKind::kTimeout;
    case StreamFailure::kReset:
    case StreamFailure::kClosed:
      return ErrorKind::kClosed;
    case StreamFailure::kTls:
      return ErrorKind::kProtocol;
    case StreamFailure::kNone:
    case StreamFailure::kRefused:
    case StreamFailure::kUnreachable:
      break;
  }
  return ErrorKind::kUnavailable;
}

}  // namespace

struct Stream::Impl final : ReadinessHandler {
  enum class State : std::uint8_t { kConnecting, kPreamble, kHandshake, kOpen, kEnded };

  Impl(Loop& l, StreamHandler& h) : loop(l), handler(h) {}
  virtual ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start_timer(Duration delay) {
    timer = std::make_unique<Timer>(loop, [this] { on_timer(); });
    timer->arm_in(delay);
  }

  // Before the user has the Stream nobody may be called: the next turn tells.
  void break_later(StreamFailure why, std::string message) {
    note(why, {kind_of(why), std::move(message)});
    state = State::kEnded;
    start_timer(Duration::zero());
  }

  void on_timer() {
    if (state == State::kEnded) return handler.on_broken(error);
    const std::string_view what =
        state == State::kConnecting ? "no connection within {}" : "connected, but no TLS handshake within {}";
    give_up(StreamFailure::kTimeout, {ErrorKind::kTimeout, fmt::format(fmt::runtime(what), format_duration(timeout))});
  }

  void note(StreamFailure why, Error what) {
    failure = why;
    error = peer_text.empty() ? std::move(what) : what.within(peer_text);
  }

  // Ends what has not opened yet.
  void give_up(StreamFailure why, Error what) {
    note(why, std::move(what));
    end();
    handler.on_broken(error);
  }

  void give_up(int system_error) {
    const StreamFailure why = failure_of(system_error);
    give_up(why, {kind_of(why), describe_errno(system_error)});
  }

  void end() {
    state = State::kEnded;
    watch.close();
    timer.reset();
  }

  void on_ready(Readiness ready) override {
    peer_ended = peer_ended || ready.closed;
    if (state == State::kConnecting) finish_connect(ready);
    if (state == State::kPreamble) send_preamble();
    if (state == State::kHandshake && !finish_handshake(ready)) return;
    if (state == State::kOpen) pass_on(ready);
  }

  void finish_connect(Readiness ready) {
    if (!ready.writable && !ready.closed) return;
    if (const int failed = socket.connect_error(); failed != 0) return give_up(failed);
    state = State::kPreamble;
  }

  void send_preamble() {
    while (!preamble.empty()) {
      const IoResult sent = socket.write(preamble);
      if (sent.status == IoStatus::kAgain) return;
      if (sent.status != IoStatus::kOk) return give_up(sent.error);
      preamble.erase(0, sent.bytes);
    }
    state = State::kHandshake;
  }

  // False: not open yet, or not any more.
  bool finish_handshake(Readiness& ready) {
    if (tls) {
      const IoStatus status = tls->handshake();
      if (status == IoStatus::kAgain) {
        if (tls->may_go_on()) watch.call_again({.readable = true});
        return false;
      }
      if (status != IoStatus::kOk) {
        if (is_accepted && tls->handshake_failure() == HandshakeFailure::kPlainHttp) answer_plain_http(socket);
        give_up(tls->failure(), tls->error());
        return false;
      }
      // The peer's first bytes may have come with its last handshake record: no event will tell of them.
      ready.readable = true;
    }
    state = State::kOpen;
    timer.reset();
    handler.on_open();
    return state == State::kOpen;
  }

  void pass_on(Readiness ready) {
    if (shutdown_waits && ready.writable) shutdown_write();
    const bool read_now = ready.readable || ready.closed || (tls && ready.writable && tls->read_waits_for_write());
    const bool write_now = ready.writable || (tls && ready.readable && tls->write_waits_for_read());
    if (read_now) {
      is_drained = false;
      handler.on_readable();
    }
    if (state == State::kOpen && write_now && write_blocked) {
      write_blocked = false;
      handler.on_writable();
    }
  }

  IoResult read(std::span<char> into) {
    if (state != State::kOpen) return {IoStatus::kError, 0, ENOTCONN};
    const IoResult result = tls ? tls->read(into, loop.now()) : socket.read(into);
    if (tls && tls->may_go_on()) watch.call_again({.readable = true});
    is_drained = !tls && !peer_ended && result.status == IoStatus::kOk && result.bytes < into.size();
    if (result.status == IoStatus::kError) {
      note_broken(result.error);
      end();
    }
    return result;
  }

  IoResult write(std::span<const char> from) {
    if (state != State::kOpen) return {IoStatus::kError, 0, ENOTCONN};
    const IoResult result = tls ? tls->write(from) : socket.write(from);
    if (result.status == IoStatus::kError) note_broken(result.error);
    if (result.status == IoStatus::kAgain || result.bytes < from.size()) write_blocked = true;
    return result;
  }

  void note_broken(int system_error) {
    if (tls && tls->failure() != StreamFailure::kNone) return note(tls->failure(), tls->error());
    const StreamFailure why = failure_of(system_error);
    note(why, {kind_of(why), describe_errno(system_error)});
  }

  void shutdown_write() {
    shutdown_waits = tls && !tls->shutdown();
    if (!shutdown_waits) socket.shutdown_write();
  }

  Loop& loop;
  StreamHandler& handler;
  Socket socket;
  Watch watch;
  std::unique_ptr<TlsSession> tls;
  std::unique_ptr<Timer> timer;  // only until it is open
  std::string preamble;
  std::string peer_text;
  Duration timeout{};
  Error error;
  StreamFailure failure = StreamFailure::kNone;
  State state = State::kConnecting;
  bool is_accepted = false;
  bool write_blocked = false;
  bool shutdown_waits = false;
  bool peer_ended = false;  // no edge will tell of its end again
  bool is_drained = false;
};

Stream::Stream(Private) {}

Stream::~Stream() { close(); }

std::unique_ptr<Stream> Stream::connect(Loop& loop, const Address& to, ConnectOptions options, StreamHandler& handler) {
  auto stream = std::make_unique<Stream>(Private{});
  stream->impl_ = std::make_unique<Impl>(loop, handler);
  Impl& impl = *stream->impl_;
  impl.peer_text = to.to_string();
  impl.preamble = std::move(options.preamble);
  impl.timeout = options.timeout;
  if (const int error = start_connect(to, options.source, options.tcp, impl.socket); error != 0) {
    impl.break_later(failure_of(error), describe_errno(error));
    return stream;
  }
  if (options.tls) {
    auto session = TlsSession::client(std::move(options.tls), impl.socket.fd(), options.server_name,
                                      to.to_string() + ' ' + options.server_name);
    if (!session) {
      impl.break_later(StreamFailure::kTls, session.error().message);
      return stream;
    }
    impl.tls = std::move(*session);
  }
  if (auto watched = impl.watch.open(loop, impl.socket.fd(), impl); !watched) {
    impl.break_later(StreamFailure::kUnreachable, watched.error().message);
    return stream;
  }
  impl.start_timer(options.timeout);
  return stream;
}

std::unique_ptr<Stream> Stream::accept(Loop& loop, Socket socket, std::shared_ptr<TlsContext> tls,
                                       Duration handshake_timeout, StreamHandler& handler,
                                       std::uint32_t resumption_scope) {
  auto stream = std::make_unique<Stream>(Private{});
  stream->impl_ = std::make_unique<Impl>(loop, handler);
  Impl& impl = *stream->impl_;
  impl.state = Impl::State::kHandshake;
  impl.is_accepted = true;
  impl.socket = std::move(socket);
  impl.timeout = handshake_timeout;
  if (tls) {
    if (auto peer = impl.socket.peer_address()) impl.peer_text = peer->to_string();
    auto session = TlsSession::server(std::move(tls), impl.socket.fd(), resumption_scope);
    if (!session) {
      impl.break_later(StreamFailure::kTls, session.error().message);
      return stream;
    }
    impl.tls = std::move(*session);
    impl.start_timer(handshake_timeout);
  }
  if (auto watched = impl.watch.open(loop, impl.socket.fd(), impl); !watched) {
    impl.break_later(StreamFailure::kUnreachable, watched.error().message);
  }
  return stream;
}

IoResult Stream::read(std::span<char> into) { return impl_->read(into); }
void Stream::read_later() {
  if (impl_->state == Impl::State::kOpen) impl_->watch.call_again({.readable = true});
}

IoResult Stream::write(std::span<const char> from) { return impl_->write(from); }

void Stream::shutdown_write() {
  if (impl_->state == Impl::State::kOpen) impl_->shutdown_write();
}

void Stream::close() {
  if (impl_->tls && impl_->state == Impl::State::kOpen) impl_->tls->shutdown();
  impl_->end();
  impl_->socket.close();
}

void Stream::abort() {
  impl_->end();
  impl_->socket.abort();
}

bool Stream::is_drained() const { return impl_->is_drained; }
bool Stream::is_open() const { return impl_->state == Impl::State::kOpen; }
PeerState Stream::peer_state() const { return impl_->socket.peer_state(); }
StreamFailure Stream::failure() const { return impl_->failure; }
const Error& Stream::error() const { return impl_->error; }
std::optional<HandshakeFailure> Stream::handshake_failure() const {
  if (!impl_->tls || impl_->failure == StreamFailure::kNone) return std::nullopt;
  if (impl_->failure == StreamFailure::kTimeout) return HandshakeFailure::kTimeout;
  return impl_->tls->handshake_failure();
}
bool Stream::tls_resumed() const { return impl_->tls && impl_->tls->is_resumed(); }
std::string Stream::peer_certificate() const { return impl_->tls ? impl_->tls->peer_certificate() : std::string(); }
Result<Address> Stream::local_address() const { return impl_->socket.local_address(); }
Result<Address> Stream::peer_address() const { return impl_->socket.peer_address(); }

}  // namespace bellwether::net
