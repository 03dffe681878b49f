#include "tls_session.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "net/loop/system.h"
#include "peer_certificate.h"
#include "tls_lifetime.h"
#include "tls_text.h"
#include "tls_tickets.h"

namespace bellwether::net {

namespace {

// What one call may use up. A handshake's flight is four records or five; one of application data is one.
constexpr int kMostRecordsOfHandshakeCall = 32;
constexpr int kMostRecordsOfRead = 4;
constexpr int kMostCallsOfRead = 4;
// A handshake's messages are at most some 100 KB, in records of 512 bytes at the least.
constexpr int kMostHandshakeRecords = 1024;

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

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int fd) : context_(std::move(context)), records_(fd) {}

TlsSession::~TlsSession() { SSL_free(ssl_); }

Result<void> TlsSession::begin() {
  ERR_clear_error();
  ssl_ = SSL_new(context_->get());
  BIO* const bio = ssl_ == nullptr ? nullptr : records_.new_bio();
  if (bio == nullptr) return fail(ErrorKind::kInternal, "cannot set up TLS: " + take_openssl_error());
  SSL_set_bio(ssl_, bio, bio);  // owned by the SSL, for both directions
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
  auto session = std::make_unique<TlsSession>(std::move(context), fd);
  session->server_name_ = server_name;
  session->ticket_key_ = std::move(ticket_key);
  if (auto begun = session->begin(); !begun) return tl::unexpected(begun.error());
  if (auto named = session->expect_name(server_name); !named) return tl::unexpected(named.error());
  SSL_set_connect_state(session->ssl_);
  if (auto& tickets = session->context_->tickets_) {
    const Ticket ticket = tickets->take(session->ticket_key_, std::chrono::system_clock::now());
    if (ticket.session) SSL_set_session(session->ssl_, ticket.session.get());
    session->ticket_until_ = ticket.until;
  }
  return session;
}

Result<std::unique_ptr<TlsSession>> TlsSession::server(std::shared_ptr<TlsContext> context, int fd,
                                                       std::uint32_t scope) {
  auto session = std::make_unique<TlsSession>(std::move(context), fd);
  if (auto begun = session->begin(); !begun) return tl::unexpected(begun.error());
  // What OpenSSL compares when a client offers a session; one of another id context is not resumed.
  std::array<unsigned char, sizeof scope> id_context{};
  std::memcpy(id_context.data(), &scope, sizeof scope);
  SSL_set_session_id_context(session->ssl_, id_context.data(), id_context.size());
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

void TlsSession::keep_ticket(SSL_SESSION* given) {
  SslSession session(given);
  const auto now = std::chrono::system_clock::now();
  const WallTime until = is_resumed() ? ticket_until_ : resumable_until(ssl_, now, context_->ticket_lifetime_);
  if (until > now) context_->tickets_->put(ticket_key_, {std::move(session), until});
}

IoStatus TlsSession::handshake() {
  may_go_on_ = false;
  records_.begin_call(kMostRecordsOfHandshakeCall);
  const int done = clean_call([&] { return SSL_do_handshake(ssl_); });
  const int saved_errno = errno;
  if (done == 1) {
    is_open_ = true;
    return IoStatus::kOk;
  }
  handshake_records_ += records_.completed();
  const int error = SSL_get_error(ssl_, done);
  const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  if (waits && handshake_records_ <= kMostHandshakeRecords) {
    may_go_on_ = error == SSL_ERROR_WANT_READ && !records_.ran_dry();
    return IoStatus::kAgain;
  }
  waits ? flooded() : failed(error, saved_errno);
  return IoStatus::kError;
}

IoResult TlsSession::read(std::span<char> into, TimePoint now) {
  read_waits_for_write_ = may_go_on_ = false;
  if (into.empty()) return {IoStatus::kOk, 0, 0};
  for (int call = 0; call < kMostCallsOfRead; ++call) {
    records_.begin_call(kMostRecordsOfRead);
    const int n = clean_call([&] { return SSL_read(ssl_, into.data(), as_int(into.size())); });
    const int saved_errno = errno;
    const int error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, n);
    if (n > 0) overhead_.on_data(static_cast<std::size_t>(n));
    if (is_flooded_ || !take_overhead(n > 0, now)) return flooded();
    switch (error) {
      case SSL_ERROR_NONE:
        return {IoStatus::kOk, static_cast<std::size_t>(n), 0};
      case SSL_ERROR_WANT_WRITE:
        read_waits_for_write_ = true;
        return {IoStatus::kAgain, 0, 0};
      case SSL_ERROR_WANT_READ:
        if (records_.ran_dry()) return {IoStatus::kAgain, 0, 0};
        continue;  // a record, or a message of one, that held no data
      case SSL_ERROR_ZERO_RETURN:
        return {IoStatus::kEof, 0, 0};
      default:
        return failed(error, saved_errno);
    }
  }
  may_go_on_ = true;
  return {IoStatus::kAgain, 0, 0};
}

// What the last SSL_read used up besides the record whose data it returned. Several messages may share a record.
bool TlsSession::take_overhead(bool has_data, TimePoint now) {
  const int without_data = records_.completed() - (has_data ? 1 : 0);
  const bool is_message = !has_data && !records_.ran_dry();
  const int count = std::max(without_data, is_message ? 1 : 0);
  return count <= 0 || overhead_.take(count, now);
}

IoResult TlsSession::write(std::span<const char> from) {
  write_waits_for_read_ = false;
  records_.begin_call(kMostRecordsOfRead);
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
    if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) {
      IoResult broken = failed(error, saved_errno);
      broken.bytes = written;
      return broken;
    }
    write_waits_for_read_ = error == SSL_ERROR_WANT_READ;
    return {written > 0 ? IoStatus::kOk : IoStatus::kAgain, written, 0};
  }
  return {IoStatus::kOk, written, 0};
}

bool TlsSession::shutdown() {
  if (!is_open_ || is_broken_) return true;
  records_.begin_call(kMostRecordsOfRead);
  const int said = clean_call([&] { return SSL_shutdown(ssl_); });
  if (said >= 0) return true;
  const int error = SSL_get_error(ssl_, said);
  return error != SSL_ERROR_WANT_WRITE;
}

bool TlsSession::is_resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string TlsSession::peer_certificate() const { return verified_peer_certificate(ssl_); }

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

IoResult TlsSession::flooded() {
  is_broken_ = is_flooded_ = true;
  failure_ = StreamFailure::kTls;
  handshake_failure_ = HandshakeFailure::kProtocol;
  error_ = {ErrorKind::kProtocol,
            "too many TLS records without data (key updates, renegotiations, empty or very small records)"};
  return {IoStatus::kError, 0, EPROTO};
}

}  // namespace bellwether::net
