#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "bellwether/net/socket.h"
#include "bellwether/net/stream.h"
#include "bellwether/net/tls.h"
#include "tls_overhead.h"
#include "tls_records.h"

struct ssl_st;
struct ssl_session_st;
struct x509_store_ctx_st;

namespace bellwether::net {

// One TLS connection on one non-blocking fd, either side. Owned by a Stream; keeps its context alive.
class TlsSession {
 public:
  // `ticket_key` names whom a ticket is for: the address dialled and the name verified.
  [[nodiscard]] static Result<std::unique_ptr<TlsSession>> client(std::shared_ptr<TlsContext> context, int fd,
                                                                  const std::string& server_name,
                                                                  std::string ticket_key);
  // A session is resumed only by who asks within the same `scope`.
  [[nodiscard]] static Result<std::unique_ptr<TlsSession>> server(std::shared_ptr<TlsContext> context, int fd,
                                                                  std::uint32_t scope);
  TlsSession(std::shared_ptr<TlsContext> context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // One call uses up a limited number of records, whatever the peer sends. After kAgain with may_go_on() it was that
  // limit that ended the call: call again in a later turn, no event will tell of the rest.
  // kOk: done. kAgain: call again when the fd is ready for anything.
  [[nodiscard]] IoStatus handshake();
  [[nodiscard]] IoResult read(std::span<char> into, TimePoint now);
  // All of it, or until the socket is full. What was given to the kernel in whole records is counted in `bytes`, with
  // kError too; of the rest the peer can decrypt nothing.
  [[nodiscard]] IoResult write(std::span<const char> from);
  // Says close_notify. False: the socket is full, try again when it is writable.
  bool shutdown();

  [[nodiscard]] bool read_waits_for_write() const { return read_waits_for_write_; }
  [[nodiscard]] bool write_waits_for_read() const { return write_waits_for_read_; }
  // A server gave us that to resume with. Takes ownership.
  void keep_ticket(ssl_session_st* session);
  [[nodiscard]] bool may_go_on() const { return may_go_on_; }
  [[nodiscard]] bool is_resumed() const;
  [[nodiscard]] std::string peer_certificate() const;  // peer_certificate.h
  [[nodiscard]] StreamFailure failure() const { return failure_; }
  [[nodiscard]] const Error& error() const { return error_; }
  // Meaningful on the server's side, if handshake() has failed.
  [[nodiscard]] HandshakeFailure handshake_failure() const { return handshake_failure_; }

 private:
  friend class TlsContext;
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> expect_name(const std::string& server_name);
  IoResult failed(int ssl_error, int saved_errno);
  [[nodiscard]] bool take_overhead(bool has_data, TimePoint now);
  IoResult flooded();
  static int on_verified(int ok, x509_store_ctx_st* store);

  std::shared_ptr<TlsContext> context_;
  TlsRecords records_;
  TlsOverhead overhead_;
  ssl_st* ssl_ = nullptr;
  std::string server_name_;
  std::string ticket_key_;
  WallTime ticket_until_{};  // of the session that is resumed
  std::string refusal_;      // why the peer's certificate was not accepted
  bool read_waits_for_write_ = false;
  bool write_waits_for_read_ = false;
  bool may_go_on_ = false;
  bool is_open_ = false;
  bool is_broken_ = false;   // nothing more can be said; what the peer said before can still be read
  bool is_flooded_ = false;  // ... and it is not listened to
  int handshake_records_ = 0;
  StreamFailure failure_ = StreamFailure::kNone;
  HandshakeFailure handshake_failure_ = HandshakeFailure::kClosed;
  Error error_;
};

}  // namespace bellwether::net
