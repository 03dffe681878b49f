#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bellwether/http/body.h"
#include "bellwether/http/head.h"
#include "bellwether/net/stream.h"
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
  [[nodiscard]] virtual bool is_frozen() const = 0;
  [[nodiscard]] virtual bool is_draining() const = 0;

 protected:
  ~ConnectionOwner() = default;
};

// One client's connection. Owned by the Server's table; it never destroys itself. Reads ahead at most one head while a
// request is with the handler, and takes no request while an answer is still on its way out: a client that does not
// read is not read from either.
class Connection final : public net::StreamHandler {
 public:
  Connection(ConnectionOwner& owner, net::Loop& loop, const Server::Options& options, net::Socket socket,
             const net::Address& peer);

  void respond(const http::Response& response, bool close);
  // Ends it at once; the exchange, if any, is forgotten without on_gone.
  void end(bool reset);
  // Takes up what was left while frozen.
  void thaw();
  void drain();
  [[nodiscard]] bool is_retired() const { return state_ == State::kRetired; }

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

  void pump();
  void process();
  bool read_once();
  [[nodiscard]] bool wants_bytes() const;
  void look_at_peer();
  bool take_head();
  bool take_body();
  void dispatch();
  void refuse(int status, std::string_view why);
  void refuse(http::Reject reason);
  void on_end();
  void flush();
  void linger();
  void leave();
  void arm_timer();
  void on_timer();

  ConnectionOwner& owner_;
  const Server::Options& options_;
  net::Address peer_;
  net::Timer timer_;
  std::unique_ptr<net::Stream> stream_;

  State state_ = State::kHead;
  bool pumping_ = false;   // answers given from within on_request must not start a second loop
  bool readable_ = false;  // an edge came that was not yet read to its end
  bool head_begun_ = false;
  bool peer_ended_ = false;
  std::string in_;
  std::string out_;
  std::size_t out_sent_ = 0;

  http::LeadingLine leading_line_;
  http::RequestHead head_;  // its views are valid only within take_head()
  http::BodyReader body_;
  ServerRequest request_;
  ExchangeId exchange_ = 0;  // while kHandling
  bool is_head_request_ = false;
  bool keep_alive_ = false;
};

}  // namespace bellwether::wire
