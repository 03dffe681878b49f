#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bellwether/base/enum_count.h"
#include "bellwether/base/result.h"
#include "bellwether/base/time.h"

struct ssl_ctx_st;
struct ssl_st;

namespace bellwether::net {

// How long a session may be resumed after its full handshake, unless a certificate of that handshake ends before.
// Resuming it does not extend that. Zero: never.
inline constexpr Duration kTicketLifetime = 1h;

// How we speak TLS to nodes.
struct TlsClientOptions {
  std::string ca_file{};  // PEM; empty: the system's store
  std::string ca_path{};
  std::string cert_file{};  // client certificate, with its chain
  std::string key_file{};   // empty: in cert_file
  bool verify = true;
  std::vector<std::string> alpn = {"http/1.1"};
  Duration ticket_lifetime = kTicketLifetime;

  friend bool operator==(const TlsClientOptions&, const TlsClientOptions&) = default;
};

enum class TlsVersion : std::uint8_t { k12, k13 };

// PEM files of a certificate, with its chain, and of its key; without a file of its own, the key is with the
// certificate.
struct CertificateFiles {
  std::string cert_file{};
  std::string key_file{};

  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

// How clients speak TLS to us (and to the simulated cluster).
struct TlsServerOptions {
  std::string cert_file{};
  std::string key_file{};  // empty: in cert_file
  // Shown in place of that one to clients who ask for a name that it has not and one of these has (SNI).
  std::vector<CertificateFiles> more_certificates{};
  std::string client_ca_file{};  // verify client certificates against it
  bool require_client_cert = false;
  TlsVersion min_version = TlsVersion::k12;
  std::vector<std::string> alpn = {"http/1.1"};
  Duration ticket_lifetime = kTicketLifetime;

  friend bool operator==(const TlsServerOptions&, const TlsServerOptions&) = default;
};

// Why a client's TLS handshake did not end well, for a metric.
enum class HandshakeFailure : std::uint8_t {
  kTimeout,
  kClosed,         // the client ended the connection, in whatever way
  kNoCertificate,  // one is required
  kBadCertificate,
  kAlert,  // the client refused us: it does not trust our certificate, say
  kPlainHttp,
  kProtocol,  // no common version or cipher, or not TLS at all
};
inline constexpr std::size_t kHandshakeFailureCount = 7;
static_assert(has_enumerators<HandshakeFailure, kHandshakeFailureCount>);
[[nodiscard]] std::string_view to_text(HandshakeFailure failure);

struct OwnCertificate;

// A long-lived SSL_CTX; streams hold a reference, so it may be replaced while they run. TLS 1.2 at least, no early
// data, no renegotiation, no compression. A server context may be
// shared by threads; a client context keeps tickets and belongs to one.
class TlsContext {
  struct Private {};

 public:
  explicit TlsContext(Private);  // for client() and server()
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> client(const TlsClientOptions& options);
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> server(const TlsServerOptions& options);
  // The same client for another thread: certificates and trust were read once and are shared, tickets are its own.
  // REQUIRES: made by client() or twin().
  [[nodiscard]] Result<std::shared_ptr<TlsContext>> twin() const;
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] ssl_ctx_st* get() const { return context_; }
  [[nodiscard]] bool verifies() const { return verify_; }
  // When the first of the own certificates ends. Empty without one.
  [[nodiscard]] std::optional<WallTime> not_after() const;

 private:
  friend class TlsSession;
  friend std::vector<OwnCertificate> own_certificates(const TlsContext& context, WallTime now);
  class Tickets;
  class MoreCertificates;
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> new_client(bool verify, std::string alpn,
                                                                      Duration ticket_lifetime);
  [[nodiscard]] Result<void> add_certificates(const std::vector<CertificateFiles>& files);
  static int select_alpn(ssl_st*, const unsigned char** chosen, unsigned char* chosen_size,
                         const unsigned char* offered, unsigned offered_size, void* ours);
  ssl_ctx_st* context_ = nullptr;
  std::unique_ptr<Tickets> tickets_;        // client: what servers gave us to resume with
  std::string cert_file_;                   // of `context_`; empty: none
  std::unique_ptr<MoreCertificates> more_;  // server: beside the one of `context_`; null: none
  std::string alpn_;                        // what we speak, as on the wire
  Duration ticket_lifetime_ = kTicketLifetime;
  bool verify_ = true;
};

}  // namespace bellwether::net
