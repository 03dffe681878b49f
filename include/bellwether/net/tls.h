#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bellwether/base/result.h"
#include "bellwether/base/time.h"

struct ssl_ctx_st;
struct ssl_st;

namespace bellwether::net {

// How we speak TLS to nodes.
struct TlsClientOptions {
  std::string ca_file{};  // PEM; empty: the system's store
  std::string ca_path{};
  std::string cert_file{};  // client certificate, with its chain
  std::string key_file{};   // empty: in cert_file
  bool verify = true;
  std::vector<std::string> alpn = {"http/1.1"};
};

// How clients speak TLS to us (and to the simulated cluster).
struct TlsServerOptions {
  std::string cert_file{};
  std::string key_file{};        // empty: in cert_file
  std::string client_ca_file{};  // verify client certificates against it
  bool require_client_cert = false;
  std::vector<std::string> alpn = {"http/1.1"};
};

// A long-lived SSL_CTX; streams hold a reference, so it may be replaced while they run. TLS 1.2 at least, no early
// data, no renegotiation, no compression. A server context may be
// shared by threads; a client context keeps tickets and belongs to one.
class TlsContext {
  struct Private {};

 public:
  explicit TlsContext(Private);  // for client() and server()
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> client(const TlsClientOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> server(const TlsServerOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] ssl_ctx_st* get() const { return context_; }
  [[nodiscard]] bool verifies() const { return verify_; }
  // Of the own certificate; for the metric. Empty without one.
  [[nodiscard]] std::optional<WallTime> not_after() const;

 private:
  friend class TlsSession;
  class Tickets;
  static int select_alpn(ssl_st*, const unsigned char** chosen, unsigned char* chosen_size,
                         const unsigned char* offered, unsigned offered_size, void* ours);
  ssl_ctx_st* context_ = nullptr;
  std::unique_ptr<Tickets> tickets_;  // client: what servers gave us to resume with
  std::string alpn_;                  // server: what we speak, as on the wire
  bool verify_ = true;
};

}  // namespace bellwether::net
