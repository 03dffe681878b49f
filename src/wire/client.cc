#include "bellwether/wire/client.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "answer_reader.h"
#include "bellwether/base/assert.h"

namespace bellwether::wire {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr int kMostReadsOfTurn = 64;  // the loop's others wait meanwhile

ExchangeFailure failure_to_open(net::StreamFailure failure) {
  switch (failure) {
    case net::StreamFailure::kRefused:
      return ExchangeFailure::kRefused;
    case net::StreamFailure::kReset:
      return ExchangeFailure::kReset;
    case net::StreamFailure::kTimeout:
      return ExchangeFailure::kConnectTimeout;
    case net::StreamFailure::kTls:
      return ExchangeFailure::kTls;
    case net::StreamFailure::kClosed:
      return ExchangeFailure::kClosed;
    case net::StreamFailure::kNone:
    case net::StreamFailure::kUnreachable:
      break;
  }
  return ExchangeFailure::kUnreachable;
}

// Once open, silence is the answer's (TCP_USER_TIMEOUT), not the connection's.
ExchangeFailure failure_when_open(net::StreamFailure failure) {
  return failure == net::StreamFailure::kTimeout ? ExchangeFailure::kAnswerTimeout : failure_to_open(failure);
}

}  // namespace

struct Client::Impl final : net::StreamHandler {
  Impl(net::Loop& l, Options o)
      : loop(l), options(std::move(o)), timer(l, [this] { on_timer(); }), redial(l, [this] { on_redial(); }) {}
  ~Impl() { drop_stream(); }

  void start(std::string bytes, std::string_view asked_method, OnReply callback) {
    BW_ASSERT(!busy);
    busy = true;
    idle_end.reset();
    request = std::move(bytes);
    written = 0;
    sent = {};
    on_reply = std::move(callback);
    answer.emplace(asked_method, options.max_head_bytes, options.max_body_bytes);
    reused = stream != nullptr;
    timer.cancel();
    if (stream) return write_request();
    connect_until = loop.precise_now() + options.connect.timeout;
    dial();
  }

  void dial() {
    net::ConnectOptions connect = options.connect;
    connect.timeout = std::max(connect_until - loop.precise_now(), Duration(1ms));
    stream = net::Stream::connect(loop, options.address, std::move(connect), *this);
    if (options.connect_patience) redial.arm_in(options.connect_patience());
  }

  // A kernel that has answered the SYN needs no other: it is the process behind it that is slow.
  void on_redial() {
    if (!busy || !stream || stream->is_open() || stream->peer_address()) return;
    if (loop.precise_now() >= connect_until) return;
    drop_stream();
    dial();
    if (options.on_lost_syn) options.on_lost_syn();
  }

  void on_open() override { write_request(); }

  void on_broken(Error error) override {
    const ExchangeFailure failure = failure_to_open(stream->failure());
    // The kernel of a frozen server still accepts: that is silence, not the want of a connection.
    const bool is_silence = failure == ExchangeFailure::kConnectTimeout && stream->peer_address();
    fail_with({is_silence ? ExchangeFailure::kAnswerTimeout : failure, std::move(error.message)});
  }

  void on_writable() override {
    if (busy && !is_sent()) write_request();
  }

  void on_readable() override {
    if (!busy) return look_at_idle();
    read_answer();
  }

  [[nodiscard]] bool is_sent() const { return written == request.size(); }

  void write_request() {
    if (!timer.is_armed()) timer.arm_in(options.answer_timeout);
    while (!is_sent()) {
      // Before the write: the other side may look at itself as soon as it has the last byte.
      sent = loop.precise_now();
      const net::IoResult result = stream->write(std::string_view(request).substr(written));
      if (result.status == net::IoStatus::kAgain) return;
      written += result.bytes;
      if (result.status != net::IoStatus::kOk) return note_write_failure();
    }
  }

  // The other side may have answered before it stopped listening: what it said is read before we give up. In the next
  // turn, because nobody is called from within send().
  void note_write_failure() {
    write_failure = ExchangeError{failure_when_open(stream->failure()), stream->error().message};
    timer.arm_in(Duration::zero());
  }

  // Reads until there is nothing more, also behind a complete answer: the next exchange must not find old bytes.
  void read_answer() {
    std::array<char, kReadBytes> chunk;
    for (int reads = 0;; ++reads) {
      if (reads == kMostReadsOfTurn) return stream->read_later();
      const net::IoResult result = stream->read(chunk);
      if (result.status == net::IoStatus::kAgain) break;
      if (result.status == net::IoStatus::kOk) {
        answer->feed({chunk.data(), result.bytes});
        if (answer->is_complete() && !received) received = loop.precise_now();
        if (answer->has_failed() || answer->has_surplus()) break;
        continue;
      }
      return finish_at_end(result);
    }
    if (answer->has_failed()) return fail_with({ExchangeFailure::kProtocol, answer->problem()});
    if (answer->is_complete()) return succeed(answer->allows_reuse() && is_sent());
    if (write_failure) return fail_with(*std::exchange(write_failure, std::nullopt));
  }

  // The stream has ended or broken under an exchange.
  void finish_at_end(const net::IoResult& result) {
    const bool is_orderly = result.status == net::IoStatus::kEof;
    if (is_orderly) answer->end();
    if (answer->is_complete()) {
      if (!received) received = loop.precise_now();
      if (answer->allows_reuse()) idle_end = ended_by(result);
      return succeed(false);
    }
    const std::string what = is_orderly ? "the connection was closed" : stream->error().message;
    const std::string when = answer->has_started() ? " in the middle of the answer" : " before any answer";
    fail_with({ended_by(result), what + when});
  }

  [[nodiscard]] ExchangeFailure ended_by(const net::IoResult& result) const {
    return result.status == net::IoStatus::kEof ? ExchangeFailure::kClosed : failure_when_open(stream->failure());
  }

  // Whatever comes while nothing was asked ends the connection: bytes would be taken for the next answer.
  void look_at_idle() {
    std::array<char, 1> byte;
    const net::IoResult result = stream->read(byte);
    if (result.status == net::IoStatus::kAgain) return;
    const ExchangeFailure failure = result.status == net::IoStatus::kOk ? ExchangeFailure::kProtocol : ended_by(result);
    drop_stream();
    if (on_idle_end) on_idle_end(failure);
  }

  void on_timer() {
    if (!busy) {
      if (const auto failure = std::exchange(idle_end, std::nullopt); failure && on_idle_end) on_idle_end(*failure);
      return;
    }
    if (write_failure) return read_answer();
    fail_with(
        {ExchangeFailure::kAnswerTimeout, fmt::format("no {}answer within {}", answer->has_started() ? "complete " : "",
                                                      format_duration(options.answer_timeout))});
  }

  void succeed(bool keep) {
    Reply reply = answer->take();
    reply.sent = sent;
    reply.received = *received;
    reply.reused = reused;
    finish(std::move(reply), keep);
  }

  void fail_with(ExchangeError error) { finish(tl::unexpected(std::move(error)), false); }

  // The callback may send again or destroy the client: nothing of ours is touched after it.
  void finish(tl::expected<Reply, ExchangeError> outcome, bool keep) {
    OnReply callback = std::exchange(on_reply, {});
    forget_exchange();
    if (!keep) drop_stream();
    if (idle_end) timer.arm_in(Duration::zero());
    callback(std::move(outcome));
  }

  void forget_exchange() {
    busy = false;
    timer.cancel();
    redial.cancel();
    answer.reset();
    received.reset();
    write_failure.reset();
    request.clear();
    written = 0;
  }

  // Streams are never destroyed beneath their own callback.
  void drop_stream() {
    if (!stream) return;
    stream->close();
    loop.at_turn_end([done = std::shared_ptr<net::Stream>(std::move(stream))] {});
  }

  net::Loop& loop;
  Options options;
  std::unique_ptr<net::Stream> stream;
  net::Timer timer;  // the answer's deadline, or "in the next turn"
  net::Timer redial;
  TimePoint connect_until{};
  OnReply on_reply;
  std::function<void(ExchangeFailure)> on_idle_end;

  bool busy = false;
  bool reused = false;
  std::string request;
  std::size_t written = 0;
  TimePoint sent{};
  std::optional<TimePoint> received;
  std::optional<AnswerReader> answer;
  std::optional<ExchangeError> write_failure;
  std::optional<ExchangeFailure> idle_end;
};

Client::Client(net::Loop& loop, Options options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

Client::~Client() = default;

void Client::send(std::string request, std::string_view method, OnReply on_reply) {
  impl_->start(std::move(request), method, std::move(on_reply));
}

bool Client::is_busy() const { return impl_->busy; }
bool Client::is_connected() const { return impl_->stream && impl_->stream->is_open(); }

void Client::set_on_idle_end(std::function<void(ExchangeFailure)> on_idle_end) {
  impl_->on_idle_end = std::move(on_idle_end);
}

void Client::close() {
  impl_->idle_end.reset();
  impl_->on_reply = {};
  impl_->forget_exchange();
  impl_->drop_stream();
}

}  // namespace bellwether::wire
