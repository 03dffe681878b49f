#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"
#include "bellwether/net/address.h"
#include "bellwether/net/loop.h"
#include "bellwether/net/socket.h"
#include "bellwether/net/tls.h"

namespace bellwether::net {

class Stream;

// What a Stream calls, on the loop's thread. Any of these may close the stream, but must not destroy it: destroy
// at_turn_end.
class StreamHandler {
 public:
  virtual void on_open() = 0;      // connected, TLS handshake done
  virtual void on_readable() = 0;  // read until kAgain, or call read_later()
  virtual void on_writable() = 0;  // there is room again after a write gave kAgain
  // It did not open; kind and text say why. Once, and never after on_open: from there on read() and write() tell
  // (kEof, kError).
  virtual void on_broken(Error error) = 0;

 protected:
  ~StreamHandler() = default;
};

// How a stream failed to open, or broke, for who must tell "refused" from "reset".
enum class StreamFailure : std::uint8_t { kNone, kRefused, kReset, kTimeout, kTls, kUnreachable, kClosed };

struct ConnectOptions {
  std::shared_ptr<TlsContext> tls{};  // null: plain
  std::string server_name{};          // for SNI and verification; an IP literal is verified but not sent as SNI
  std::optional<Address> source{};
  std::string preamble{};  // bytes before TLS: a PROXY header
  Duration timeout = 3s;   // until on_open
  TcpOptions tcp{};
};

// A byte stream over a socket, plain or TLS; past the handshake nobody asks which. Edge-triggered: after on_readable,
// read until kAgain or is_drained() (a short count alone does not mean drained). No callback comes from within
// connect() and accept(). Owned by its user.
class Stream {
  struct Private {};

 public:
  explicit Stream(Private);  // for connect() and accept()

  [[nodiscard]] static std::unique_ptr<Stream> connect(Loop& loop, const Address& to, ConnectOptions options,
                                                       StreamHandler& handler);
  // `tls` null: plain. A TLS client has `handshake_timeout` to finish, and may resume a session that it got within the
  // same `resumption_scope`.
  [[nodiscard]] static std::unique_ptr<Stream> accept(Loop& loop, Socket socket, std::shared_ptr<TlsContext> tls,
                                                      Duration handshake_timeout, StreamHandler& handler,
                                                      std::uint32_t resumption_scope = 0);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // kEof: the peer ended its side in an orderly way. A TLS peer that just goes away gives kError with kTruncated: who
  // knows that nothing is missing may take it for an end.
  [[nodiscard]] IoResult read(std::span<char> into);
  // Whether the last read took all there was and nothing has come since, though it did not say kAgain: on_readable
  // tells of what comes next, the peer's orderly end included. Not of a reset that came right behind those bytes (see
  // Readiness::closed): where that matters, read until kAgain all the same. Never true with TLS.
  [[nodiscard]] bool is_drained() const;
  // As many reads as a turn has room for: on_readable follows in a later turn, whether or not something comes.
  void read_later();
  // Writes what fits. After kAgain or a short count on_writable follows; what was not taken must then be given again,
  // as a beginning at least (TLS has encrypted some of it already). With kError `bytes` says what the peer may have got
  // all the same, and what it sent before can still be read.
  [[nodiscard]] IoResult write(std::span<const char> from);
  static constexpr int kTruncated = ECONNABORTED;
  // No more of our bytes follow: close_notify on TLS, FIN.
  void shutdown_write();
  // Quiet: no callback follows. TLS says close_notify if it can without waiting.
  void close();
  void abort();  // RST

  [[nodiscard]] bool is_open() const;  // between on_open and close/broken
  // See Socket: told by the kernel, however much of what the peer sent is still unread.
  [[nodiscard]] PeerState peer_state() const;
  [[nodiscard]] StreamFailure failure() const;
  // What on_broken was told, or in words what the last kError meant.
  [[nodiscard]] const Error& error() const;
  // Of an accepted one: why on_broken came, if that was TLS's doing.
  [[nodiscard]] std::optional<HandshakeFailure> handshake_failure() const;
  [[nodiscard]] bool tls_resumed() const;
  // DER; empty if the peer showed none, or none that was verified and is valid now.
  [[nodiscard]] std::string peer_certificate() const;
  [[nodiscard]] Result<Address> local_address() const;
  [[nodiscard]] Result<Address> peer_address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bellwether::net
