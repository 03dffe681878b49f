#include "tls_session.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "system.h"
#include "tls_text.h"
#include "tls_tickets.h"

namespace bellwether::net {

namespace {

bool is_ip_literal(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// SSL_set_tlsext_host_name is a macro with casts of its own.
bool send_name(SSL* ssl, std::string name) {
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

int as_int(std::size_t size) {
  return static_cast<int>(std::min(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

// One client's failed handshake must not be read as the next call's error: the queue is the thread's.
template <typename Call>
int clean_call(Call call) {
  ERR_clear_error();
  errno = 0;
  return call();
}

}  // namespace

TlsSession::TlsSession(std::shared_ptr<TlsContext> context) : context_(std::move(context)) {}

TlsSession::~TlsSession() { SSL_free(ssl_); }

Result<void> TlsSession::begin(int fd) {
  ERR_clear_error();
  ssl_ = SSL_new(context_->get());
  if (ssl_ == nullptr || SSL_set_fd(ssl_, fd) != 1) {
    return fail(ErrorKind::kInternal, "cannot set up TLS: " + take_openssl_error());
  }
  SSL_set_app_data(ssl_, this);
  SSL_set_verify(ssl_, SSL_get_verify_mode(ssl_), &TlsSession::on_verified);
  return {};
}

Result<void> TlsSession::expect_name(const std::string& server_name) {
  // As Go does, and so Vault's own clients: subjectAltName alone counts.
  SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (context_->verifies() && (server_name.empty() || SSL_set1_host(ssl_, server_name.c_str()) != 1)) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a name that a certificate can have", server_name));
  }
  // RFC 6066 section 3: no literal addresses in SNI.
  if (!server_name.empty() && !is_ip_literal(server_name) && !send_name(ssl_, server_name)) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" cannot be sent as a server name", server_name));
  }
  return {};
}

Result<std::unique_ptr<TlsSession>> TlsSession::client(std::shared_ptr<TlsContext> context, int fd,
                                                       const std::string& server_name, std::string ticket_key) {
  auto session = std::make_unique<TlsSession>(std::move(context));
  session->server_name_ = server_name;
  session->ticket_key_ = std::move(ticket_key);
  if (auto begun = session->begin(fd); !begun) return tl::unexpected(begun.error());
  if (auto named = session->expect_name(server_name); !named) return tl::unexpected(named.error());
  SSL_set_connect_state(session->ssl_);
  if (auto& tickets = session->context_->tickets_) {
    if (const auto ticket = tickets->take(session->ticket_key_)) SSL_set_session(session->ssl_, ticket.get());
  }
  return session;
}

Result<std::unique_ptr<TlsSession>> TlsSession::server(std::shared_ptr<TlsContext> context, int fd) {
  auto session = std::make_unique<TlsSession>(std::move(context));
  if (auto begun = session->begin(fd); !begun) return tl::unexpected(begun.error());
  SSL_set_accept_state(session->ssl_);
  return session;
}

int TlsSession::on_verified(int ok, x509_store_ctx_st* store) {
  if (ok == 1) return ok;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* self = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (self->refusal_.empty()) self->refusal_ = describe_refusal(store, self->server_name_);
  return ok;
}

IoStatus TlsSession::handshake() {
  const int done = clean_call([&] { return SSL_do_handshake(ssl_); });
  const int saved_errno = errno;
  if (done == 1) {
    is_open_ = true;
    return IoStatus::kOk;
  }
  const int error = SSL_get_error(ssl_, done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return IoStatus::kAgain;
  failed(error, saved_errno);
  return IoStatus::kError;
}

IoResult TlsSession::read(std::span<char> into) {
  if (into.empty()) return {IoStatus::kOk, 0, 0};
  const int n = clean_call([&] { return SSL_read(ssl_, into.data(), as_int(into.size())); });
  const int saved_errno = errno;
  read_waits_for_write_ = false;
  if (n > 0) return {IoStatus::kOk, static_cast<std::size_t>(n), 0};
  switch (const int error = SSL_get_error(ssl_, n); error) {
    case SSL_ERROR_WANT_WRITE:
      read_waits_for_write_ = true;
      return {IoStatus::kAgain, 0, 0};
    case SSL_ERROR_WANT_READ:
      return {IoStatus::kAgain, 0, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStatus::kEof, 0, 0};
    default:
      return failed(error, saved_errno);
  }
}

IoResult TlsSession::write(std::span<const char> from) {
  write_waits_for_read_ = false;
  std::size_t written = 0;
  while (written < from.size()) {
    const auto rest = from.subspan(written);
    const int n = clean_call([&] { return SSL_write(ssl_, rest.data(), as_int(rest.size())); });
    const int saved_errno = errno;
    if (n > 0) {
      written += static_cast<std::size_t>(n);
      continue;
    }
    const int error = SSL_get_error(ssl_, n);
    if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) return failed(error, saved_errno);
    write_waits_for_read_ = error == SSL_ERROR_WANT_READ;
    return {written > 0 ? IoStatus::kOk : IoStatus::kAgain, written, 0};
  }
  return {IoStatus::kOk, written, 0};
}

bool TlsSession::shutdown() {
  if (!is_open_ || is_broken_) return true;
  const int said = clean_call([&] { return SSL_shutdown(ssl_); });
  if (said >= 0) return true;
  const int error = SSL_get_error(ssl_, said);
  return error != SSL_ERROR_WANT_WRITE;
}

bool TlsSession::is_resumed() const { return SSL_session_reused(ssl_) == 1; }

IoResult TlsSession::failed(int ssl_error, int saved_errno) {
  const unsigned long code = ERR_peek_error();
  is_broken_ = true;
  const bool just_ended =
      (ssl_error == SSL_ERROR_SYSCALL && saved_errno == 0) ||
      (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
  IoResult result{IoStatus::kError, 0, EPROTO};
  if (just_ended) {
    failure_ = StreamFailure::kClosed;
    error_ = {ErrorKind::kClosed, is_open_ ? "the connection ended without TLS's close_notify: something may be missing"
                                           : "the connection was closed during the TLS handshake"};
    result.error = Stream::kTruncated;
  } else if (ssl_error == SSL_ERROR_SYSCALL) {
    failure_ = StreamFailure::kReset;
    error_ = {ErrorKind::kClosed, describe_errno(saved_errno)};
    result.error = saved_errno;
  } else {
    failure_ = StreamFailure::kTls;
    handshake_failure_ = refusal_.empty() ? handshake_failure_of(code) : HandshakeFailure::kBadCertificate;
    error_ = {ErrorKind::kProtocol, refusal_.empty() ? describe_ssl_error(code) : refusal_};
  }
  ERR_clear_error();
  return result;
}

}  // namespace bellwether::net
