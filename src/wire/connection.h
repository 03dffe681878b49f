#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bellwether/base/byte_queue.h"
#include "bellwether/http/body.h"
#include "bellwether/http/head.h"
#include "bellwether/net/stream.h"
#include "bellwether/wire/idleness.h"
#include "bellwether/wire/server.h"

namespace bellwether::wire {

class Connection;

// What a Connection needs from its server. Any call may retire the connection: it checks is_retired() afterwards.
class ConnectionOwner {
 public:
  // A new exchange of this connection; the id is what the request carries.
  virtual ExchangeId begin_exchange(Connection& connection) = 0;
  virtual void on_request(ServerRequest request) = 0;
  virtual void on_gone(ExchangeId exchange) = 0;
  // The exchange has its answer, or will never get one.
  virtual void end_exchange(ExchangeId exchange) = 0;
  // Out of the table; destroyed at the end of the turn.
  virtual void retire(Connection& connection) = 0;
  // It has had its share of this turn: its go_on() is called in the next.
  virtual void postpone(Connection& connection) = 0;
  [[nodiscard]] virtual bool is_frozen() const = 0;

 protected:
  ~ConnectionOwner() = default;
};

// One client's connection. Owned by the Server's table; it never destroys itself. Reads ahead at most one head while a
// request is with the handler, and takes no request while an answer is still on its way out: a client that does not
// read is not read from either. In a turn it reads and answers a little, then the others of its loop have theirs.
class Connection final : public net::StreamHandler {
 public:
  // A connection's share of a turn.
  static constexpr int kMaxRequestsPerTurn = 8;
  static constexpr std::size_t kMaxBytesPerTurn = 64 * 1024;

  Connection(ConnectionOwner& owner, net::Loop& loop, const Server::Options& options, net::Socket socket,
             const net::Address& peer);

  void respond(const http::Response& response);
  // Ends it at once; the exchange, if any, is forgotten without on_gone.
  void end(bool reset);
  // Takes up what was left while frozen.
  void thaw();
  // Takes up what the last turn's share was too small for.
  void go_on();
  [[nodiscard]] bool is_retired() const { return state_ == State::kRetired; }
  // What it waits for from its client and since when; nothing: it waits for us.
  struct Waiting {
    Idleness idleness{};
    TimePoint since{};
  };
  [[nodiscard]] std::optional<Waiting> waiting() const;

  void on_open() override;
  void on_readable() override;
  void on_writable() override;
  void on_broken(Error error) override;

 private:
  enum class State : std::uint8_t {
    kHead,       // between requests, or within a head
    kBody,       // collecting a body
    kHandling,   // with the handler
    kClosing,    // the last answer is on its way out
    kLingering,  // all said; waits for the client's end, so that no RST overtakes the answer
    kRetired,
  };

  // connection.cc: bytes and time
  void pump();
  [[nodiscard]] bool has_had_its_turn() const;
  bool read_once();
  [[nodiscard]] bool wants_bytes() const;
  void look_at_peer();
  void on_end();
  void flush();
  void linger();
  void leave();
  void arm_timer();
  void on_timer();
  [[nodiscard]] TimePoint now() const { return loop_.now(); }

  // connection_request.cc: requests and answers
  void process();
  bool take_head();
  void keep_head();
  bool take_body();
  void dispatch();
  void refuse(int status, std::string_view why);
  void refuse(http::Reject reason);

  ConnectionOwner& owner_;
  net::Loop& loop_;
  const Server::Options& options_;
  net::Address peer_;
  net::Timer timer_;
  std::unique_ptr<net::Stream> stream_;

  State state_ = State::kHead;
  bool pumping_ = false;   // answers given from within on_request must not start a second loop
  bool readable_ = false;  // an edge came that was not yet read to its end
  bool head_begun_ = false;
  bool was_asked_ = false;  // it has had a request's whole head
  bool peer_ended_ = false;
  bool is_postponed_ = false;
  int turn_requests_ = 0;
  std::size_t turn_bytes_ = 0;
  TimePoint since_;     // when it began to wait for a head, or when that head began
  TimePoint moved_at_;  // when a byte last went either way
  ByteQueue in_;
  std::string out_;
  std::size_t out_sent_ = 0;

  http::LeadingLine leading_line_;
  http::HeadSearch head_search_;
  http::RequestHead head_;  // its views are valid only within take_head()
  http::BodyReader body_;
  ServerRequest request_;
  ExchangeId exchange_ = 0;  // while kHandling
  bool is_head_request_ = false;
  bool keep_alive_ = false;
};

}  // namespace bellwether::wire
